/* details.h -- everything about the newest event of a group, for the file behind the Stack button. */
#ifndef NABAT_STORE_DETAILS_H
#define NABAT_STORE_DETAILS_H

#include "store/pg.h"

/* BORROWED until done returns. */
struct details {
    const char *head;   /* which event, message, stack */
    const char *tail;   /* payload, tags, breadcrumbs, files, what users said */
    const void *detail; /* ingest/sentry_detail.h reads it; NULL: none */
    size_t detail_len;
};

/* `details` NULL: no event is left. */
typedef void details_done_fn(void *ctx, const struct details *details, const struct err *err);
void store_details_get(struct pg *pg, int64_t group_id, details_done_fn *done, void *ctx);

#endif
