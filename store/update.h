/* update.h -- Telegram updates, stored before Telegram is told that we have them. */
#ifndef NABAT_STORE_UPDATE_H
#define NABAT_STORE_UPDATE_H

#include "store/pg.h"

struct update_row {
    int64_t update_id;
    const char *body; /* JSON; BORROWED until done returns */
};
typedef void updates_done_fn(void *ctx, const struct update_row *rows, size_t count,
                             const struct err *err);

/* Stores what is new and gives back just that, in order; repeats of the last 48 h are dropped. */
void store_updates_add(struct pg *pg, int64_t bot_id, const struct update_row *rows, size_t count,
                       updates_done_fn *done, void *ctx);
/* Stored but never handled (a crash came between): the last hour's, each at most three times. */
void store_updates_unhandled(struct pg *pg, int64_t bot_id, updates_done_fn *done, void *ctx);
/* Handled: its body is forgotten. */
void store_update_handled(struct pg *pg, int64_t bot_id, int64_t update_id);

/* People named by `nabat --owner`. */
typedef void owner_done_fn(void *ctx, bool is_owner, const struct err *err);
void store_owner_check(struct pg *pg, int64_t user_id, owner_done_fn *done, void *ctx);

#endif
