/* delivery_judge.c -- what the answer to an alert, an edit or a digest means: done, later, once more,
 * never. */
#include "alerts/delivery_internal.h"

#include "alerts/backoff.h"
#include "core/clock.h"
#include "core/histogram.h"
#include "core/log.h"
#include "core/metric.h"
#include "core/random.h"
#include "store/chat.h"

#include <stdio.h>

/* How the alert chat is; the others show in the outbox and in metrics. */
static void note_health(struct lane *lane, const struct chat_result *result)
{
    struct delivery *d = lane->delivery;
    bool about_message = result->outcome == TG_NO_MESSAGE || result->outcome == TG_REFUSED;
    if (lane->chat_id != d->config.chat_id || about_message)
        return;
    if (result->outcome == TG_OK) {
        d->health.waiting_for_chat = false;
        d->health.trouble[0] = '\0';
        return;
    }
    d->health.waiting_for_chat = true;
    snprintf(d->health.trouble, sizeof d->health.trouble, "%s", result->text ? result->text : "");
}

static void on_moved(void *ctx, const struct err *err)
{
    (void)ctx;
    if (err)
        log_error("the chat's move is not stored", LOG_S("error", err->text), LOG_END);
}

void delivery_follow(struct delivery *d, int64_t from, int64_t to)
{
    if (to == from)
        return;
    store_outbox_move_chat(d->pg, from, to, on_moved, d);
    if (from != d->config.chat_id)
        return;
    log_warn("the alert chat became a supergroup: set ERROR_ALERT_CHAT_ID to its new id",
             LOG_I("old", from), LOG_I("new", to), LOG_END);
    d->config.chat_id = to;
    d->events.moved(d->events.ctx, to);
}

/* The chat is asked again by one alert at a time, ever more rarely, not by all that wait. */
static void rest_from_chat(struct lane *lane, const char *trouble)
{
    struct delivery *d = lane->delivery;
    lane->gone_times++;
    lane->gone_until_ms = clock_mono_ms() + backoff_ms(lane->gone_times, random_u32());
    metric_add(METRIC_CHAT_REFUSALS, 1);
    if (lane->gone_times == 1 && lane->chat_id == d->config.chat_id)
        d->events.refused(d->events.ctx, trouble);
}

static int64_t backoff_s(int attempts)
{
    return (backoff_ms(attempts, random_u32()) + 999) / 1000;
}

static void put_off(struct lane *lane, const char *state, int64_t delay_s)
{
    lane->state = state;
    lane->delay_s = delay_s;
    metric_add(METRIC_ALERTS_RETRIED, 1);
}

static void sent(struct lane *lane, const struct chat_result *r)
{
    struct delivery *d = lane->delivery;
    lane->gone_times = 0;
    lane->sending.message_id = r->message_id;
    lane->sending.thread_id = r->thread_id;
    if (r->thread_gone)
        store_topic_forget(d->pg, lane->sending.chat_id, lane->message.thread_id);
    if (r->chat_id != lane->sending.chat_id) { /* the group moved while it was being sent */
        delivery_follow(d, lane->sending.chat_id, r->chat_id);
        lane->sending.chat_id = r->chat_id;
    }
    metric_add(METRIC_ALERTS_SENT, 1);
    histogram_observe(HISTOGRAM_ALERT_SECONDS, (double)(clock_mono_ms() - lane->due_ms) / 1000.0);
}

/* What an outcome means for an alert that was being sent. */
void lane_judge_alert(struct lane *lane, const struct chat_result *r)
{
    lane->failures = r->outcome == TG_OK ? 0 : lane->failures + 1;
    struct delivery *d = lane->delivery;
    const char *waiting = lane->lost_answers ? "uncertain" : "pending";
    note_health(lane, r);
    lane->state = NULL;
    lane->answer_lost = false;
    snprintf(lane->error, sizeof lane->error, "%s", r->text ? r->text : "");
    switch (r->outcome) {
    case TG_OK:
        sent(lane, r);
        return;
    case TG_TOO_MANY:
        pacer_refused(d->pacer, lane->chat_id, r->retry_after_s, clock_mono_ms());
        put_off(lane, waiting, r->retry_after_s);
        break;
    case TG_UNCERTAIN:
        /* once more, marked; after a second lost answer it is not sent again, but said in a digest of
         * what came late, unless a press has shown that it is there */
        lane->answer_lost = true;
        put_off(lane, "uncertain",
                ++lane->lost_answers < LOST_ANSWERS_MAX ? backoff_s(lane->attempts)
                                                        : lost_again_ms(lane->lost_answers) / 1000);
        break;
    case TG_CHAT_MOVED:
        delivery_follow(d, lane->sending.chat_id, r->migrate_to);
        put_off(lane, "pending", 0);
        return;
    case TG_UNREACHABLE:
        put_off(lane, waiting, backoff_s(lane->attempts));
        break;
    case TG_CONFLICT:
    case TG_UNAUTHORIZED: /* a token may be mended; the alert waits */
    case TG_CHAT_GONE: /* the bot may be let in again; said in the log, /health, metrics, to owners */
        rest_from_chat(lane, lane->error);
        put_off(lane, waiting, 0);
        break;
    default:
        lane->state = "failed";
        lane->delay_s = -1;
        metric_add(METRIC_ALERTS_FAILED, 1);
        break;
    }
    log_warn("alert not delivered", LOG_S("now", lane->state), LOG_S("error", lane->error),
             LOG_I("attempts", lane->attempts), LOG_END);
}

void lane_judge_card(struct lane *lane, const struct chat_result *result)
{
    note_health(lane, result);
    lane->card_outcome = CARD_EDITED;
    lane->delay_s = 0;
    if (result->outcome == TG_TOO_MANY) {
        pacer_refused(lane->delivery->pacer, lane->chat_id, result->retry_after_s, clock_mono_ms());
        lane->card_outcome = CARD_RETRY;
        lane->delay_s = result->retry_after_s;
    } else if (result->outcome == TG_UNREACHABLE || result->outcome == TG_UNCERTAIN ||
               result->outcome == TG_UNAUTHORIZED ||
               (result->outcome == TG_CHAT_GONE && lane_is_channel(lane))) {
        lane->card_outcome = CARD_RETRY; /* an edit may be repeated without harm */
        lane->delay_s = backoff_s(5);
    } else if (result->outcome != TG_OK) {
        log_warn("card can't be edited any more", LOG_S("error", result->text), LOG_END);
        lane->card_outcome = CARD_GONE;
    }
    if (result->outcome == TG_OK)
        metric_add(METRIC_ALERTS_EDITED, 1);
}

/* What an answer that is not OK means for a digest. */
static enum digest_outcome digest_later(struct lane *lane, const struct chat_result *r)
{
    struct digest_result *d = &lane->digest;
    bool may_be_there = r->outcome == TG_UNCERTAIN && !d->message_id;
    bool file_fails =
        lane->digest_act == LANE_LIST && (r->outcome == TG_UNCERTAIN || r->outcome == TG_CHAT_GONE);
    d->delay_s = backoff_s(lane->digest_tries + 1);
    if (file_fails) /* it may be there, or files are forbidden: the pages name them all the same */
        return DIGEST_LISTED;
    int lost = lane->digest_lost_answers + may_be_there;
    if (may_be_there && lost >= LOST_ANSWERS_MAX) /* twice is enough for a while */
        d->delay_s = lost_again_ms(lost) / 1000;
    switch (r->outcome) {
    case TG_TOO_MANY:
        pacer_refused(lane->delivery->pacer, lane->chat_id, r->retry_after_s, clock_mono_ms());
        d->delay_s = r->retry_after_s;
        return DIGEST_RETRY;
    case TG_CHAT_MOVED:
        delivery_follow(lane->delivery, d->chat_id, r->migrate_to);
        d->delay_s = 0;
        return DIGEST_RETRY;
    case TG_CONFLICT:
    case TG_UNAUTHORIZED:
    case TG_CHAT_GONE:
        rest_from_chat(lane, r->text);
        return DIGEST_RETRY;
    case TG_UNREACHABLE:
    case TG_UNCERTAIN:
        return may_be_there ? DIGEST_MAYBE : DIGEST_RETRY;
    default: /* the message is gone, or refused: what can't be said here is listed by /errors */
        if (lane->digest_act == LANE_LIST)
            return DIGEST_LISTED;
        if (d->message_id)
            return DIGEST_GONE;
        return lane->digest_tries < DIGEST_TRIES_MAX ? DIGEST_RETRY : DIGEST_REFUSED;
    }
}

void lane_judge_digest(struct lane *lane, const struct chat_result *r)
{
    struct digest_result *d = &lane->digest;
    lane->failures = r->outcome == TG_OK ? 0 : lane->failures + 1;
    note_health(lane, r);
    d->error = "";
    if (r->outcome != TG_OK) {
        d->outcome = digest_later(lane, r);
        snprintf(lane->error, sizeof lane->error, "%s", r->text ? r->text : "");
        d->error = lane->error;
        if (d->outcome == DIGEST_REFUSED)
            metric_add(METRIC_ALERTS_FAILED, d->rows);
        log_warn("digest not delivered", LOG_S("error", lane->error), LOG_END);
        return;
    }
    lane->gone_times = 0;
    if (r->chat_id != d->chat_id) { /* the group moved while it was being sent */
        delivery_follow(lane->delivery, d->chat_id, r->chat_id);
        d->chat_id = r->chat_id;
    }
    if (lane->digest_act == LANE_DIGEST && !d->message_id)
        d->message_id = r->message_id;
    d->outcome = lane->digest_act == LANE_LIST    ? DIGEST_LISTED
                 : lane->digest_act == LANE_CLOSE ? DIGEST_CLOSED
                                                  : DIGEST_SHOWN;
    metric_add(METRIC_DIGESTS_SHOWN, 1);
}
