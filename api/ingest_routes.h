/* ingest_routes.h -- POST /api/events: key, body, events, writer, answer. */
#ifndef NABAT_API_INGEST_ROUTES_H
#define NABAT_API_INGEST_ROUTES_H

#include "ingest/scrub.h"
#include "net/http_server.h"
#include "store/project.h"
#include "store/writer.h"

/* What the ingest routes and the inbox need; all BORROWED. */
struct ingest {
    struct projects *projects;
    struct writer *writer; /* NULL until the database was seen for the first time */
    const struct scrub *scrub;
};

/* http_handler_fn with a struct ingest as ctx. */
void api_events(void *ctx, const struct http_request *request, struct http_reply *reply);

#endif
