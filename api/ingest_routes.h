/* ingest_routes.h -- POST /api/events: key, body, events, writer, answer. */
#ifndef NABAT_API_INGEST_ROUTES_H
#define NABAT_API_INGEST_ROUTES_H

#include "api/intake.h"

/* http_handler_fn with a struct ingest as ctx. */
void api_events(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
