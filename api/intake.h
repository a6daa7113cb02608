/* intake.h -- what every route that takes events shares: keys, rates, bodies. */
#ifndef NABAT_API_INTAKE_H
#define NABAT_API_INTAKE_H

#include "api/client.h"
#include "api/rate.h"
#include "core/buf.h"
#include "ingest/scrub.h"
#include "store/keeper.h"
#include "store/project.h"

struct monitors;
struct session_seen;

/* What the routes and the inbox need; all BORROWED. */
struct ingest {
    struct projects *projects;
    struct keeper *keeper;
    struct writer *writer; /* NULL until the database was seen for the first time */
    struct pg *pg;         /* for what rides along with events; NULL as long */
    struct monitors *monitors;
    const struct scrub *scrub;
    struct rate_table *rates;
    struct session_seen *sessions;
    struct proxies proxies;
    int64_t rate_per_address; /* a minute; 0: none */
    enum severity unhandled;
    size_t attachment_bytes_max;
    bool keeps_original; /* events go on to SENTRY_DSN */
};

/* The project of a key that may send now. NULL: *status and *why say what to answer (503 as long as no
 * key is known, 401 unknown, 403 disabled); no query is made. */
const struct project *intake_project(const struct ingest *in, const char *key, int *status,
                                     const char **why);
/* Seconds to wait, 0: go on. Counts `n` events against the key and, behind trusted proxies, the
 * address. */
int64_t intake_rate(const struct ingest *in, const struct project *project,
                    const struct http_request *request, int64_t n);

/* Who sends to our own routes, by Authorization: Bearer, X-Api-Key or ?key=; one event is counted. NULL: the refusal is
 * sent. */
const struct project *intake_sender(const struct ingest *in, const struct http_request *request,
                                    struct http_reply *reply);

/* The body as it was meant: `inflated` (the caller's, with its ceiling) holds it when it was
 * compressed. ERR_INPUT with status 415 or 400, ERR_LIMIT 413, ERR_RETRY 503. */
bool intake_body(const struct http_request *request, struct http_reply *reply, struct buf *inflated,
                 const char **body, size_t *len, int *status, struct err *err);

/* How they were kept, as headers: "X-Nabat-Spooled: 1", or "X-Nabat-Counted: n" when some of them left no
 * row; else "". */
enum { INTAKE_KEPT_BYTES = 64 };
const char *intake_kept(enum kept kept, const struct event *events, size_t count,
                        char out[INTAKE_KEPT_BYTES]);

#endif
