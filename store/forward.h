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
/* They are there, or will never be. */
void store_forward_remove(struct pg *pg, const int64_t *ids, size_t count, pg_outcome_fn *done,
                          void *ctx);

#endif
