/* lane.c -- the order of things in one chat. */
#include "alerts/lane.h"

#include "core/limits.h"
#include "store/channel.h"

struct thinking {
    const struct chat_view *view;
    const struct pacer *pacer;
    int64_t now_ms;
    int64_t wait_ms; /* the shortest that was met; -1: none */
};

static void wait_at_most(struct thinking *t, int64_t ms)
{
    if (ms >= 0 && (t->wait_ms < 0 || ms < t->wait_ms))
        t->wait_ms = ms;
}

enum pace lane_pace(enum lane_act act)
{
    return act == LANE_EDIT_COUNTS                 ? PACE_COUNT
           : act == LANE_EDIT || act == LANE_CLOSE ? PACE_EDIT
                                                   : PACE_ALERT;
}

/* Whether the pace allows it; else how long it does not. */
static bool may(struct thinking *t, enum lane_act act)
{
    int64_t wait = pacer_wait(t->pacer, t->view->chat_id, lane_pace(act), t->now_ms);
    if (wait > 0)
        wait_at_most(t, wait);
    return wait == 0;
}

/* `ago_ms` must reach `seconds`. */
static bool is_time(struct thinking *t, int64_t ago_ms, int64_t seconds)
{
    if (ago_ms >= seconds * 1000)
        return true;
    wait_at_most(t, seconds * 1000 - ago_ms);
    return false;
}

/* It is not in the chat yet, and its next try is far: others do not wait for it. */
static bool rests(const struct digest_view *d)
{
    return d->id && !d->is_sent && d->next_try_ms > DIGEST_REST_SECONDS * 1000;
}

/* What becomes part of a digest now; false: nothing does. */
static bool wants_fold(const struct thinking *t, enum digest_reason *reason)
{
    const struct chat_view *v = t->view;
    const struct digest_view *d = &v->digest;
    int64_t left = pacer_left(t->pacer, v->chat_id, t->now_ms);
    int64_t enough = left > STORM_ALERTS_MIN ? left : STORM_ALERTS_MIN;
    bool storm_goes_on = d->id && !rests(d) && d->reason == DIGEST_STORM &&
                         d->opened_ago_ms < STORM_SECONDS_MAX * 1000;
    bool rang_elsewhere = v->held_due > 0 && v->held_reason == DIGEST_FALLBACK;
    if (rang_elsewhere || (v->held_due > 1 && !v->is_out)) {
        *reason = v->held_reason;
        return true;
    }
    if (v->is_out)
        return false;
    bool storm = v->due > 0 && (storm_goes_on || (v->due > enough && v->late == 0));
    *reason = storm ? DIGEST_STORM : DIGEST_LATE;
    return storm || v->late > 0;
}

/* What the open digest wants; LANE_WAIT: nothing now. */
static enum lane_act digest_act(struct thinking *t)
{
    const struct digest_view *d = &t->view->digest;
    if (!d->id)
        return LANE_WAIT;
    if (d->next_try_ms > 0) {
        wait_at_most(t, d->next_try_ms);
        return LANE_WAIT;
    }
    if (!d->is_sent)
        return may(t, LANE_DIGEST) ? LANE_DIGEST : LANE_WAIT;
    /* where nothing can be edited it is said anew */
    int64_t again_s =
        t->view->chat_id >= CHANNEL_ID_MIN ? CHANNEL_DIGEST_SECONDS : DIGEST_EDIT_SECONDS_MIN;
    bool over = d->reason != DIGEST_STORM || d->added_ago_ms >= STORM_OVER_SECONDS * 1000;
    bool unlisted = d->rows > DIGEST_ROWS && d->listed_rows < d->rows;
    if (d->shown_rows < d->rows || d->is_stale)
        return is_time(t, d->shown_ago_ms, again_s) && may(t, LANE_EDIT) ? LANE_DIGEST : LANE_WAIT;
    if (unlisted && (over || is_time(t, d->opened_ago_ms, DIGEST_LIST_SECONDS)) &&
        (over || !d->listed_rows))
        return may(t, LANE_LIST) ? LANE_LIST : LANE_WAIT;
    if (d->is_closed)
        return LANE_WAIT;
    if (over)
        return may(t, LANE_CLOSE) ? LANE_CLOSE : LANE_WAIT;
    wait_at_most(t, STORM_OVER_SECONDS * 1000 - d->added_ago_ms);
    return LANE_WAIT;
}

struct lane_step lane_next(const struct chat_view *view, const struct pacer *pacer, int64_t now_ms)
{
    struct thinking t = {view, pacer, now_ms, -1};
    struct lane_step step = {.act = LANE_FOLD};
    if (wants_fold(&t, &step.reason))
        return step;
    /* a digest that is not sent yet stands for more than one alert */
    bool digest_first = view->digest.id && !view->digest.is_sent && !rests(&view->digest);
    int64_t single = view->due + view->again_due + view->held_due + view->notes_due;
    if (!digest_first && single > 0 && may(&t, LANE_CARD))
        return (struct lane_step){.act = LANE_CARD};
    if (view->changes > 0 && !digest_first && may(&t, LANE_EDIT))
        return (struct lane_step){.act = LANE_EDIT};
    step.act = digest_act(&t);
    if (step.act != LANE_WAIT)
        return step;
    if (view->counts > 0 && may(&t, LANE_EDIT_COUNTS))
        return (struct lane_step){.act = LANE_EDIT_COUNTS};
    wait_at_most(&t, view->next_ms);
    step.wait_ms = t.wait_ms;
    return step;
}
