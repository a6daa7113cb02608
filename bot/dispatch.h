/* dispatch.h -- stored updates are handled: in order within a chat, several chats side by side.
 *
 * Only while this instance holds the lease. */
#ifndef NABAT_BOT_DISPATCH_H
#define NABAT_BOT_DISPATCH_H

#include "bot/intake.h"
#include "store/lease.h"

struct dispatch;

/* All BORROWED. */
struct dispatch *dispatch_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct bot *bot, const struct intake *intake, int64_t bot_id);
void dispatch_free(struct dispatch *dispatch);
/* There may be new updates: looks at once instead of within half a second. */
void dispatch_poke(struct dispatch *dispatch);
/* Takes nothing new; talks under way go on. */
void dispatch_stop(struct dispatch *dispatch);
/* The connection is gone for good: what ends from now on is not written down. */
void dispatch_abandon(struct dispatch *dispatch);

#endif
