/* sentry.h -- a request of a Sentry SDK: an envelope, a store body or a minidump, cut into what it holds.
 *
 * Unknown items never fail; what Nabat does not keep (transactions, spans, replays, profiles,
 * metrics, logs) is counted. */
#ifndef NABAT_INGEST_SENTRY_H
#define NABAT_INGEST_SENTRY_H

#include "core/buf.h"
#include "ingest/sentry_event.h"
#include "ingest/sentry_items.h"

struct sentry_limits {
    size_t attachment_bytes_max; /* larger ones are counted, not kept */
};

/* Everything lives in the arena that it was read with. */
struct sentry_batch {
    struct event *events;
    size_t count;
    struct checkin *checkins;
    struct session_count *sessions;
    struct feedback *feedback;
    struct attachment *loose; /* files of an event that is not in this request: event_id's */
    struct sentry_discards discards;
    struct sentry_notes notes;
    size_t not_kept;                 /* items of kinds that Nabat does not keep */
    char event_id[RANDOM_HEX_BYTES]; /* for the answer; "": there was no event */
};

/* False: nothing of the request is to be stored. INPUT (400): it is not what it claims to be;
 * LIMIT (413). `bytes` are BORROWED for the call. */
bool sentry_read_envelope(const char *bytes, size_t len, const struct sentry_config *config,
                          const struct sentry_limits *limits, struct arena *arena,
                          struct sentry_batch *batch, struct err *err);
/* One event as JSON. */
bool sentry_read_event(const char *bytes, size_t len, const struct sentry_config *config,
                       struct arena *arena, struct sentry_batch *batch, struct err *err);
/* Reports that browsers send by themselves (POST /security/). */
bool sentry_read_security(const char *bytes, size_t len, const struct sentry_config *config,
                          struct arena *arena, struct sentry_batch *batch, struct err *err);

/* A name from a query or a form: clean, scrubbed as far as `reach`, cut to NAME_BYTES_MAX. NULL: it is
 * empty, or the arena is full. */
const char *sentry_name(const char *text, size_t len, enum scrub_reach reach,
                        const struct sentry_config *config, struct arena *arena,
                        struct sentry_notes *notes);

/* `dsn` of an envelope's header, as "<key>" and its project (0: none). False: none there. */
bool sentry_envelope_dsn(const char *bytes, size_t len, char key[64], int64_t *project_id);
/* Key and project of a DSN: scheme://key[:secret]@host[:port]/path/project. */
bool sentry_dsn_parse(const char *dsn, size_t len, char key[64], int64_t *project_id);

/* The older /store/ body: JSON, base64 of JSON, or base64 of deflated JSON (raven). What had to be
 * decoded is in `out`; *body and *len point to the JSON. ERR_INPUT or ERR_LIMIT. */
bool sentry_store_open(const char **body, size_t *len, struct buf *out, struct err *err);

#endif
