/* forward.h -- forward_queue: events on their way to SENTRY_DSN, oldest first. */
#ifndef NABAT_STORE_FORWARD_H
#define NABAT_STORE_FORWARD_H

#include "store/pg.h"

enum { FORWARD_ROWS_MAX = 16 };

struct forward_row {
    int64_t id;
    const char *event_id; /* BORROWED until done returns */
    const char *body;
    int64_t waited_ms;
};
/* At most FORWARD_ROWS_MAX rows. Before that, what is older than the newest FORWARD_QUEUE_ROWS_MAX goes: `dropped`. */
typedef void forward_rows_fn(void *ctx, const struct forward_row *rows, size_t count,
                             int64_t dropped, const struct err *err);
void store_forward_read(struct pg *pg, forward_rows_fn *done, void *ctx);
/* Those of `ids` are there, or will never be: they go. Each of `odd` failed while others were taken: it waits by itself, and after
 * FORWARD_TRIES_MAX times it goes, too: `given_up`. */
typedef void forward_end_fn(void *ctx, int64_t given_up, const struct err *err);
void store_forward_end(struct pg *pg, const int64_t *ids, size_t count, const int64_t *odd,
                       size_t odd_count, forward_end_fn *done, void *ctx);
/* None of a wave was taken, and it is not known whose fault that is: others have their turn first. */
void store_forward_turn(struct pg *pg, const int64_t *ids, size_t count, pg_outcome_fn *done,
                        void *ctx);

#endif
