/* session_seen.h -- which updates of a session were counted already.
 *
 * An SDK sends a session's status and number of errors with every update, again when the session
 * ends, and once more when it tries again. The memory is bounded and ends with the process: what it
 * forgot counts twice, never not at all. */
#ifndef NABAT_API_SESSION_SEEN_H
#define NABAT_API_SESSION_SEEN_H

#include "core/feedback.h"

struct session_seen;

struct session_seen *session_seen_new(void);
void session_seen_free(struct session_seen *seen);
/* Takes out of each update what an earlier one of the same session said. Sums stay as they are. */
void session_seen_sift(struct session_seen *seen, int32_t project_id, struct session_count *list);
/* They were not stored after all: whoever sends them again is heard. */
void session_seen_forget(struct session_seen *seen, int32_t project_id,
                         const struct session_count *list);

#endif
