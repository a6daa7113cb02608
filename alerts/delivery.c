/* delivery.c -- looks at what waits, and gives each chat's lane its next thing to do.
 *
 *     tick, poke or wake --> look: what waits, chat by chat --> lane: what next? (pure)
 *     lane: IDLE --> CLAIMING --> SENDING --answer--> RECORDING --committed--> IDLE --> look
 *
 * The hard thing: never to forget what the chat has already. A row is 'sending' in the database
 * before the request goes out, and its outcome is written until the database takes it; whoever
 * finds a 'sending' row of an ended holder knows that it may have arrived. */
#include "alerts/delivery_internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TICK_SECONDS = 0.5;
static const double RECORD_AGAIN_SECONDS = 0.5;

static void look(struct delivery *d);

struct outbox_claim lane_claim(const struct lane *lane)
{
    const struct delivery *d = lane->delivery;
    return (struct outbox_claim){store_lease_holder(d->lease), store_lease_epoch(d->lease),
                                 lane->chat_id, d->config.topics};
}

struct look lane_look(const struct lane *lane, const struct outbox_look *wish)
{
    struct look look = {.language = lane->delivery->config.language,
                        .is_quiet = wish->is_quiet,
                        .now_ms = clock_wall_ms()};
    if (wish->language)
        look.language = language_of_code(wish->language);
    if (wish->time_zone)
        snprintf(look.zone, sizeof look.zone, "%s", wish->time_zone);
    return look;
}

struct card lane_card(const struct lane *lane, const struct outbox_row *row,
                      const struct look *look)
{
    return (struct card){
        .group = &row->group,
        .look = look,
        .held = row->held,
        .regression = strcmp(row->reason, "regression") == 0,
        .possible_repeat = row->possible_repeat,
        .links = lane->delivery->config.links,
    };
}

/* ----------------------------------------------------------------------------------------- lanes */

static void on_record_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    lane_record(timer->data);
}

static void free_lane(struct lane *lane)
{
    ev_timer_stop(lane->delivery->loop, &lane->again);
    free(lane->out_html);
    free(lane);
}

static bool may_be_forgotten(const struct lane *lane)
{
    return lane->phase == PHASE_IDLE && lane->gone_until_ms < clock_mono_ms();
}

/* The chat's lane, made if need be; NULL: every lane is busy. */
static struct lane *lane_of(struct delivery *d, int64_t chat_id)
{
    size_t at = d->lanes_count;
    for (size_t i = 0; i < d->lanes_count; i++)
        if (d->lanes[i]->chat_id == chat_id)
            return d->lanes[i];
    for (size_t i = 0; at == LANES_MAX && i < LANES_MAX; i++)
        if (may_be_forgotten(d->lanes[i])) {
            free_lane(d->lanes[i]);
            at = i;
        }
    if (at == LANES_MAX)
        return NULL;
    struct lane *lane = mem_alloc(sizeof *lane);
    lane->delivery = d;
    lane->chat_id = chat_id;
    ev_timer_init(&lane->again, on_record_again, RECORD_AGAIN_SECONDS, 0);
    lane->again.data = lane;
    d->lanes[at] = lane;
    if (at == d->lanes_count)
        d->lanes_count++;
    return lane;
}

static bool all_idle(const struct delivery *d)
{
    for (size_t i = 0; i < d->lanes_count; i++)
        if (d->lanes[i]->phase != PHASE_IDLE)
            return false;
    return true;
}

static void end_stop(struct delivery *d)
{
    if (!d->stopped || !all_idle(d))
        return;
    ev_timer_stop(d->loop, &d->stop_limit);
    void (*stopped)(void *) = d->stopped;
    d->stopped = NULL;
    stopped(d->stopped_ctx);
}

void lane_idle(struct lane *lane)
{
    lane->phase = PHASE_IDLE;
    free(lane->out_html);
    lane->out_html = NULL;
    end_stop(lane->delivery);
}

void lane_lost_claim(struct lane *lane)
{
    lane->delivery->must_recover = true;
    lane_idle(lane);
}

static void on_recorded(void *ctx, const struct err *err)
{
    struct lane *lane = ctx;
    if (!err) {
        lane_idle(lane);
        look(lane->delivery);
        return;
    }
    log_warn("outcome of an alert not stored yet", LOG_S("error", err->text), LOG_END);
    if (lane->delivery->stopped)
        lane_idle(lane); /* the next holder finds it in 'sending': uncertain, not lost */
    else
        ev_timer_start(lane->delivery->loop, &lane->again);
}

void lane_record(struct lane *lane)
{
    struct pg *pg = lane->delivery->pg;
    ev_timer_set(&lane->again, RECORD_AGAIN_SECONDS, 0);
    lane->phase = PHASE_RECORDING;
    if (lane->load == LOAD_DIGEST)
        store_digest_done(pg, &lane->digest, on_recorded, lane);
    else if (lane->load == LOAD_CARD)
        store_card_done(pg, &lane->card, lane->card_outcome, lane->delay_s, on_recorded, lane);
    else if (lane->state)
        store_outbox_put_off(pg,
                             &(struct outbox_put_off){.id = lane->sending.id,
                                                      .epoch = lane->claim_epoch,
                                                      .state = lane->state,
                                                      .answer_lost = lane->answer_lost,
                                                      .delay_s = lane->delay_s,
                                                      .error = lane->error},
                             on_recorded, lane);
    else
        store_outbox_sent(pg, &lane->sending, on_recorded, lane);
}

/* ---------------------------------------------------------------------------------- what is next */

static void wake_in(struct delivery *d, int64_t ms)
{
    double seconds = (double)ms / 1000.0;
    if (ev_is_active(&d->wake) && ev_timer_remaining(d->loop, &d->wake) <= seconds)
        return;
    ev_timer_stop(d->loop, &d->wake);
    ev_timer_set(&d->wake, seconds, 0);
    ev_timer_start(d->loop, &d->wake);
}

static void run_lane(struct lane *lane, const struct chat_view *view)
{
    struct delivery *d = lane->delivery;
    int64_t now = clock_mono_ms();
    if (lane->phase != PHASE_IDLE)
        return;
    if (lane->gone_until_ms > now) {
        wake_in(d, lane->gone_until_ms - now);
        return;
    }
    if (lane_is_channel(lane) && !channels_are_known(d->channels))
        return; /* the tick looks again */
    struct chat_view seen = *view;
    seen.is_out = lane_is_out(lane);
    struct lane_step next = lane_next(&seen, d->pacer, now);
    lane->phase = PHASE_CLAIMING;
    switch (next.act) {
    case LANE_CARD:
        lane_send_alert(lane);
        return;
    case LANE_FOLD:
        lane_fold(lane, next.reason);
        return;
    case LANE_DIGEST:
    case LANE_LIST:
    case LANE_CLOSE:
        lane_work_digest(lane, &view->digest, next.act);
        return;
    case LANE_EDIT:
    case LANE_EDIT_COUNTS:
        lane_edit_card(lane, next.act == LANE_EDIT_COUNTS);
        return;
    case LANE_WAIT:
        lane->phase = PHASE_IDLE;
        if (next.wait_ms >= 0) /* what is due and held by somebody is not asked for at once again */
            wake_in(d, next.wait_ms < 20 ? 20 : next.wait_ms);
        return;
    }
}

static void on_view(void *ctx, const struct chat_view *chats, size_t count,
                    const struct outbox_waiting *waiting, const struct err *err)
{
    struct delivery *d = ctx;
    bool again = d->look_again;
    d->looking = d->look_again = false;
    if (err) {
        d->must_recover = true; /* the connection broke: a claim's answer may be lost with it */
        return;
    }
    d->health.waiting = waiting->count;
    d->health.oldest_s = waiting->oldest_s;
    for (size_t i = 0; i < count && !d->stopped && store_lease_is_held(d->lease); i++) {
        struct lane *lane = lane_of(d, chats[i].chat_id);
        if (lane)
            run_lane(lane, &chats[i]);
    }
    if (again)
        look(d);
}

static void on_recovered(void *ctx, const struct err *err)
{
    struct delivery *d = ctx;
    d->recovering = false;
    d->must_recover = err != NULL; /* then the tick tries again */
    if (!err)
        look(d);
}

/* What is found in 'sending' is nobody's but what a lane has in hand; a claim that is on its way is waited
 * for, a message is not. */
static void recover(struct delivery *d)
{
    int64_t in_hand[LANES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < d->lanes_count; i++) {
        const struct lane *lane = d->lanes[i];
        if (lane->phase == PHASE_CLAIMING)
            return;
        if (lane->phase != PHASE_IDLE && lane->load == LOAD_ALERT)
            in_hand[count++] = lane->sending.id;
    }
    if (d->recovering)
        return;
    d->recovering = true;
    store_outbox_recover(d->pg, store_lease_epoch(d->lease), in_hand, count, on_recovered, d);
}

static void look(struct delivery *d)
{
    if (d->held || d->stopped || !store_lease_is_held(d->lease) || !pg_is_up(d->pg))
        return;
    if (d->must_recover || d->recovering) {
        recover(d);
        return;
    }
    if (d->looking) {
        d->look_again = true;
        return;
    }
    d->looking = true;
    store_chats_view(d->pg, on_view, d);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    delivery_fall_back(timer->data);
    look(timer->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    look(timer->data);
}

/* ---------------------------------------------------------------------------------- from outside */

void delivery_poke(struct delivery *d)
{
    look(d);
}

void delivery_recover(struct delivery *d)
{
    d->must_recover = true;
    look(d);
}

void delivery_hold(struct delivery *d, bool hold)
{
    d->held = hold;
    look(d);
}

static void on_readdressed(void *ctx, const struct err *err)
{
    struct delivery *d = ctx;
    if (err)
        log_error("alerts that wait were not sent on to the new chat", LOG_S("error", err->text),
                  LOG_END);
    look(d);
}

void delivery_set_chat(struct delivery *d, int64_t chat_id)
{
    d->config.chat_id = chat_id;
    store_outbox_readdress(d->pg, chat_id, d->config.thread_id, on_readdressed, d);
    delivery_chat_is_back(d, chat_id);
}

void delivery_move_chat(struct delivery *d, int64_t from, int64_t to)
{
    delivery_follow(d, from, to);
    delivery_chat_is_back(d, to);
}

void delivery_chat_is_back(struct delivery *d, int64_t chat_id)
{
    for (size_t i = 0; i < d->lanes_count; i++)
        if (d->lanes[i]->chat_id == chat_id) {
            d->lanes[i]->gone_until_ms = 0;
            d->lanes[i]->gone_times = 0;
        }
    look(d);
}

const struct delivery_state *delivery_state(const struct delivery *d)
{
    return &d->health;
}

/* Eight seconds are over: what is still on the wire may or may not arrive. */
static void on_stop_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct delivery *d = timer->data;
    for (size_t i = 0; i < d->lanes_count; i++) {
        struct lane *lane = d->lanes[i];
        if (lane->phase == PHASE_SENDING && lane->load == LOAD_ALERT) {
            lane->state = "uncertain";
            lane->answer_lost = true;
            lane->delay_s = 0;
            snprintf(lane->error, sizeof lane->error,
                     "the service stopped while it was being sent");
            lane_record(lane);
        } else {
            lane->phase = PHASE_IDLE;
        }
    }
    end_stop(d);
}

void delivery_stop(struct delivery *d, void (*done)(void *ctx), void *ctx)
{
    d->stopped = done;
    d->stopped_ctx = ctx;
    if (all_idle(d)) {
        end_stop(d);
        return;
    }
    ev_set_cb(&d->stop_limit, on_stop_limit);
    ev_timer_set(&d->stop_limit, HTTP_STOP_SECONDS_MAX - 0.5, 0);
    ev_timer_start(d->loop, &d->stop_limit);
}

struct delivery *delivery_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct chat *chat, struct pacer *pacer, struct channels *channels,
                              const struct delivery_config *config,
                              const struct delivery_events *events)
{
    struct delivery *d = mem_alloc(sizeof *d);
    d->loop = loop;
    d->pg = pg;
    d->lease = lease;
    d->chat = chat;
    d->pacer = pacer;
    d->channels = channels;
    d->config = *config;
    d->events = *events;
    ev_timer_init(&d->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    ev_init(&d->wake, on_timer);
    ev_init(&d->stop_limit, on_timer);
    d->tick.data = d->wake.data = d->stop_limit.data = d;
    ev_timer_start(loop, &d->tick);
    return d;
}

void delivery_free(struct delivery *d)
{
    if (!d)
        return;
    ev_timer_stop(d->loop, &d->tick);
    ev_timer_stop(d->loop, &d->wake);
    ev_timer_stop(d->loop, &d->stop_limit);
    for (size_t i = 0; i < d->lanes_count; i++)
        free_lane(d->lanes[i]);
    free(d);
}
