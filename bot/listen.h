/* listen.h -- how updates come: by long polling, or by a webhook that is registered and watched.
 *
 * Only while this instance holds the lease. A webhook that is not ours, or 409s for 60 s, lead to
 * send-only: alerts still ring, and it is tried again every 5 min. Switching either way loses nothing:
 * Telegram keeps what it could not deliver for 24 h. */
#ifndef NABAT_BOT_LISTEN_H
#define NABAT_BOT_LISTEN_H

#include "bot/intake.h"
#include "bot/webhook.h"
#include "core/settings.h"
#include "store/lease.h"

struct listen;

struct listen_config {
    const char *webhook_url;    /* TELEGRAM_WEBHOOK_URL, NULL: long polling */
    const char *webhook_secret; /* NULL: random, kept in the database */
    const struct id_list *owners;
};

/* All BORROWED. `webhook` gets its secret once it is known. */
struct listen *listen_new(struct ev_loop *loop, struct pg *pg, struct telegram *telegram,
                          struct lease *lease, struct bot *bot, struct intake *intake,
                          struct webhook *webhook, const struct listen_config *config);
void listen_free(struct listen *listen);
void listen_stop(struct listen *listen);

enum listen_state {
    LISTEN_STARTING,
    LISTEN_RUNNING,
    LISTEN_SEND_ONLY, /* why: listen_trouble */
    LISTEN_FAILING,   /* no answer, the token is refused, or the webhook has trouble */
    LISTEN_RESTING,   /* another instance listens */
};
enum listen_state listen_state(const struct listen *listen);
const char *listen_trouble(const struct listen *listen); /* BORROWED; "" when all is well */

#endif
