/* person.h -- people of the chat: whom the bot met, and what was granted to whom. */
#ifndef NABAT_STORE_PERSON_H
#define NABAT_STORE_PERSON_H

#include "store/group.h"
#include "store/pg.h"

/* The text of chat_member.role; `role` NULL: nothing was granted. BORROWED until done returns. */
typedef void granted_fn(void *ctx, const char *role, const struct err *err);
void store_granted_get(struct pg *pg, int64_t user_id, granted_fn *done, void *ctx);
/* `role` NULL takes back. `done` gets what was granted before. */
void store_granted_put(struct pg *pg, int64_t user_id, const char *role, const char *name,
                       const struct actor *actor, granted_fn *done, void *ctx);

struct person {
    int64_t user_id;
    const char *name;
    const char *role; /* granted; NULL: none */
};
/* People who were met or granted something, newest first, at most `limit`. */
typedef void people_fn(void *ctx, const struct person *people, size_t count, const struct err *err);
void store_people_list(struct pg *pg, bool granted_only, int64_t limit, people_fn *done, void *ctx);
/* By "@name" (without case) or by id as text; count 0: nobody the bot has met. */
void store_people_find(struct pg *pg, const char *name_or_id, people_fn *done, void *ctx);
/* Somebody spoke where it may: remembered so that "@ann" can be found. Nobody waits for it. */
void store_person_met(struct pg *pg, int64_t user_id, const char *username, const char *name);

/* Erases a person by forget_user; `count` of events blanked. */
typedef void forgot_fn(void *ctx, int64_t count, const struct err *err);
void store_person_forget(struct pg *pg, const char *user_id, forgot_fn *done, void *ctx);

/* Who owns Nabat by `--owner` or /grant: told when the alert chat can't be written to. */
typedef void owners_fn(void *ctx, const int64_t *ids, size_t count, const struct err *err);
void store_owners_list(struct pg *pg, owners_fn *done, void *ctx);

#endif
