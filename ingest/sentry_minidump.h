/* sentry_minidump.h -- a crash that arrives as a minidump: an event made of its headers.
 *
 * Read of it: who crashed where, from the streams of Microsoft's MINIDUMP_HEADER: exception (6)
 * and modules (4). Never trusted: every offset is checked against the bytes. */
#ifndef NABAT_INGEST_SENTRY_MINIDUMP_H
#define NABAT_INGEST_SENTRY_MINIDUMP_H

#include "ingest/sentry_event.h"

/* False: the arena is full. What can't be read is left out: a dump of garbage is an event too. */
bool sentry_minidump_event(const char *bytes, size_t len, const char *file_name,
                           const struct sentry_config *config, const char *event_id,
                           struct arena *arena, struct event *event);

#endif
