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

struct delivery_config {
    int64_t chat_id;
    int64_t thread_id;
    enum language language;
    struct card_links links;
};

/* `pg` and `chat` are BORROWED. `moved` runs when the alert chat became another one. */
struct delivery *delivery_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct chat *chat, const struct delivery_config *config,
                              void (*moved)(void *ctx, int64_t chat_id), void *ctx);
void delivery_free(struct delivery *delivery);
void delivery_poke(struct delivery *delivery);
/* The lease was won: what an older holder left in 'sending' is uncertain. */
void delivery_recover(struct delivery *delivery);
/* An answer to a person went to that chat: it counts against the chat's budget. */
void delivery_note_answer(struct delivery *delivery, int64_t chat_id);
/* Starts nothing new; `done` runs once what is under way has ended, or after 8 s. */
void delivery_stop(struct delivery *delivery, void (*done)(void *ctx), void *ctx);

struct delivery_state {
    bool waiting_for_chat; /* the chat can't be written to, or does not answer */
    char trouble[ERR_TEXT_BYTES_MAX];
    int64_t last_ok_ms; /* wall clock; 0: nothing sent yet */
    int64_t waiting;    /* alerts in the outbox */
    int64_t oldest_s;   /* how long the oldest of them waits */
};
const struct delivery_state *delivery_state(const struct delivery *delivery);

#endif
