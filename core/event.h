/* event.h -- the one struct everybody speaks: an error event, and the words for severity and status. */
#ifndef NABAT_CORE_EVENT_H
#define NABAT_CORE_EVENT_H

#include "core/feedback.h"
#include "core/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum severity { SEV_DEBUG, SEV_INFO, SEV_WARNING, SEV_ERROR, SEV_CRITICAL };
enum { SEVERITIES = 5 };
enum group_status { STATUS_NEW, STATUS_IN_PROGRESS, STATUS_RESOLVED };
enum { STATUSES = 3 };

enum { FINGERPRINT_BYTES = 33 };

/* All text is clean UTF-8 (core/utf8.h), NUL-terminated, owned by the arena of the request; NULL is
 * "not given". payload, tags and breadcrumbs are JSON text that PostgreSQL's jsonb accepts. */
struct event {
    char event_id[RANDOM_HEX_BYTES];
    char fingerprint[FINGERPRINT_BYTES]; /* grouping key, 32 hex, of project and content */
    int64_t id;                          /* 0: from the sequence; an inbox row brings its own */
    int64_t occurred_ms;                 /* Unix time, milliseconds */
    int64_t received_ms;
    int32_t project_id;
    enum severity severity;
    enum group_status status;
    bool is_metered;      /* the writer has asked whether it is kept */
    bool is_counted_only; /* set by the writer: beyond GROUP_ROWS_PER_MINUTE no row was kept */
    bool is_import;       /* never rings; sets the state only of a group that it makes */
    bool has_chat_id;
    int64_t chat_id;
    const char *origin;
    const char *title;
    const char *culprit;
    const char *handler;
    const char *message;
    const char *exception_type;
    const char *stacktrace;
    const char *user_id;
    const char *gen_request_id;
    const char *request_id;
    const char *session_id;
    const char *trace_id;
    const char *environment;
    const char *release;
    const char *server_name;
    const char *payload;
    const char *tags;
    const char *breadcrumbs;
    const char *source; /* JSON: what all events of this stack share; see ingest/sentry_detail.h */
    const char
        *original; /* members of the JSON that an SDK sent, for SENTRY_DSN; see ingest/forward.h */
    const void *detail; /* variables of its frames; the same */
    size_t detail_len;
    const struct attachment *attachments; /* a list, in the same arena */
    size_t bytes;                         /* what it weighs in the writer's queue */
};

const char *severity_name(enum severity severity);
/* What its texts and bytes weigh together. */
size_t event_weight(const struct event *event);
/* Names and aliases of CONTRACT section 3, any case, and 10…50; false: unknown. */
bool severity_parse(const char *text, size_t len, enum severity *out);
const char *status_name(enum group_status status);
bool status_parse(const char *text, size_t len, enum group_status *out);

#endif
