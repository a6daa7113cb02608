/* chat_pace.c -- answers to people go at their chat's pace, in order, and wait out a 429.
 *
 *     answer --room?--> call          --none: behind those that wait--> pump --room--> call
 *                        \--429--> in front of those that wait, three times at most              */
#include "alerts/chat_internal.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/metric.h"

void chat_finish(struct sending *s, const struct chat_result *result)
{
    if (s->done)
        s->done(s->ctx, result);
    else if (result->outcome != TG_OK)
        log_warn("message not sent", LOG_S("method", s->method), LOG_S("error", result->text),
                 LOG_END);
    chat_sending_free(s);
}

static bool waits_behind(const struct sending *from, const struct sending *to, int64_t chat_id)
{
    for (; from != to; from = from->next)
        if (from->message.chat_id == chat_id)
            return true;
    return false;
}

/* Milliseconds until it may go; nobody overtakes within a chat. */
static int64_t wait_of(const struct sending *s)
{
    return s->dropped
               ? 0
               : pacer_wait(s->chat->pacer, s->message.chat_id, PACE_ANSWER, clock_mono_ms());
}

static void go(struct sending *s)
{
    struct chat_result result = {.outcome = TG_TOO_MANY, .text = "too many answers wait already"};
    if (s->dropped) {
        chat_finish(s, &result);
        return;
    }
    pacer_take(s->chat->pacer, s->message.chat_id, PACE_ANSWER, clock_mono_ms());
    chat_call(s);
}

static void pump(struct chat_telegram *t)
{
    int64_t next_ms = -1;
    struct sending **slot = &t->waiting;
    while (*slot) {
        struct sending *s = *slot;
        int64_t wait = wait_of(s);
        bool behind = !s->dropped && waits_behind(t->waiting, s, s->message.chat_id);
        if (wait == 0 && !behind) {
            *slot = s->next;
            t->waiting_count--;
            go(s);
            continue;
        }
        if (!behind && (next_ms < 0 || wait < next_ms))
            next_ms = wait;
        slot = &s->next;
    }
    ev_timer_stop(t->loop, &t->pump);
    if (next_ms >= 0) {
        ev_timer_set(&t->pump, (double)next_ms / 1000.0 + 0.001, 0);
        ev_timer_start(t->loop, &t->pump);
    }
}

void chat_on_pump(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    pump(timer->data);
}

/* At the end of those that wait, or in front of them after a 429. */
static void enqueue(struct sending *s, bool in_front)
{
    struct chat_telegram *t = s->chat;
    struct sending **slot = &t->waiting;
    while (*slot && !in_front)
        slot = &(*slot)->next;
    s->next = *slot;
    *slot = s;
    t->waiting_count++;
    if (!ev_is_active(&t->pump) || s->dropped || in_front) {
        ev_timer_stop(t->loop, &t->pump);
        ev_timer_set(&t->pump, 0.001, 0);
        ev_timer_start(t->loop, &t->pump);
    }
}

void chat_answer_at_pace(struct sending *s)
{
    struct chat_telegram *t = s->chat;
    if (!waits_behind(t->waiting, NULL, s->message.chat_id) && wait_of(s) == 0) {
        go(s);
        return;
    }
    s->dropped = t->waiting_count >= ANSWERS_WAITING_MAX;
    metric_add(METRIC_ANSWERS_DROPPED, s->dropped);
    enqueue(s, false);
}

/* Somebody waits for this answer, and nobody else would send it again. */
bool chat_put_off(struct sending *s, const struct tg_answer *answer)
{
    if (s->message.patient && answer->outcome == TG_TOO_MANY)
        pacer_refused(s->chat->pacer, s->message.chat_id, answer->retry_after_s, clock_mono_ms());
    if (!s->message.patient || !s->html || answer->outcome != TG_TOO_MANY ||
        answer->retry_after_s > 60 || ++s->tries > 3)
        return false;
    enqueue(s, true);
    return true;
}
