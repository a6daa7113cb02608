/* channel_send.h -- the channels that there are, and posting to one. */
#ifndef NABAT_ALERTS_CHANNEL_SEND_H
#define NABAT_ALERTS_CHANNEL_SEND_H

#include "alerts/channel.h"
#include "net/http_client.h"

struct channels;

/* `http` and `pg` are BORROWED. Knows no channel before the first reload has ended. */
struct channels *channels_new(struct http_client *http, struct pg *pg);
void channels_free(struct channels *channels);
void channels_reload(struct channels *channels);

/* NULL: there is none, or it is switched off. BORROWED until the next reload. */
const struct channel *channels_find(const struct channels *channels, int64_t id);

/* The first reload has ended. */
bool channels_are_known(const struct channels *channels);
/* A channel of kind telegram is that chat. */
bool channels_has_chat(const struct channels *channels, int64_t chat_id);
/* The enabled one with the lowest fallback number that is no Telegram chat; 0: none. */
int64_t channels_first_fallback(const struct channels *channels);

/* Returns false, with why in `text`, when nothing was started: no such channel, or nothing to tell it
 * (then `text` is ""). Else `done` runs exactly once, from the loop, with what a chat's send would say;
 * message_id is the delivery's. */
bool channels_post(struct channels *channels, int64_t id, const struct channel_alert *alert,
                   chat_done_fn *done, void *ctx, const char **text);

#endif
