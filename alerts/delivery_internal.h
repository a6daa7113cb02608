/* delivery_internal.h -- what the files of delivery share; nobody else includes it. */
#ifndef NABAT_ALERTS_DELIVERY_INTERNAL_H
#define NABAT_ALERTS_DELIVERY_INTERNAL_H

#include "alerts/delivery.h"
#include "alerts/lane.h"
#include "core/limits.h"
#include "store/card.h"
#include "store/digest.h"

enum lane_phase { PHASE_IDLE, PHASE_CLAIMING, PHASE_SENDING, PHASE_RECORDING };

/* What a lane has in hand: decides what is written down afterwards. */
enum lane_load { LOAD_ALERT, LOAD_CARD, LOAD_DIGEST };

/* One chat that is written to. */
struct lane {
    struct delivery *delivery;
    int64_t chat_id;
    enum lane_phase phase;
    enum lane_load load;
    ev_timer again;        /* writes an outcome down again */
    int64_t gone_until_ms; /* the chat refuses us: it is not asked before */
    int gone_times;
    int failures; /* in a row */
    int64_t topics_off_until_ms;
    int64_t
        shown_until_ms; /* whoever asked for errors here may see them, as was asked a moment ago */
    /* LOAD_ALERT */
    struct outbox_sent sending;
    int64_t claim_epoch;
    int64_t due_ms; /* monotonic */
    int attempts;
    int lost_answers;            /* before this attempt's, too */
    struct chat_message message; /* its html and keyboard are `out` */
    char *out_html;
    struct chat_keyboard out_keyboard;
    char topic[ORIGIN_BYTES_MAX + 1]; /* the forum topic that is being made */
    /* its outcome, kept until it is written down */
    const char *state; /* NULL: sent */
    bool answer_lost;  /* by this attempt */
    int64_t delay_s;
    char error[ERR_TEXT_BYTES_MAX];
    /* LOAD_CARD; its group's texts are gone by then */
    struct card_row card;
    enum card_outcome card_outcome;
    /* LOAD_DIGEST */
    enum lane_act digest_act;
    int digest_tries;
    int digest_lost_answers;
    struct digest_result digest;
};

struct delivery {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct chat *chat;
    struct pacer *pacer;
    struct channels *channels;
    struct delivery_config config;
    struct delivery_events events;
    bool held;         /* it is not known yet which chat alerts go to */
    bool must_recover; /* rows that an older holder left in 'sending' are looked for first */
    bool recovering;
    bool looking;    /* at what waits */
    bool look_again; /* something happened meanwhile */
    ev_timer tick;
    ev_timer wake; /* when the first chat's pace allows */
    struct lane *lanes[LANES_MAX];
    size_t lanes_count;
    bool falling_back;
    size_t fallback_turn;
    struct delivery_state health;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
    ev_timer stop_limit;
};

/* delivery.c */
struct outbox_claim lane_claim(const struct lane *lane);
struct look lane_look(const struct lane *lane, const struct outbox_look *wish);
/* The card that an alert shows; BORROWS `row` and `look`. */
struct card lane_card(const struct lane *lane, const struct outbox_row *row,
                      const struct look *look);
/* The load's outcome is known: it is written down, then the lane is free. */
void lane_record(struct lane *lane);
/* Nothing came of it. */
void lane_idle(struct lane *lane);
/* A claim's answer got lost: what it claimed is looked for. */
void lane_lost_claim(struct lane *lane);

/* delivery_send.c, delivery_card.c, delivery_digest.c: each claims, sends and leaves an outcome. */
void lane_send_alert(struct lane *lane);
void lane_edit_card(struct lane *lane, bool counts_too);
void lane_fold(struct lane *lane, enum digest_reason reason);
void lane_work_digest(struct lane *lane, const struct digest_view *digest, enum lane_act act);

/* delivery_channel.c: the same for a channel other than the chat. */
bool lane_is_channel(const struct lane *lane);
void lane_channel_alert(struct lane *lane, const struct outbox_row *row, chat_done_fn *done);
void lane_channel_digest(struct lane *lane, const struct digest_message *message,
                         chat_done_fn *done);
/* False: this channel is not told of it. */
bool lane_channel_status(struct lane *lane, const struct card_row *row, chat_done_fn *done);
/* delivery_fallback.c: where a chat of the chain can't be reached, its critical alerts ring in the next. */
bool lane_is_out(const struct lane *lane);
void delivery_fall_back(struct delivery *delivery);

/* delivery_judge.c: leaves in the lane what is to be written down. */
void lane_judge_alert(struct lane *lane, const struct chat_result *result);
void lane_judge_card(struct lane *lane, const struct chat_result *result);
void lane_judge_digest(struct lane *lane, const struct chat_result *result);
/* A group became another one. */
void delivery_follow(struct delivery *delivery, int64_t from, int64_t to);

#endif
