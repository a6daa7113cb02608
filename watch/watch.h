/* watch.h -- bots of ours that Nabat looks after (WATCH_BOT_TOKENS): getMe and getWebhookInfo alone, once a
 * minute, by the holder of the lease. Never getUpdates, setWebhook or deleteWebhook: those are theirs. */
#ifndef NABAT_WATCH_WATCH_H
#define NABAT_WATCH_WATCH_H

#include "core/err.h"
#include "net/http_client.h"
#include "store/lease.h"

#include <ev.h>

struct watch;

struct watch_config {
    const char *tokens;  /* comma separated; secrets */
    const char *api_url; /* Bot API server */
    bool is_russian;
};

/* Pure: false, with which of the tokens is none, without showing it. NULL and "" are fine. */
bool watch_check_tokens(const char *tokens, struct err *err);

/* The tokens have been checked. All BORROWED. */
struct watch *watch_new(struct ev_loop *loop, struct http_client *http, struct pg *pg,
                        struct lease *lease, const struct watch_config *config);
void watch_free(struct watch *watch);
/* The lease was won: what another holder knew is read, and everybody is looked at. */
void watch_begin(struct watch *watch);

/* How many are in trouble, for /health; `names` (may be NULL) gets them. */
size_t watch_troubles(const struct watch *watch, char *names, size_t size);

#endif
