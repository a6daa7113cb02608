/* delivery_internal.h -- what the files of delivery share; nobody else includes it. */
#ifndef NABAT_ALERTS_DELIVERY_INTERNAL_H
#define NABAT_ALERTS_DELIVERY_INTERNAL_H

#include "alerts/delivery.h"
#include "core/limits.h"

enum delivery_phase { DELIVERY_IDLE, DELIVERY_CLAIMING, DELIVERY_SENDING, DELIVERY_RECORDING };

struct delivery {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct chat *chat;
    struct delivery_config config;
    struct delivery_events events;
    enum delivery_phase phase;
    bool held;         /* it is not known yet which chat alerts go to */
    bool must_recover; /* rows that an older holder left in 'sending' are looked for first */
    bool recovering;
    struct pacing pacing;
    ev_timer tick;
    ev_timer again; /* writes an outcome down again, or wakes when the pace allows */
    /* what is under way */
    bool is_edit;
    struct outbox_sent sending;
    int64_t claim_epoch;
    int attempts;
    bool was_uncertain;
    struct chat_message message; /* of a send; its html and keyboard are `out` */
    char *out_html;
    struct chat_keyboard out_keyboard;
    char topic[ORIGIN_BYTES_MAX + 1]; /* the forum topic that is being made */
    int64_t gone_until_ms;            /* the chat refuses us: nobody is asked before */
    int gone_times;
    int64_t topics_off_until_ms;
    int64_t shown_chat_id; /* whose owner may see errors, as was asked a moment ago */
    int64_t shown_until_ms;
    struct card_row card; /* of an edit; its group's texts are gone by then */
    /* its outcome, kept until it is written down */
    const char *state; /* NULL: sent */
    int64_t delay_s;
    char error[ERR_TEXT_BYTES_MAX];
    enum card_outcome card_outcome;
    struct delivery_state health;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
    ev_timer stop_limit;
};

/* delivery.c: the answer to what delivery_send_row started. */
void delivery_on_sent(void *ctx, const struct chat_result *result);

/* delivery_send.c */
bool delivery_is_group(const struct delivery *d);
struct look delivery_look(const struct delivery *d, const struct outbox_look *wish);
void delivery_send_row(struct delivery *d, const struct outbox_row *row);

/* delivery_judge.c: leaves in `d` what is to be written down. */
void delivery_judge_send(struct delivery *d, const struct chat_result *r);
void delivery_judge_edit(struct delivery *d, const struct chat_result *result);
/* The alert chat became another one. */
void delivery_follow(struct delivery *d, int64_t to);

#endif
