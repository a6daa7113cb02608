/* sentry_routes.h -- the endpoints of Sentry SDKs: one handler for all of sentry_path.h. */
#ifndef NABAT_API_SENTRY_ROUTES_H
#define NABAT_API_SENTRY_ROUTES_H

#include "api/intake.h"
#include "core/buf.h"

/* http_handler_fn with a struct ingest as ctx; the route's match is sentry_path_matches. */
void api_sentry(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
