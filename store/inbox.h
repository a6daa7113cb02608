/* inbox.h -- events that came by SQL INSERT and wait to be taken through the pipeline. */
#ifndef NABAT_STORE_INBOX_H
#define NABAT_STORE_INBOX_H

#include "store/pg.h"

struct inbox_row {
    int64_t id;
    int64_t received_ms;
    int32_t project_id;
    bool is_import;
    const char *body; /* JSON; BORROWED until done returns */
};
/* At most INBOX_ROWS_MAX rows, oldest first. */
typedef void inbox_done_fn(void *ctx, const struct inbox_row *rows, size_t count,
                           const struct err *err);
void store_inbox_read(struct pg *pg, inbox_done_fn *done, void *ctx);

/* Rows that are stored leave; rows that are no events move to event_inbox_failed with a reason.
 * `failed` may be NULL when failed_count is 0. */
typedef void inbox_left_fn(void *ctx, const struct err *err);
void store_inbox_remove(struct pg *pg, const int64_t *ids, size_t count, const int64_t *failed,
                        size_t failed_count, const char *why, inbox_left_fn *done, void *ctx);

#endif
