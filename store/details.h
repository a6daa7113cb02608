/* details.h -- events of a group: the last ones in short, and everything about the newest. */
#ifndef NABAT_STORE_DETAILS_H
#define NABAT_STORE_DETAILS_H

#include "store/pg.h"

/* BORROWED until done returns. */
struct details {
    const char *head;   /* which event, message, stack */
    const char *tail;   /* payload, tags, breadcrumbs, files, what users said */
    const void *detail; /* ingest/sentry_detail.h reads it, and the next; NULL: none */
    size_t detail_len;
    const char *source;
};

/* `details` NULL: no event is left. */
typedef void details_done_fn(void *ctx, const struct details *details, const struct err *err);
void store_details_get(struct pg *pg, int64_t group_id, details_done_fn *done, void *ctx);

/* One of the last events of a group; NULL: it has none. BORROWED until done returns. */
struct event_brief {
    int64_t received_ms;
    const char *event_id;
    const char *message;
    const char *user_id;
    const char *gen_request_id;
    const char *release;
};
typedef void events_fn(void *ctx, const struct event_brief *events, size_t count, bool more,
                       const struct err *err);
/* Newest first, what was merged into the group included; at most EVENTS_LISTED_MAX. */
void store_events_list(struct pg *pg, int64_t group_id, int64_t offset, events_fn *done, void *ctx);

#endif
