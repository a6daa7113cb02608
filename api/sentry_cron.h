/* sentry_cron.h -- a check-in by URL: /api/{project}/cron/{slug}/{key}?status=ok, as curl sends it. */
#ifndef NABAT_API_SENTRY_CRON_H
#define NABAT_API_SENTRY_CRON_H

#include "api/sentry_path.h"
#include "ingest/sentry.h"
#include "net/http_server.h"

/* A JSON body (len 0: none) may say more, also the schedule; the query beats it. INPUT: a slug that
 * nothing is left of, or a body that is no JSON object. */
bool sentry_cron_read(const struct http_request *request, const struct sentry_path *path,
                      const char *body, size_t len, const struct sentry_config *config,
                      struct arena *arena, struct sentry_batch *batch, struct err *err);

#endif
