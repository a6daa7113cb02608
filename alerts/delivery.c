/* delivery.c -- claims one thing after another from the outbox, sends it, writes down what happened.
 *
 *     IDLE --claim--> (topic) --> SENDING --answer--> RECORDING --committed--> IDLE
 *       \--nothing to send--> claim an edit --> EDITING --> RECORDING
 *
 * The hard thing: never to forget what the chat has already. A row is 'sending' in the database
 * before the request goes out, and its outcome is written until the database takes it; whoever
 * finds a 'sending' row of an ended holder knows that it may have arrived. */
#include "alerts/delivery_internal.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TICK_SECONDS = 0.5;
enum { SHOWN_MS = 60 * 1000 };

static void step(struct delivery *d);
static void record(struct delivery *d);

static struct outbox_claim claim_of(const struct delivery *d)
{
    return (struct outbox_claim){store_lease_holder(d->lease), store_lease_epoch(d->lease),
                                 d->config.chat_id, d->config.thread_id, d->config.topics};
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
    free(d->out_html);
    d->out_html = NULL;
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

void delivery_on_sent(void *ctx, const struct chat_result *result)
{
    struct delivery *d = ctx;
    if (d->phase != DELIVERY_SENDING)
        return; /* given up at the end, and written down as uncertain already */
    delivery_judge_send(d, result);
    record(d);
}

static void on_edited(void *ctx, const struct chat_result *result)
{
    struct delivery *d = ctx;
    if (d->phase != DELIVERY_SENDING)
        return;
    delivery_judge_edit(d, result);
    record(d);
}

/* --------------------------------------------------------------------------------------- send it */

/* A card that somebody asked for in private is edited for as long as they may see errors. */
static bool may_show(const struct delivery *d)
{
    return d->config.place == CARDS_OF_CHAT ||
           (d->card.chat_id == d->shown_chat_id && clock_mono_ms() < d->shown_until_ms);
}

static void on_whether(void *ctx, bool may)
{
    struct delivery *d = ctx;
    if (may) { /* claimed again, and edited then */
        d->shown_chat_id = d->card.chat_id;
        d->shown_until_ms = clock_mono_ms() + SHOWN_MS;
        to_idle(d);
        step(d);
        return;
    }
    d->card_outcome = CARD_GONE;
    d->delay_s = 0;
    record(d);
}

static void ask_whether(struct delivery *d)
{
    d->phase = DELIVERY_RECORDING;
    d->events.may_show(d->events.ctx, d->card.chat_id, on_whether, d);
}

static void on_card(void *ctx, const struct card_row *row, const struct err *err)
{
    struct delivery *d = ctx;
    if (err)
        d->must_recover = true; /* the connection broke: look for what an answer was lost of */
    if (err || !row || d->stopped || !store_lease_is_held(d->lease)) {
        to_idle(d);
        return;
    }
    d->is_edit = true;
    d->card = *row;
    d->card.group = (struct group){.id = row->group.id, .undo_until_ms = row->group.undo_until_ms};
    if (!may_show(d)) {
        ask_whether(d);
        return;
    }
    struct buf html;
    struct chat_keyboard keyboard;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    struct look look = delivery_look(d, &row->look);
    struct card card = {.group = &row->group,
                        .look = &look,
                        .held = row->held,
                        .regression = row->regression,
                        .possible_repeat = row->possible_repeat,
                        .retired = row->edit == EDIT_RETIRE,
                        .links = d->config.links};
    card_render(&card, &html, &keyboard);
    d->phase = DELIVERY_SENDING;
    pacing_take(&d->pacing, delivery_is_group(d), row->edit == EDIT_COUNT ? PACE_COUNT : PACE_EDIT,
                clock_mono_ms());
    struct chat_message message = {.chat_id = row->chat_id,
                                   .message_id = row->message_id,
                                   .html = buf_text(&html),
                                   .keyboard = &keyboard};
    d->chat->edit(d->chat, &message, on_edited, d);
    buf_fini(&html);
}

static void claim_card(struct delivery *d)
{
    int64_t now = clock_mono_ms();
    if (d->stopped || pacing_wait(&d->pacing, delivery_is_group(d), PACE_EDIT, now) > 0) {
        to_idle(d);
        return;
    }
    bool counts_too = pacing_wait(&d->pacing, delivery_is_group(d), PACE_COUNT, now) == 0;
    store_card_claim(d->pg, d->config.chat_id, d->config.place, counts_too, on_card, d);
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
        delivery_send_row(d, row); /* claimed is promised: sent even when a stop came between */
        return;
    }
    if (next_ms >= 0 && next_ms < 500) /* due, but held by somebody: not at once again */
        wake_in(d, next_ms > 0 ? next_ms + 1 : 200);
    claim_card(d);
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
    if (d->phase != DELIVERY_IDLE || d->held || d->stopped || !store_lease_is_held(d->lease) ||
        !pg_is_up(d->pg))
        return;
    int64_t now = clock_mono_ms();
    if (d->config.place == CARDS_ELSEWHERE) {
        d->phase = DELIVERY_CLAIMING;
        claim_card(d);
        return;
    }
    if (d->must_recover || d->recovering) {
        recover(d);
        return;
    }
    int64_t wait = pacing_wait(&d->pacing, delivery_is_group(d), PACE_ALERT, now);
    if (d->gone_until_ms - now > wait)
        wait = d->gone_until_ms - now;
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

static void on_waiting(void *ctx, const struct outbox_waiting *waiting, const struct err *err)
{
    struct delivery *d = ctx;
    if (err)
        return;
    d->health.waiting = waiting->count;
    d->health.oldest_s = waiting->oldest_s;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct delivery *d = timer->data;
    /* nothing is claimed while the chat refuses us: what waits is counted all the same */
    if (d->phase == DELIVERY_IDLE && clock_mono_ms() < d->gone_until_ms && pg_is_up(d->pg))
        store_outbox_waiting(d->pg, on_waiting, d);
    step(d);
}

void delivery_recover(struct delivery *d)
{
    d->must_recover = true;
    step(d);
}

struct delivery *delivery_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct chat *chat, const struct delivery_config *config,
                              const struct delivery_events *events)
{
    struct delivery *d = mem_alloc(sizeof *d);
    d->loop = loop;
    d->pg = pg;
    d->lease = lease;
    d->chat = chat;
    d->config = *config;
    d->events = *events;
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
    free(d->out_html);
    free(d);
}

void delivery_hold(struct delivery *d, bool hold)
{
    d->held = hold;
    if (!hold)
        step(d);
}

void delivery_set_chat(struct delivery *d, int64_t chat_id)
{
    d->config.chat_id = chat_id;
    delivery_chat_is_back(d);
}

void delivery_move_chat(struct delivery *d, int64_t to)
{
    delivery_follow(d, to);
    delivery_chat_is_back(d);
}

void delivery_chat_is_back(struct delivery *d)
{
    d->gone_until_ms = 0;
    d->gone_times = 0;
    step(d);
}

void delivery_poke(struct delivery *d)
{
    step(d);
}

void delivery_note_answer(struct delivery *d, int64_t chat_id)
{
    if (chat_id == d->config.chat_id)
        pacing_take(&d->pacing, delivery_is_group(d), PACE_ANSWER, clock_mono_ms());
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
