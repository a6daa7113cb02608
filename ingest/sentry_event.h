/* sentry_event.h -- one event payload of a Sentry SDK into one event.
 *
 * Nothing in an event can make it be refused: a field in a shape that nobody knows reads as empty
 * and is counted. Shapes: docs/sentry.md. */
#ifndef NABAT_INGEST_SENTRY_EVENT_H
#define NABAT_INGEST_SENTRY_EVENT_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"
#include "ingest/json_reader.h"
#include "ingest/scrub.h"

struct sentry_config {
    const struct scrub *scrub;
    enum severity unhandled; /* SENTRY_UNHANDLED_SEVERITY */
    int32_t project_id;
    int64_t now_ms;
    const char *address; /* of the client, for {{auto}}; NULL: not known */
    bool keeps_original; /* for SENTRY_DSN */
};

struct sentry_notes {
    int scrubbed;
    int unreadable; /* fields that read as empty */
    int trimmed;    /* events made to fit */
};

/* `root` is an object in `scratch`, changed in place (scrubbed, trimmed); what the event points to
 * lives in `arena`. `event_id` ("" or 32 hex) beats the payload's. False: LIMIT, the arena is full. */
bool sentry_event_read(struct json_value *root, const struct sentry_config *config,
                       const char *event_id, struct arena *scratch, struct arena *arena,
                       struct sentry_notes *notes, struct event *event, struct err *err);

/* A title of its first line, cut. NULL: nothing to show. */
const char *sentry_title(const char *text, struct arena *arena);

#endif
