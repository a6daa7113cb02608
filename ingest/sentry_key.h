/* sentry_key.h -- the grouping key of a Sentry event, from its structured frames. */
#ifndef NABAT_INGEST_SENTRY_KEY_H
#define NABAT_INGEST_SENTRY_KEY_H

#include "core/event.h"
#include "ingest/sentry_stack.h"

enum { SENTRY_CULPRIT_BYTES = 2 * FRAME_TEXT_BYTES + 20 };

/* Fills event->fingerprint; `culprit` gets "function in file" of the innermost in-app frame, or "".
 * `value`: the exception's value or the message's template; may be NULL. */
void sentry_key(const struct json_value *root, const struct sentry_stack *stack, const char *value,
                struct arena *scratch, char *culprit, size_t size, struct event *event);

/* One frame cleaned for comparison and for people: no directories, hashes, generated counters. */
void sentry_key_frame(enum sentry_platform platform, const struct sentry_frame *in,
                      struct stack_frame *out);

#endif
