/* forward.h -- an event as another Sentry takes it (SENTRY_DSN). Pure.
 *
 * What an SDK sent goes on as it came, scrubbed, with tags added; everything else is written as an event of the protocol
 * (develop.sentry.dev, "Event Payloads"): level, logger (the origin), transaction (the handler), exception with frames,
 * user, tags, extra (the payload), breadcrumbs. */
#ifndef NABAT_INGEST_FORWARD_H
#define NABAT_INGEST_FORWARD_H

#include "core/buf.h"
#include "core/event.h"
#include "ingest/json_reader.h"

/* The members of an SDK's event that go on as they are: event->original. */
void forward_original(const struct json_value *root, struct buf *out);

/* False, and nothing written: it stays here. It was forwarded to us, it is a test of ours, history, or was only counted. */
bool forward_render(const struct event *event, struct buf *out);

#endif
