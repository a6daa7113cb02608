/* delivery.c -- claims one thing after another from the outbox, sends it, writes down what happened.
 *
 *     IDLE --claim--> SENDING --answer--> RECORDING --committed--> IDLE
 *       \--nothing to send--> claim an edit --> EDITING --> RECORDING
 *
 * The hard thing: never to forget what the chat has already. A row is 'sending' in the database
 * before the request goes out, and its outcome is written until the database takes it; whoever
 * finds a 'sending' row of an ended holder knows that it may have arrived. */
#include "alerts/delivery.h"

#include "alerts/note.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum delivery_phase { DELIVERY_IDLE, DELIVERY_CLAIMING, DELIVERY_SENDING, DELIVERY_RECORDING };

struct delivery {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct chat *chat;
    struct delivery_config config;
    void (*moved)(void *ctx, int64_t chat_id);
    void *ctx;
    enum delivery_phase phase;
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

static const double TICK_SECONDS = 0.5;

static void step(struct delivery *d);
static void record(struct delivery *d);

static bool is_group(const struct delivery *d)
{
    return d->config.chat_id < 0;
}

static struct outbox_claim claim_of(const struct delivery *d)
{
    return (struct outbox_claim){store_lease_holder(d->lease), store_lease_epoch(d->lease),
                                 d->config.chat_id, d->config.thread_id};
}

static void wake_in(struct delivery *d, int64_t ms)
{
    ev_timer_stop(d->loop, &d->again);
    ev_timer_set(&d->again, (double)ms / 1000.0, 0);
    ev_timer_start(d->loop, &d->again);
}

static void to_idle(struct delivery *d)
{
    d->phase = DELIVERY_IDLE;
    if (d->stopped) {
        ev_timer_stop(d->loop, &d->stop_limit);
        void (*stopped)(void *) = d->stopped;
        d->stopped = NULL;
        stopped(d->stopped_ctx);
    }
}

/* ------------------------------------------------------------------------------- write it down */

static void on_recorded(void *ctx, const struct err *err)
{
    struct delivery *d = ctx;
    if (err) {
        log_warn("outcome of an alert not stored yet", LOG_S("error", err->text), LOG_END);
        if (d->stopped)
            to_idle(d); /* the next holder finds it in 'sending': uncertain, not lost */
        else
            wake_in(d, 500);
        return;
    }
    to_idle(d);
    step(d);
}

static void record(struct delivery *d)
{
    d->phase = DELIVERY_RECORDING;
    if (d->is_edit)
        store_card_done(d->pg, &d->card, d->card_outcome, d->delay_s, on_recorded, d);
    else if (d->state)
        store_outbox_put_off(d->pg, d->sending.id, d->claim_epoch, d->state, d->delay_s, d->error,
                             on_recorded, d);
    else
        store_outbox_sent(d->pg, &d->sending, on_recorded, d);
}

static void note_health(struct delivery *d, const struct chat_result *result)
{
    if (result->outcome == TG_OK) {
        d->health.waiting_for_chat = false;
        d->health.trouble[0] = '\0';
        d->health.last_ok_ms = clock_wall_ms();
        return;
    }
    d->health.waiting_for_chat = true;
    snprintf(d->health.trouble, sizeof d->health.trouble, "%s", result->text ? result->text : "");
}

/* 1, 2, 4 … 60 s. */
static int64_t backoff(int attempts)
{
    int64_t delay = 1;
    for (int i = 1; i < attempts && delay < SEND_BACKOFF_SECONDS_MAX; i++)
        delay *= 2;
    return delay < SEND_BACKOFF_SECONDS_MAX ? delay : SEND_BACKOFF_SECONDS_MAX;
}

static void on_moved(void *ctx, const struct err *err)
{
    (void)ctx;
    if (err)
        log_error("the alert chat's move is not stored", LOG_S("error", err->text), LOG_END);
}

static void move_chat(struct delivery *d, int64_t to)
{
    log_warn("the alert chat became a supergroup: set ERROR_ALERT_CHAT_ID to its new id",
             LOG_I("old", d->config.chat_id), LOG_I("new", to), LOG_END);
    store_outbox_move_chat(d->pg, d->config.chat_id, to, on_moved, d);
    d->config.chat_id = to;
    d->moved(d->ctx, to);
}

static void put_off(struct delivery *d, const char *state, int64_t delay_s)
{
    d->state = state;
    d->delay_s = delay_s;
    metric_add(METRIC_ALERTS_RETRIED, 1);
}

/* What an outcome means for an alert that was being sent. */
static void judge_send(struct delivery *d, const struct chat_result *r)
{
    d->state = NULL;
    snprintf(d->error, sizeof d->error, "%s", r->text ? r->text : "");
    switch (r->outcome) {
    case TG_OK:
        d->sending.message_id = r->message_id;
        d->sending.thread_id = r->thread_id;
        metric_add(METRIC_ALERTS_SENT, 1);
        return;
    case TG_TOO_MANY:
        pacing_pause(&d->pacing, clock_mono_ms(), r->retry_after_s);
        put_off(d, d->was_uncertain ? "uncertain" : "pending", r->retry_after_s);
        return;
    case TG_UNCERTAIN:
        /* once more, marked; a second lost answer is left to people */
        put_off(d, "uncertain", d->was_uncertain ? -1 : backoff(d->attempts));
        break;
    case TG_CHAT_MOVED:
        move_chat(d, r->migrate_to);
        put_off(d, "pending", 0);
        return;
    case TG_UNREACHABLE:
    case TG_CONFLICT:
    case TG_UNAUTHORIZED: /* a token may be mended; the alert waits */
    case TG_CHAT_GONE:    /* the bot may be let in again; said in the log, /health and metrics */
        put_off(d, d->was_uncertain ? "uncertain" : "pending",
                r->outcome == TG_UNREACHABLE ? backoff(d->attempts) : SEND_BACKOFF_SECONDS_MAX);
        break;
    default:
        d->state = "failed";
        d->delay_s = -1;
        metric_add(METRIC_ALERTS_FAILED, 1);
        break;
    }
    log_warn("alert not delivered", LOG_S("now", d->state), LOG_S("error", d->error),
             LOG_I("attempts", d->attempts), LOG_END);
}

static void on_sent(void *ctx, const struct chat_result *result)
{
    struct delivery *d = ctx;
    if (d->phase != DELIVERY_SENDING)
        return; /* given up at the end, and written down as uncertain already */
    note_health(d, result);
    judge_send(d, result);
    record(d);
}

static void on_edited(void *ctx, const struct chat_result *result)
{
    struct delivery *d = ctx;
    if (d->phase != DELIVERY_SENDING)
        return;
    note_health(d, result);
    d->card_outcome = CARD_EDITED;
    d->delay_s = 0;
    if (result->outcome == TG_TOO_MANY) {
        pacing_pause(&d->pacing, clock_mono_ms(), result->retry_after_s);
        d->card_outcome = CARD_RETRY;
        d->delay_s = result->retry_after_s;
    } else if (result->outcome == TG_UNREACHABLE || result->outcome == TG_UNCERTAIN ||
               result->outcome == TG_UNAUTHORIZED) {
        d->card_outcome = CARD_RETRY; /* an edit may be repeated without harm */
        d->delay_s = backoff(3);
    } else if (result->outcome != TG_OK) {
        log_warn("card can't be edited any more", LOG_S("error", result->text), LOG_END);
        d->card_outcome = CARD_GONE;
    }
    if (result->outcome == TG_OK)
        metric_add(METRIC_ALERTS_EDITED, 1);
    record(d);
}

/* --------------------------------------------------------------------------------------- send it */

static void send_row(struct delivery *d, const struct outbox_row *row)
{
    struct buf html;
    struct chat_keyboard keyboard;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    struct card card = {
        .group = &row->group,
        .language = d->config.language,
        .held = row->held,
        .regression = strcmp(row->reason, "regression") == 0,
        .possible_repeat = row->possible_repeat,
        .links = d->config.links,
    };
    if (row->note)
        note_render(row, d->config.language, &html);
    else
        card_render(&card, &html, &keyboard);
    d->is_edit = false;
    d->sending = (struct outbox_sent){.id = row->id,
                                      .chat_id = row->chat_id,
                                      .thread_id = row->thread_id,
                                      .occurrences = row->group.occurrences,
                                      .status = row->group.status};
    d->claim_epoch = store_lease_epoch(d->lease);
    d->attempts = row->attempts;
    d->was_uncertain = row->possible_repeat;
    d->phase = DELIVERY_SENDING;
    pacing_take(&d->pacing, is_group(d), PACE_ALERT, clock_mono_ms());
    struct chat_message message = {.chat_id = row->chat_id,
                                   .thread_id = row->thread_id,
                                   .reply_to = row->note ? row->card_message_id : 0,
                                   .html = buf_text(&html),
                                   .keyboard = row->note ? NULL : &keyboard};
    d->chat->send(d->chat, &message, on_sent, d);
    buf_fini(&html);
}

static void on_card(void *ctx, const struct card_row *row, const struct err *err)
{
    struct delivery *d = ctx;
    if (err || !row || d->stopped || !store_lease_is_held(d->lease)) {
        to_idle(d);
        return;
    }
    struct buf html;
    struct chat_keyboard keyboard;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    struct card card = {.group = &row->group,
                        .language = d->config.language,
                        .held = row->held,
                        .regression = row->regression,
                        .possible_repeat = row->possible_repeat,
                        .retired = row->edit == EDIT_RETIRE,
                        .links = d->config.links};
    card_render(&card, &html, &keyboard);
    d->is_edit = true;
    d->card = *row;
    d->card.group = (struct group){.id = row->group.id};
    d->phase = DELIVERY_SENDING;
    pacing_take(&d->pacing, is_group(d), row->edit == EDIT_COUNT ? PACE_COUNT : PACE_EDIT,
                clock_mono_ms());
    struct chat_message message = {.chat_id = row->chat_id,
                                   .message_id = row->message_id,
                                   .html = buf_text(&html),
                                   .keyboard = &keyboard};
    d->chat->edit(d->chat, &message, on_edited, d);
    buf_fini(&html);
}

static void on_claimed(void *ctx, const struct outbox_row *row,
                       const struct outbox_waiting *waiting, const struct err *err)
{
    struct delivery *d = ctx;
    if (err) {
        d->must_recover = true; /* it may have been claimed all the same */
        to_idle(d);
        return;
    }
    d->health.waiting = waiting->count;
    d->health.oldest_s = waiting->oldest_s;
    int64_t next_ms = waiting->next_ms;
    if (row) {
        send_row(d, row); /* claimed is promised: sent even when a stop came between */
        return;
    }
    if (next_ms >= 0 && next_ms < 500) /* due, but held by somebody: not at once again */
        wake_in(d, next_ms > 0 ? next_ms + 1 : 200);
    if (d->stopped) {
        to_idle(d);
        return;
    }
    int64_t now = clock_mono_ms();
    if (pacing_wait(&d->pacing, is_group(d), PACE_EDIT, now) > 0) {
        to_idle(d);
        return;
    }
    store_card_claim(d->pg, pacing_wait(&d->pacing, is_group(d), PACE_COUNT, now) == 0, on_card, d);
}

static void on_recovered(void *ctx, const struct err *err)
{
    struct delivery *d = ctx;
    d->recovering = false;
    d->must_recover = err != NULL; /* then the tick tries again */
    if (!err)
        step(d);
}

static void recover(struct delivery *d)
{
    if (d->recovering)
        return;
    d->recovering = true;
    struct outbox_claim claim = claim_of(d);
    store_outbox_recover(d->pg, &claim, on_recovered, d);
}

static void step(struct delivery *d)
{
    if (d->phase != DELIVERY_IDLE || d->stopped || !store_lease_is_held(d->lease) ||
        !pg_is_up(d->pg))
        return;
    if (d->must_recover || d->recovering) {
        recover(d);
        return;
    }
    int64_t wait = pacing_wait(&d->pacing, is_group(d), PACE_ALERT, clock_mono_ms());
    if (wait > 0) {
        wake_in(d, wait);
        return;
    }
    d->phase = DELIVERY_CLAIMING;
    struct outbox_claim claim = claim_of(d);
    store_outbox_claim(d->pg, &claim, on_claimed, d);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct delivery *d = timer->data;
    if (d->phase == DELIVERY_RECORDING)
        record(d);
    else
        step(d);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    step(timer->data);
}

void delivery_recover(struct delivery *d)
{
    d->must_recover = true;
    step(d);
}

struct delivery *delivery_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct chat *chat, const struct delivery_config *config,
                              void (*moved)(void *ctx, int64_t chat_id), void *ctx)
{
    struct delivery *d = mem_alloc(sizeof *d);
    d->loop = loop;
    d->pg = pg;
    d->lease = lease;
    d->chat = chat;
    d->config = *config;
    d->moved = moved;
    d->ctx = ctx;
    ev_timer_init(&d->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    ev_init(&d->again, on_again);
    ev_init(&d->stop_limit, on_again);
    d->tick.data = d->again.data = d->stop_limit.data = d;
    ev_timer_start(loop, &d->tick);
    return d;
}

void delivery_free(struct delivery *d)
{
    if (!d)
        return;
    ev_timer_stop(d->loop, &d->tick);
    ev_timer_stop(d->loop, &d->again);
    ev_timer_stop(d->loop, &d->stop_limit);
    free(d);
}

void delivery_poke(struct delivery *d)
{
    step(d);
}

void delivery_note_answer(struct delivery *d, int64_t chat_id)
{
    if (chat_id == d->config.chat_id)
        pacing_take(&d->pacing, is_group(d), PACE_ANSWER, clock_mono_ms());
}

/* Eight seconds are over: what is still on the wire may or may not arrive. */
static void on_stop_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct delivery *d = timer->data;
    if (d->phase == DELIVERY_SENDING && !d->is_edit) {
        d->state = "uncertain";
        d->delay_s = 0;
        snprintf(d->error, sizeof d->error, "the service stopped while it was being sent");
        record(d);
    } else {
        to_idle(d);
    }
}

void delivery_stop(struct delivery *d, void (*done)(void *ctx), void *ctx)
{
    d->stopped = done;
    d->stopped_ctx = ctx;
    if (d->phase == DELIVERY_IDLE) {
        to_idle(d);
        return;
    }
    ev_set_cb(&d->stop_limit, on_stop_limit);
    ev_timer_set(&d->stop_limit, HTTP_STOP_SECONDS_MAX - 0.5, 0);
    ev_timer_start(d->loop, &d->stop_limit);
}

const struct delivery_state *delivery_state(const struct delivery *d)
{
    return &d->health;
}
