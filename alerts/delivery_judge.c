/* delivery_judge.c -- what Telegram's answer to an alert or an edit means: done, later, once more, never. */
#include "alerts/delivery_internal.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/metric.h"
#include "store/chat.h"

#include <stdio.h>

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

void delivery_follow(struct delivery *d, int64_t to)
{
    if (to == d->config.chat_id)
        return;
    log_warn("the alert chat became a supergroup: set ERROR_ALERT_CHAT_ID to its new id",
             LOG_I("old", d->config.chat_id), LOG_I("new", to), LOG_END);
    store_outbox_move_chat(d->pg, d->config.chat_id, to, on_moved, d);
    d->config.chat_id = to;
    d->events.moved(d->events.ctx, to);
}

/* 1, 2, 4 … 60 s: the chat is asked again by one alert at a time, not by all that wait. */
static void rest_from_chat(struct delivery *d, const char *trouble)
{
    d->gone_times++;
    d->gone_until_ms = clock_mono_ms() + backoff(d->gone_times) * 1000;
    metric_add(METRIC_CHAT_REFUSALS, 1);
    if (d->gone_times == 1)
        d->events.refused(d->events.ctx, trouble);
}

static void put_off(struct delivery *d, const char *state, int64_t delay_s)
{
    d->state = state;
    d->delay_s = delay_s;
    metric_add(METRIC_ALERTS_RETRIED, 1);
}

/* What an outcome means for an alert that was being sent. */
void delivery_judge_send(struct delivery *d, const struct chat_result *r)
{
    note_health(d, r);
    d->state = NULL;
    snprintf(d->error, sizeof d->error, "%s", r->text ? r->text : "");
    switch (r->outcome) {
    case TG_OK:
        d->gone_times = 0;
        d->sending.message_id = r->message_id;
        d->sending.thread_id = r->thread_id;
        if (r->thread_gone)
            store_topic_forget(d->pg, d->sending.chat_id, d->message.thread_id);
        if (r->chat_id != d->sending.chat_id) { /* the group moved while it was being sent */
            delivery_follow(d, r->chat_id);
            d->sending.chat_id = r->chat_id;
        }
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
        delivery_follow(d, r->migrate_to);
        put_off(d, "pending", 0);
        return;
    case TG_UNREACHABLE:
        put_off(d, d->was_uncertain ? "uncertain" : "pending", backoff(d->attempts));
        break;
    case TG_CONFLICT:
    case TG_UNAUTHORIZED: /* a token may be mended; the alert waits */
    case TG_CHAT_GONE: /* the bot may be let in again; said in the log, /health, metrics, to owners */
        rest_from_chat(d, d->error);
        put_off(d, d->was_uncertain ? "uncertain" : "pending", 0);
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

void delivery_judge_edit(struct delivery *d, const struct chat_result *result)
{
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
}
