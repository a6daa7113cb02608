/* sentry_map.h -- what a Sentry event means as a BotErrorEvent: origin, severity, whose and where.
 *
 * docs/sentry.md lists the names that are looked for. */
#ifndef NABAT_INGEST_SENTRY_MAP_H
#define NABAT_INGEST_SENTRY_MAP_H

#include "core/event.h"
#include "ingest/sentry_stack.h"

/* Tag `origin`, else integration and mechanism, else the SDK. A slug of up to 64 bytes. */
const char *sentry_map_origin(const struct json_value *root, const struct sentry_stack *stack,
                              struct arena *arena);
/* CONTRACT section 6. `unhandled` is what an uncaught error on a server counts as. */
enum severity sentry_map_severity(const struct json_value *root, const struct sentry_stack *stack,
                                  enum severity unhandled);
/* handler, chat_id, user_id, gen_request_id, request_id, session_id, trace_id, environment,
 * release, server_name. */
void sentry_map_ids(const struct json_value *root, const struct sentry_stack *stack,
                    struct arena *arena, struct event *event);

#endif
