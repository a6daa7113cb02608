/* health.h -- /health/live, /health/ready, /health by part, and /metrics. */
#ifndef NABAT_API_HEALTH_H
#define NABAT_API_HEALTH_H

#include "net/http_server.h"

enum health_grade { HEALTH_OK, HEALTH_DEGRADED, HEALTH_UNHEALTHY };

/* One part of the service says how it is; `detail` "" when all is well. */
typedef enum health_grade health_part_fn(void *ctx, char *detail, size_t detail_size);
struct health_part {
    const char *name;
    health_part_fn *check;
    void *ctx;
    bool
        decides_readiness; /* unhealthy means: no events can be taken; that makes the whole unhealthy,
                               anything else in any part degraded at the most */
};

struct health {
    const struct health_part *parts; /* BORROWED */
    size_t count;
    const char *metrics_token; /* NULL: loopback only */
};

/* Details, metrics and statistics are for loopback and for those who know METRICS_TOKEN. */
bool health_may_see(const struct health *health, const struct http_request *request);

/* http_handler_fn with a struct health as ctx. */
void api_health_live(void *ctx, const struct http_request *request, struct http_reply *reply);
void api_health_ready(void *ctx, const struct http_request *request, struct http_reply *reply);
void api_health(void *ctx, const struct http_request *request, struct http_reply *reply);
void api_metrics(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
