/* roles.h -- who may what (CONTRACT section 5): viewer, triage, owner. */
#ifndef NABAT_BOT_ROLES_H
#define NABAT_BOT_ROLES_H

#include "core/settings.h"
#include "net/telegram.h"
#include "store/pg.h"

#include <ev.h>

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_TRIAGE, ROLE_OWNER };
/* "viewer", "triage", "owner"; NULL for none. */
const char *role_name(enum role role);
enum role role_of_name(const char *name); /* NULL, or another word: ROLE_NONE */

struct roles;

struct roles_config {
    int64_t alert_chat_id;
    const struct id_list *owners; /* ERROR_ADMIN_IDS; BORROWED */
    int64_t console_user_id;      /* 0: no console; else that one is an owner */
};

/* `telegram` may be NULL (console). All BORROWED. */
struct roles *roles_new(struct pg *pg, struct telegram *telegram,
                        const struct roles_config *config);
void roles_free(struct roles *roles);
void roles_set_chat(struct roles *roles, int64_t chat_id);
/* The chats that rules send alerts to: speaking there is membership too. At most ALERT_RULES_MAX. */
void roles_set_places(struct roles *roles, const int64_t *chat_ids, size_t count);
/* The alert chat, or one that a rule sends to. */
bool roles_is_place(const struct roles *roles, int64_t chat_id);

typedef void role_done_fn(void *ctx, enum role role);
/* `chat_id`: where the person speaks; `user_id` 0 is an anonymous administrator. Membership is asked
 * of Telegram and remembered for 10 min; when it can't be asked, the answer is ROLE_NONE. */
void roles_check(struct roles *roles, int64_t user_id, int64_t chat_id, role_done_fn *done,
                 void *ctx);
/* Whether anybody at all is named as an owner (in the settings; what --owner named is in the database). */
bool roles_has_owner(const struct roles *roles);
/* True at most once an hour for a stranger, and for STRANGERS_TOLD_PER_MINUTE of them all together: then
 * one polite line is due. */
bool roles_may_tell_stranger(struct roles *roles, int64_t user_id);

struct roles_person {
    int64_t user_id;
    char name[64];
};
/* Whom an error can be given to: `self` first, then the alert chat's administrators and whoever was let
 * in or met. Asked anew at most once a minute. */
typedef void roles_list_fn(void *ctx, const struct roles_person *people, size_t count);
void roles_list(struct roles *roles, const struct roles_person *self, roles_list_fn *done,
                void *ctx);

#endif
