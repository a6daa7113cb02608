/* companion.h -- what rides along with events: counts of sessions, and files of events stored before. */
#ifndef NABAT_STORE_COMPANION_H
#define NABAT_STORE_COMPANION_H

#include "core/feedback.h"
#include "store/pg.h"

/* Adds the statement that counts; nothing for an empty list. */
void store_sessions_add(struct pg_batch *batch, int32_t project_id,
                        const struct session_count *list);
/* Adds the statement that keeps files of an event that is in the store already (or not: then they
 * go with today's). At most `count_max` files an event. */
void store_attachments_add(struct pg_batch *batch, int32_t project_id, const char *event_id,
                           const struct attachment *list, int count_max);

#endif
