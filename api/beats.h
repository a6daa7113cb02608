/* beats.h -- GET or POST /beat/<key>[/start|/fail]: a job says that it lives, by nothing but an address; it is a check-in of its
 * monitor. */
#ifndef NABAT_API_BEATS_H
#define NABAT_API_BEATS_H

#include "api/intake.h"

bool beat_path_matches(struct slice path);
/* http_handler_fn with a struct ingest as ctx. */
void api_beat(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
