/* forward.h -- events on to another Sentry (SENTRY_DSN), from the database's queue, beside everything else.
 *
 * The holder of the lease reads the oldest rows, sends each as an envelope and removes those that were taken. What is sent twice
 * after a crash is known there by its event id. Nothing here delays ingest: rows are written with their batch. */
#ifndef NABAT_FORWARD_FORWARD_H
#define NABAT_FORWARD_FORWARD_H

#include "forward/judge.h"
#include "net/http_client.h"
#include "store/lease.h"
#include "store/project.h"

struct forward;

/* All are BORROWED; the target is copied. */
struct forward *forward_new(struct ev_loop *loop, struct http_client *http, struct pg *pg,
                            struct lease *lease, const struct projects *projects,
                            const struct forward_target *target);
void forward_free(struct forward *forward);
/* "" when all is well; else why events wait. BORROWED. */
const char *forward_trouble(const struct forward *forward);

#endif
