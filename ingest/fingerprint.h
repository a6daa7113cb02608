/* fingerprint.h -- the grouping key of an event: same error, same key; docs/grouping.md says why.
 *
 * An explicit fingerprint alone ({{ default }} expanded); else exception type and in-app frames of
 * the stack text; else origin, handler, exception type and the parametrised message. Environment,
 * release, severity, line numbers and addresses never. */
#ifndef NABAT_INGEST_FINGERPRINT_H
#define NABAT_INGEST_FINGERPRINT_H

#include "core/event.h"

struct fingerprint_parts {
    const char *const *parts; /* NULL: none given */
    size_t count;
};

/* Fills event->fingerprint. `value` is the exception's value (NULL: none). `culprit_frame` (at
 * least 340 bytes) gets "function in file" of the innermost in-app frame, or "". */
void fingerprint_event(struct event *event, const char *value,
                       const struct fingerprint_parts *given, char *culprit_frame, size_t size);

#endif
