/* delivery.h -- what was decided goes into the chats: alerts, digests, edits of cards, each chat at its
 * own pace.
 *
 * A lane a chat, one thing at a time in each: what one chat does waits for nothing in another. Only
 * while this instance holds the lease. */
#ifndef NABAT_ALERTS_DELIVERY_H
#define NABAT_ALERTS_DELIVERY_H

#include "alerts/card.h"
#include "alerts/channel_send.h"
#include "alerts/chat.h"
#include "alerts/pacing.h"
#include "store/lease.h"
#include "store/outbox.h"

struct delivery;

struct delivery_config {
    int64_t chat_id; /* the alert chat; 0: none */
    int64_t thread_id;
    enum language language; /* where the chat chose none */
    enum topics topics;
    struct card_links links;
};
struct delivery_events {
    void (*moved)(void *ctx, int64_t chat_id);       /* the alert chat became another one */
    void (*refused)(void *ctx, const char *trouble); /* the alert chat can't be written to */
    /* How long no call of the Bot API was answered, probes included, in milliseconds. */
    int64_t (*silent_ms)(void *ctx);
    /* Whether errors may be shown in a chat that is not the alert chat; `done` runs exactly once. */
    void (*may_show)(void *ctx, int64_t chat_id, void (*done)(void *ctx, bool may), void *done_ctx);
    void *ctx;
};

/* `pg`, `chat`, `pacer` and `channels` are BORROWED. */
struct delivery *delivery_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct chat *chat, struct pacer *pacer, struct channels *channels,
                              const struct delivery_config *config,
                              const struct delivery_events *events);
void delivery_free(struct delivery *delivery);
void delivery_poke(struct delivery *delivery);
/* The lease was won: what an older holder left in 'sending' is uncertain. */
void delivery_recover(struct delivery *delivery);
/* While it is not yet known which chat alerts go to, nothing is sent. */
void delivery_hold(struct delivery *delivery, bool hold);
/* The alert chat is another one now: what waits for the one of before goes there. */
void delivery_set_chat(struct delivery *delivery, int64_t chat_id);
/* The group became a supergroup, as Telegram says: alerts follow. */
void delivery_move_chat(struct delivery *delivery, int64_t from, int64_t to);
/* It can be written to again: tried at once. */
void delivery_chat_is_back(struct delivery *delivery, int64_t chat_id);
/* Starts nothing new; `done` runs once what is under way has ended, or after 8 s. */
void delivery_stop(struct delivery *delivery, void (*done)(void *ctx), void *ctx);

struct delivery_state {
    bool waiting_for_chat; /* the alert chat can't be written to, or does not answer */
    char trouble[ERR_TEXT_BYTES_MAX];
    int64_t waiting;  /* alerts in the outbox */
    int64_t oldest_s; /* how long the oldest of them waits */
    bool is_out;      /* critical alerts ring elsewhere, too: the alert chat can't be reached */
    char topics_trouble[ERR_TEXT_BYTES_MAX]; /* why there are no topics of their own; "" */
};
const struct delivery_state *delivery_state(const struct delivery *delivery);

#endif
