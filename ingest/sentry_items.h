/* sentry_items.h -- envelope items beside events: check-ins, sessions, feedback, client reports. */
#ifndef NABAT_INGEST_SENTRY_ITEMS_H
#define NABAT_INGEST_SENTRY_ITEMS_H

#include "core/checkin.h"
#include "core/event.h"
#include "core/feedback.h"
#include "ingest/json_reader.h"

/* NULL: no slug, or nothing of it is left. `status` may be any word. */
struct checkin *sentry_checkin_read(const struct json_value *v, struct arena *arena);
/* "My Job #1" -> "my-job-1", at most 50 bytes; NULL: nothing left. */
const char *sentry_slug(const char *text, size_t len, struct arena *arena);
bool sentry_checkin_status(const char *text, size_t len, enum checkin_status *out);

/* An update of one session, or aggregates; NULL: counts nothing. A list. */
struct session_count *sentry_session_read(const struct json_value *v, int64_t now_ms,
                                          struct arena *arena);
struct session_count *sentry_sessions_read(const struct json_value *v, int64_t now_ms,
                                           struct arena *arena);

/* The item "feedback" (an event with contexts.feedback) and the older "user_report"; NULL: says
 * nothing. */
struct feedback *sentry_feedback_read(const struct json_value *v, struct arena *arena);
/* Makes an event of words that are about no error: title, message, a group of its own. */
void sentry_feedback_event(const struct feedback *feedback, struct event *event,
                           struct arena *arena);
struct feedback *sentry_user_report_read(const struct json_value *v, struct arena *arena);

/* What an SDK says that it threw away. */
struct sentry_discards {
    int64_t errors; /* lost against the user's will: queue full, network, rate limits */
    int64_t others; /* sampled, filtered, or no errors at all */
};
void sentry_client_report_read(const struct json_value *v, struct sentry_discards *discards);

#endif
