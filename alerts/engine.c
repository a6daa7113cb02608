/* engine.c -- the rules of ringing, one fact after another.
 *
 * The state that a fact leaves for the next one of the same round (reopened? rung?) is in `struct
 * walk` and in the rings; what the round leaves for later is in the verdict. */
#include "alerts/engine.h"

#include "core/limits.h"

enum { RINGS_A_ROUND_MAX = 20 };
static const int64_t STILL_FIRING_MS = INT64_C(24) * 3600 * 1000;

struct walk {
    const struct engine_config *config;
    int64_t now_ms;
    bool resolved;
    bool taken;
    bool regression; /* reopened in this round after a person's resolve, not rung yet */
    struct verdict *out;
    struct rings *rings;
};

bool engine_is_muted(const struct fact *f, int64_t now_ms)
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

/* The group's ring in that chat, made with what is remembered of it. */
static struct ring *ring_in(struct walk *w, const struct route *route, const struct fact *f)
{
    for (size_t i = 0; i < w->out->rings_count; i++) {
        struct ring *r = &w->rings->rings[w->out->first_ring + i];
        if (r->chat_id == route->chat_id)
            return r;
    }
    struct ring *r = store_rings_add(w->rings);
    w->out->rings_count++;
    r->chat_id = route->chat_id;
    for (size_t i = 0; i < f->states_count; i++)
        if (f->states[i].chat_id == route->chat_id) {
            r->last_ring_ms = f->states[i].last_ring_ms;
            r->held = f->states[i].held;
        }
    return r;
}

static void ring(struct walk *w, struct ring *r, const struct route *route, const struct fact *f,
                 const struct subject *subject)
{
    int64_t rings = 1;
    if (route->cooldown_ms == 0)
        rings = f->n < RINGS_A_ROUND_MAX ? f->n : RINGS_A_ROUND_MAX;
    struct hold hold = rules_hold(w->config->rules, subject, route->chat_id);
    r->reason = subject->is_regression ? "regression" : r->last_ring_ms > 0 ? "again" : "new";
    r->held_said += r->held;
    r->held = f->n - rings;
    r->rings += (int)rings;
    r->remember = true;
    r->last_ring_ms = w->now_ms;
    r->thread_id = route->thread_id;
    r->rule_id = route->rule_id;
    r->language = route->language;
    r->silent = route->silent || hold.silent;
    r->hold = hold.name;
    r->hold_about = hold.about;
    r->hold_until_ms = hold.until_ms;
    r->held_by = hold.by;
    r->environment = f->environment;
}

struct subject engine_subject(const struct fact *f, bool is_regression, int64_t now_ms)
{
    return (struct subject){
        .group_id = f->group_id,
        .severity = f->severity,
        .origin = f->origin,
        .project = f->project,
        .environment = f->environment,
        .handler = f->handler,
        .title = f->title,
        .is_new = f->is_new,
        .is_regression = is_regression,
        .quiet_ms = f->quiet_since_ms ? f->created_ms - f->quiet_since_ms : 0,
        .minutes = f->minutes,
        .events = f->n,
        .now_ms = now_ms,
    };
}

static void on_event(struct walk *w, const struct fact *f)
{
    struct route routes[ROUTES_MAX];
    w->out->edit_count = true;
    w->out->events += f->n;
    if (w->resolved && f->occurred_max_ms <= f->resolved_ms)
        return; /* it happened before the resolve: counted only */
    if (w->resolved)
        reopen(w, f);
    else if (w->out->reopen && f->severity > w->out->reopen_severity)
        w->out->reopen_severity = f->severity;
    if (engine_is_muted(f, w->now_ms))
        return;
    struct subject subject = engine_subject(f, w->regression, w->now_ms);
    subject.events = w->out->events;
    size_t count = rules_route(w->config->rules, &w->config->root, &subject, routes, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &routes[i];
        struct ring *r = ring_in(w, route, f);
        bool still_firing = w->taken && w->now_ms - f->taken_ms >= STILL_FIRING_MS;
        bool cooling = r->last_ring_ms > 0 && w->now_ms - r->last_ring_ms < route->cooldown_ms;
        bool waits = (w->taken && !still_firing) || cooling;
        if (waits && !subject.is_regression) {
            r->held += f->n;
            r->remember = true;
        } else {
            ring(w, r, route, f, &subject);
            w->regression = false;
        }
    }
}

struct verdict engine_decide(const struct engine_config *config, const struct fact *facts,
                             size_t count, int64_t now_ms, struct rings *rings)
{
    struct verdict v = {.group_id = facts[0].group_id, .first_ring = rings->count};
    struct walk w = {
        .config = config,
        .now_ms = now_ms,
        .resolved = facts[0].status == STATUS_RESOLVED,
        .taken = facts[0].status == STATUS_IN_PROGRESS,
        .out = &v,
        .rings = rings,
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
