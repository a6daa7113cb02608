/* deploys.h -- who tells of deploys: POST /api/deploys, Railway's webhook, GitHub's. None of them is spooled: while the database
 * is away they are answered 503, and whoever told tells again. */
#ifndef NABAT_API_DEPLOYS_H
#define NABAT_API_DEPLOYS_H

#include "api/intake.h"
#include "core/deploy.h"

#include <jansson.h>

/* http_handler_fn with a struct ingest as ctx. */
void api_deploys(void *ctx, const struct http_request *request, struct http_reply *reply);
void api_railway(void *ctx, const struct http_request *request, struct http_reply *reply);

/* Stores it and answers; `deploy` is BORROWED for the call. */
void api_deploy_store(const struct ingest *in, const struct deploy *deploy,
                      struct http_reply *reply);
/* The body of our own JSON routes, inflated and read. NULL: the refusal is sent. The caller json_decref's it. */
json_t *api_json_body(const struct http_request *request, struct http_reply *reply);

#endif
