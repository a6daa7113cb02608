/* engine.c -- the rules of ringing, one fact after another.
 *
 * The state that a fact leaves for the next one of the same round (reopened? rung?) is in `struct
 * walk`; what the round leaves for later is in the verdict. */
#include "alerts/engine.h"

enum { RINGS_A_ROUND_MAX = 20 };
static const int64_t STILL_FIRING_MS = INT64_C(24) * 3600 * 1000;

struct walk {
    const struct engine_config *config;
    int64_t now_ms;
    bool resolved;
    bool taken;
    bool regression; /* reopened in this round after a person's resolve, not rung yet */
    int64_t last_ring_ms;
    struct verdict *out;
};

static bool is_muted(const struct fact *f, int64_t now_ms)
{
    return f->muted_until_ms > now_ms ||
           (f->muted_until_count > 0 && f->occurrences <= f->muted_until_count);
}

static void reopen(struct walk *w, const struct fact *f)
{
    w->resolved = false;
    w->taken = false;
    w->regression = f->resolved_by_person && f->kind == FACT_EVENT;
    w->out->reopen = true;
    w->out->reopen_severity = f->severity;
    w->out->edit_change = true;
}

static void hold(struct walk *w, int64_t n)
{
    w->out->held += n;
    w->out->remember = true;
}

static void ring(struct walk *w, const struct fact *f, const char *reason)
{
    struct verdict *v = w->out;
    int64_t rings = 1;
    if (w->config->cooldown_ms == 0)
        rings = f->n < RINGS_A_ROUND_MAX ? f->n : RINGS_A_ROUND_MAX;
    v->held_said += v->held;
    v->held = f->n - rings;
    v->rings += (int)rings;
    v->reason = reason;
    v->remember = true;
    w->last_ring_ms = w->now_ms;
    w->regression = false;
}

static void on_event(struct walk *w, const struct fact *f)
{
    w->out->edit_count = true;
    if (w->resolved && f->occurred_max_ms <= f->resolved_ms)
        return; /* it happened before the resolve: counted only */
    if (w->resolved)
        reopen(w, f);
    else if (w->out->reopen && f->severity > w->out->reopen_severity)
        w->out->reopen_severity = f->severity;
    if (is_muted(f, w->now_ms) || f->severity < w->config->ring_min)
        return;
    if (w->regression) {
        ring(w, f, "regression");
        return;
    }
    bool still_firing = w->taken && w->now_ms - f->taken_ms >= STILL_FIRING_MS;
    bool cooling = w->last_ring_ms > 0 && w->now_ms - w->last_ring_ms < w->config->cooldown_ms;
    if ((w->taken && !still_firing) || cooling)
        hold(w, f->n);
    else
        ring(w, f, w->last_ring_ms > 0 ? "again" : "new");
}

struct verdict engine_decide(const struct engine_config *config, const struct fact *facts,
                             size_t count, int64_t now_ms)
{
    struct verdict v = {.group_id = facts[0].group_id, .held = facts[0].held, .reason = "new"};
    struct walk w = {
        .config = config,
        .now_ms = now_ms,
        .resolved = facts[0].status == STATUS_RESOLVED,
        .taken = facts[0].status == STATUS_IN_PROGRESS,
        .last_ring_ms = facts[0].last_ring_ms,
        .out = &v,
    };
    for (size_t i = 0; i < count; i++) {
        const struct fact *f = &facts[i];
        if (f->kind == FACT_CHANGE)
            v.edit_change = true;
        else if (f->kind == FACT_EVENT)
            on_event(&w, f);
        else if (w.resolved && f->resolved_ms < f->created_ms)
            reopen(&w, f); /* it could not be done in its own round: somebody held the row */
    }
    return v;
}
