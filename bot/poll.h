/* poll.h -- updates by long polling: stored, then handled one after another.
 *
 * Only while this instance holds the lease. A webhook that is not ours, or 409s for 60 s, lead to
 * send-only: alerts still ring, and it is tried again every 5 min. */
#ifndef NABAT_BOT_POLL_H
#define NABAT_BOT_POLL_H

#include "bot/talk.h"
#include "store/lease.h"

struct poll;

struct poll *poll_new(struct ev_loop *loop, struct pg *pg, struct telegram *telegram,
                      struct lease *lease, struct bot *bot);
void poll_free(struct poll *poll);
void poll_stop(struct poll *poll);

enum poll_state {
    POLL_STARTING,
    POLL_RUNNING,
    POLL_SEND_ONLY, /* why: poll_trouble */
    POLL_FAILING,   /* no answer, or the token is refused */
    POLL_RESTING,   /* another instance polls */
};
enum poll_state poll_state(const struct poll *poll);
const char *poll_trouble(const struct poll *poll); /* BORROWED; "" when all is well */

#endif
