/* feedback.h -- what users said, joined to its event, and the notes that go under a group's card. */
#ifndef NABAT_STORE_FEEDBACK_H
#define NABAT_STORE_FEEDBACK_H

#include "core/feedback.h"
#include "store/pg.h"

/* Adds the statements that keep the list; a repeat is one row. */
void store_feedback_add(struct pg_batch *batch, int32_t project_id, const struct feedback *list);

/* Joins feedback to groups whose events have come, makes notes of it, and queues notes of groups
 * in every chat that was alarmed about them: at most three a group in ten minutes. By the holder of the lease.
 * `queued`: how many messages wait now that did not before. */
typedef void notes_done_fn(void *ctx, int64_t queued, const struct err *err);
void store_notes_queue(struct pg *pg, notes_done_fn *done, void *ctx);

#endif
