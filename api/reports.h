/* reports.h -- POST /api/reports: what people report in a product's own form; GET /api/reports?code=: how it stands. */
#ifndef NABAT_API_REPORTS_H
#define NABAT_API_REPORTS_H

#include "api/intake.h"

/* http_handler_fn with a struct ingest as ctx. */
void api_reports(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
