/* stats_routes.h -- GET /api/stats: numbers of a period, and their chart; GET /api/report: a day or a week. For loopback and whoever
 * has METRICS_TOKEN: the keys of projects are public. */
#ifndef NABAT_API_STATS_ROUTES_H
#define NABAT_API_STATS_ROUTES_H

#include "alerts/words.h"
#include "api/health.h"
#include "store/pg.h"

/* All BORROWED. */
struct stats_api {
    struct ev_loop *loop;
    struct pg *pg; /* NULL until the database was seen for the first time */
    const struct health *health;
    enum language language; /* where ?language= names none */
};

/* http_handler_fn with a struct stats_api as ctx. */
void api_stats(void *ctx, const struct http_request *request, struct http_reply *reply);
void api_report(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
