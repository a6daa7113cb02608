/* intake.h -- updates on their way into the database, whatever brought them.
 *
 * What is acknowledged is stored first. While the database is away a press is answered all the same: it
 * is told that nothing was done, and then nothing is done. */
#ifndef NABAT_BOT_INTAKE_H
#define NABAT_BOT_INTAKE_H

#include "bot/talk.h"

struct intake;

/* All BORROWED. `stored` runs when there is something for the dispatcher. */
struct intake *intake_new(struct ev_loop *loop, struct pg *pg, struct bot *bot, int64_t bot_id,
                          void (*stored)(void *ctx), void *ctx);
void intake_free(struct intake *intake);

/* `updates`: a JSON array, BORROWED, at most TG_UPDATES_MAX. `done` runs exactly once; on an error
 * nothing may be acknowledged, but updates for which intake_was_told() is true need not come again. */
typedef void intake_done_fn(void *ctx, const struct err *err);
void intake_add(struct intake *intake, const json_t *updates, intake_done_fn *done, void *ctx);
/* The database is known to be away: presses among them are answered at once. */
void intake_tell_away(struct intake *intake, const json_t *updates);
/* That press was told "nothing was changed": it is not to be carried out later. */
bool intake_was_told(const struct intake *intake, int64_t update_id);

#endif
