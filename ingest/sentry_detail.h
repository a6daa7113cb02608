/* sentry_detail.h -- what no column shows: source lines around each frame and local variables.
 *
 * Two pieces of JSON of our own. The source is the same for all events of a stack, and stored once with it:
 * {"exceptions":[{"type","frames":[{"where","in_app","pre":[…],"line","post":[…]}]}],"modules":{…}}, frames as they were
 * called, the innermost last. The detail is the event's, compressed with zstd: {"vars":[[{…},null,…],…]}, a list for each
 * exception, in it what belongs to each frame. Events from before 012_shared.sql have all of it in the detail. */
#ifndef NABAT_INGEST_SENTRY_DETAIL_H
#define NABAT_INGEST_SENTRY_DETAIL_H

#include "core/buf.h"
#include "core/event.h"
#include "ingest/sentry_stack.h"

/* Fills event->source and event->detail, or leaves them empty when there is nothing to tell. False: the arena is full. */
bool sentry_detail_make(const struct json_value *root, const struct sentry_stack *stack,
                        struct arena *arena, struct event *event);

/* Reads them back, as text for people: frames with source and variables. Either may be NULL. False: not such pieces. */
bool sentry_detail_text(const void *detail, size_t detail_len, const char *source, struct buf *out);

#endif
