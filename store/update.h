/* update.h -- Telegram updates, stored before Telegram is told that we have them. */
#ifndef NABAT_STORE_UPDATE_H
#define NABAT_STORE_UPDATE_H

#include "store/pg.h"

struct update_row {
    int64_t update_id;
    const char *body; /* JSON; BORROWED until done returns */
};

/* Stores what is new; repeats of the last 48 h are dropped. Committed once `done` runs. */
typedef void updates_added_fn(void *ctx, const struct err *err);
void store_updates_add(struct pg *pg, int64_t bot_id, const struct update_row *rows, size_t count,
                       updates_added_fn *done, void *ctx);

/* Takes up to `limit` unhandled updates in hand, in the order they came: each goes to one holder once
 * (`taken_by` names holder and epoch), and what an ended holder left goes to the next one. */
typedef void updates_taken_fn(void *ctx, const struct update_row *rows, size_t count,
                              const struct err *err);
void store_updates_take(struct pg *pg, int64_t bot_id, const char *taken_by, int64_t limit,
                        updates_taken_fn *done, void *ctx);
/* After a take whose answer was lost: what is marked as ours and not in hand may be taken again. */
void store_updates_release(struct pg *pg, int64_t bot_id, const char *taken_by,
                           const int64_t *in_hand, size_t count, updates_added_fn *done, void *ctx);
/* Handled: its text is forgotten, its id is kept to know a repeat by. Until `done` says so without an
 * error it may be handed out again after a restart: the caller tries again. */
void store_update_handled(struct pg *pg, int64_t bot_id, int64_t update_id, updates_added_fn *done,
                          void *ctx);

#endif
