/* sentry_detail.h -- what no column shows: source lines around each frame and local variables.
 *
 * Kept as JSON of our own, compressed with zstd, in event.detail:
 * {"exceptions":[{"type","value","frames":[{"where","in_app","pre":[…],"line","post":[…],"vars":{…}}]}],
 *  "modules":{…}}, frames as they were called, the innermost last. */
#ifndef NABAT_INGEST_SENTRY_DETAIL_H
#define NABAT_INGEST_SENTRY_DETAIL_H

#include "core/buf.h"
#include "core/event.h"
#include "ingest/sentry_stack.h"

/* Fills event->detail, or leaves it empty when there is nothing to tell. False: the arena is full. */
bool sentry_detail_make(const struct json_value *root, const struct sentry_stack *stack,
                        struct arena *arena, struct event *event);

/* Reads it back, as text for people: frames with source and variables. False: not such bytes. */
bool sentry_detail_text(const void *bytes, size_t len, struct buf *out);

#endif
