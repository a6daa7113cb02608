/* delivery.h -- what was decided goes into the chat: alerts, then edits of cards, at the chat's pace.
 *
 * One thing at a time; only while this instance holds the lease. */
#ifndef NABAT_ALERTS_DELIVERY_H
#define NABAT_ALERTS_DELIVERY_H

#include "alerts/card.h"
#include "alerts/chat.h"
#include "alerts/pacing.h"
#include "store/lease.h"
#include "store/outbox.h"

struct delivery;

/* One lane: what it does waits for nothing in another. */
struct delivery_config {
    enum card_place place; /* alerts go to the alert chat; elsewhere there are only cards to edit */
    int64_t chat_id;
    int64_t thread_id;
    enum language language; /* where the chat chose none */
    enum topics topics;
    struct card_links links;
};
struct delivery_events {
    void (*moved)(void *ctx, int64_t chat_id);       /* the alert chat became another one */
    void (*refused)(void *ctx, const char *trouble); /* the alert chat can't be written to */
    /* Whether errors may be shown in a chat that is not the alert chat; `done` runs exactly once. */
    void (*may_show)(void *ctx, int64_t chat_id, void (*done)(void *ctx, bool may), void *done_ctx);
    void *ctx;
};

/* `pg` and `chat` are BORROWED. */
struct delivery *delivery_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct chat *chat, const struct delivery_config *config,
                              const struct delivery_events *events);
void delivery_free(struct delivery *delivery);
void delivery_poke(struct delivery *delivery);
/* The lease was won: what an older holder left in 'sending' is uncertain. */
void delivery_recover(struct delivery *delivery);
/* An answer to a person went to that chat: it counts against the chat's budget. */
void delivery_note_answer(struct delivery *delivery, int64_t chat_id);
/* While it is not yet known which chat alerts go to, nothing is claimed: a claim on its way would
 * address what is decided meanwhile to the chat of before. */
void delivery_hold(struct delivery *delivery, bool hold);
/* The alert chat became another one, or can be written to again: tried at once. */
void delivery_set_chat(struct delivery *delivery, int64_t chat_id);
/* The group became a supergroup, as Telegram says: alerts follow. */
void delivery_move_chat(struct delivery *delivery, int64_t to);
void delivery_chat_is_back(struct delivery *delivery);
/* Starts nothing new; `done` runs once what is under way has ended, or after 8 s. */
void delivery_stop(struct delivery *delivery, void (*done)(void *ctx), void *ctx);

struct delivery_state {
    bool waiting_for_chat; /* the chat can't be written to, or does not answer */
    char trouble[ERR_TEXT_BYTES_MAX];
    int64_t last_ok_ms;                      /* wall clock; 0: nothing sent yet */
    int64_t waiting;                         /* alerts in the outbox */
    int64_t oldest_s;                        /* how long the oldest of them waits */
    char topics_trouble[ERR_TEXT_BYTES_MAX]; /* why there are no topics of their own; "" */
};
const struct delivery_state *delivery_state(const struct delivery *delivery);

#endif
