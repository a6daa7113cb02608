/* monitors.h -- cron jobs that promised to check in: taken, watched, and said when they don't.
 *
 * A check-in is stored with what follows from it in one transaction; failures become events through
 * event_inbox, so that they are grouped and ring like every other. */
#ifndef NABAT_MONITORS_MONITORS_H
#define NABAT_MONITORS_MONITORS_H

#include "core/checkin.h"
#include "store/lease.h"
#include "store/pg.h"

#include <ev.h>

struct monitors;

/* All BORROWED. Missed check-ins and timeouts are looked for while the lease is held. */
struct monitors *monitors_new(struct ev_loop *loop, struct pg *pg, struct lease *lease);
void monitors_free(struct monitors *monitors);

/* `err` NULL: all are kept. A check-in of a monitor that nobody configured is refused and counted,
 * not an error. */
typedef void monitors_done_fn(void *ctx, const struct err *err);
/* `list` is BORROWED until `done`, which runs exactly once, from the loop. */
void monitors_take(struct monitors *monitors, int32_t project_id, const struct checkin *list,
                   monitors_done_fn *done, void *ctx);

#endif
