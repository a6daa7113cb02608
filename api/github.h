/* github.h -- GitHub's webhook: deployment_status, issues, ping. Signed (X-Hub-Signature-256) with GITHUB_WEBHOOK_SECRET, else it is
 * refused: docs.github.com, "Validating webhook deliveries". */
#ifndef NABAT_API_GITHUB_H
#define NABAT_API_GITHUB_H

#include "api/intake.h"

/* All BORROWED. */
struct github_api {
    const struct ingest *ingest;
    const char *secret; /* NULL: no webhook is believed */
};

/* http_handler_fn with a struct github_api as ctx. */
void api_github(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
