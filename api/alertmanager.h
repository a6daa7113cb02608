/* alertmanager.h -- POST /api/alertmanager: Prometheus' Alertmanager as a producer (docs/monitoring.md). */
#ifndef NABAT_API_ALERTMANAGER_H
#define NABAT_API_ALERTMANAGER_H

#include "api/intake.h"

/* http_handler_fn with a struct ingest as ctx. */
void api_alertmanager(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
