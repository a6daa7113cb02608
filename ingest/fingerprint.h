/* fingerprint.h -- the grouping key of an event: same error, same key; docs/grouping.md says why.
 *
 * An explicit fingerprint alone ({{ default }} expanded); else exception type and in-app frames of
 * the stack text; else origin, handler, exception type and the parametrised message. Environment,
 * release, severity, line numbers and addresses never. */
#ifndef NABAT_INGEST_FINGERPRINT_H
#define NABAT_INGEST_FINGERPRINT_H

#include "core/event.h"
#include "ingest/stack.h"

struct fingerprint_parts {
    const char *const *parts; /* NULL: none given */
    size_t count;
};

/* One exception of a chain; what was raised comes first, then its cause, … */
struct fingerprint_link {
    const char *type; /* NULL: it says nothing (synthetic) */
    const char *value;
    const struct stack_frame *frames; /* innermost first, cleaned */
    size_t frames_count;
};

struct fingerprint_input {
    const struct fingerprint_link *links;
    size_t links_count;
    const char *value; /* exception's value, else the message (its template); NULL: none */
    bool is_group; /* the first link is an exception group, the others its members, in any order */
    bool message_counts; /* beside the frames: a message that brought its stack along */
    struct fingerprint_parts given;
};

/* Fills event->fingerprint; uses its project_id, origin, handler and exception_type.
 * `culprit_frame` (at least 340 bytes) gets "function in file" of the innermost in-app frame, or
 * "". */
void fingerprint_make(struct event *event, const struct fingerprint_input *in, char *culprit_frame,
                      size_t size);

/* The same for an event whose stack is text. `value` is the exception's value (NULL: none).  */
void fingerprint_event(struct event *event, const char *value,
                       const struct fingerprint_parts *given, char *culprit_frame, size_t size);

#endif
