/* inbox_drain.h -- events that came by SQL INSERT go through the same pipeline as HTTP. */
#ifndef NABAT_API_INBOX_DRAIN_H
#define NABAT_API_INBOX_DRAIN_H

#include "api/ingest_routes.h"
#include "store/lease.h"

struct inbox_drain;

/* Looks every 500 ms while this instance holds the lease. All BORROWED. */
struct inbox_drain *api_inbox_drain_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                                        struct ingest *ingest);
void api_inbox_drain_free(struct inbox_drain *drain);

#endif
