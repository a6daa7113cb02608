/* decider.c -- rounds: take facts, decide by the pure engine, settle; and the upkeep of counters.
 *
 *     tick or poke --any?--> (rules changed: read them) --> take --facts--> decide --> settle
 *                                                       ^--more?-- decided <--committed--/     */
#include "alerts/decider.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "store/feedback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decider {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct decider_config config;
    struct decider_events events;
    ev_timer tick;
    ev_timer soon;    /* a poke that waits for its turn */
    int64_t began_ms; /* the last round */
    bool busy;
    bool again; /* poked while busy */
    bool full;  /* the round was cut by its bound: there is more */
    bool held;  /* it is not known yet which chat alerts go to */
    bool said_no_chat;
    unsigned ticks;
    struct rules *rules;              /* version -1: to be read */
    int64_t rules_version;            /* that the database has */
    char trouble[ERR_TEXT_BYTES_MAX]; /* why its rules can't be read; "" */
    struct round round;
};

static const double TICK_SECONDS = 0.5;
enum { NOTES_EVERY_TICKS = 2, LEAVES_EVERY_TICKS = 20, OLD_EVERY_TICKS = 600 };
/* The first event after a pause is decided on at once; in a storm a round is for many batches. */
enum { ROUND_MS_MIN = 50 };

/* What group_delta holds for rows that are free again; the rest waits on. */
static const char DELTA_SQL[] =
    "WITH free AS (SELECT id FROM error_group WHERE id IN (SELECT group_id FROM group_delta) "
    "ORDER BY id FOR NO KEY UPDATE SKIP LOCKED), "
    "d AS (DELETE FROM group_delta WHERE group_id IN (SELECT id FROM free) RETURNING *), "
    "s AS (SELECT group_id, sum(occurrences) AS n, sum(users) AS users, max(last_seen) AS seen, "
    "max(array_position(ARRAY['debug', 'info', 'warning', 'error', 'critical'], severity)) AS rank "
    "FROM d GROUP BY group_id) "
    "UPDATE error_group g SET occurrences = g.occurrences + s.n, "
    "users_affected = g.users_affected + s.users, last_seen = greatest(g.last_seen, s.seen), "
    "severity = (ARRAY['debug', 'info', 'warning', 'error', 'critical'])[greatest(s.rank, "
    "array_position(ARRAY['debug', 'info', 'warning', 'error', 'critical'], g.severity))] "
    "FROM s WHERE g.id = s.group_id";

/* Merged groups whose row somebody held when the status of their root changed. */
static const char LEAVES_SQL[] =
    "UPDATE error_group g SET status = r.status FROM error_group r WHERE r.id = g.merged_into "
    "AND g.id IN (SELECT m.id FROM error_group m JOIN error_group k ON k.id = m.merged_into "
    "WHERE m.merged_into IS NOT NULL AND m.status <> k.status ORDER BY m.id "
    "FOR NO KEY UPDATE OF m SKIP LOCKED)";

/* What rules about rates and inhibition need no more. */
static const char *const OLD_SQL[] = {
    "DELETE FROM group_minute WHERE minute < now() - interval '61 minutes'",
    "DELETE FROM event_counted WHERE received_at < now() - interval '25 hours'",
    "DELETE FROM alert_rang WHERE adopted_at < now() - interval '2 days'",
    "DELETE FROM alert_rang WHERE rang_at < now() - interval '31 days'",
    "DELETE FROM alert_firing WHERE seen_at < now() - interval '1 day'",
};

static void begin(struct decider *d);
static void begin_in_turn(struct decider *d);

static struct facts_config facts_config(const struct decider *d)
{
    return (struct facts_config){
        .holder = store_lease_holder(d->lease),
        .epoch = store_lease_epoch(d->lease),
        .has_rates = d->rules->has_rates,
    };
}

static void finish(struct decider *d)
{
    d->busy = false;
    bool full = d->full;
    bool again = d->again;
    d->again = d->full = false;
    if (full)
        begin(d);
    else if (again)
        begin_in_turn(d);
}

static void begin_in_turn(struct decider *d)
{
    int64_t wait_ms = d->began_ms + ROUND_MS_MIN - clock_mono_ms();
    if (wait_ms <= 0) {
        begin(d);
    } else if (!ev_is_active(&d->soon)) {
        ev_timer_set(&d->soon, (double)wait_ms / 1000, 0);
        ev_timer_start(d->loop, &d->soon);
    }
}

static void on_soon(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    decider_poke(timer->data);
}

static void round_fini(struct round *round)
{
    free(round->verdicts);
    free(round->firings);
    store_rings_fini(&round->rings);
    *round = (struct round){0};
}

static void on_settled(void *ctx, const struct err *err)
{
    struct decider *d = ctx;
    bool any = d->round.count > 0;
    round_fini(&d->round);
    if (err) {
        log_warn("alert decisions not stored, they are made again", LOG_S("error", err->text),
                 LOG_END);
        d->rules->version = -1; /* what fired in this round is not in the database */
    } else if (any) {
        d->events.decided(d->events.ctx);
    }
    d->full = d->full && !err;
    finish(d);
}

static void note_verdict(struct decider *d, const struct verdict *v)
{
    for (size_t i = 0; i < v->rings_count; i++) {
        const struct ring *r = &d->round.rings.rings[v->first_ring + i];
        metric_add(METRIC_ALERTS_RUNG, r->rings);
        metric_add(METRIC_ALERTS_HELD, r->rings == 0 && r->remember);
        if (r->rings && !r->chat_id && !d->said_no_chat) {
            log_warn("an alert has nowhere to ring: set ERROR_ALERT_CHAT_ID",
                     LOG_I("group", v->group_id), LOG_END);
            d->said_no_chat = true;
        }
    }
}

/* Only what is told itself holds others back: not what is muted, was over before it was resolved, or is
 * held back by a source. Of two that hold each other the first one rings. */
static bool is_source(const struct rules *rules, const struct fact *f, const struct subject *s)
{
    bool over = f->status == STATUS_RESOLVED && f->occurred_max_ms <= f->resolved_ms;
    if (f->kind != FACT_EVENT || over || engine_is_muted(f, s->now_ms))
        return false;
    struct hold hold = rules_hold(rules, s, 0);
    return !hold.name || hold.name[0] != 'i';
}

/* Once a round for each source. */
static void note_fired(struct round *round, const struct inhibition *by, const struct fact *f)
{
    const char *environment = f->environment ? f->environment : "";
    for (size_t i = 0; i < round->firings_count; i++) {
        const struct firing_change *c = &round->firings[i];
        if (c->inhibition_id == by->id && c->group_id == f->group_id &&
            strcmp(c->environment ? c->environment : "", environment) == 0)
            return;
    }
    round->firings[round->firings_count++] =
        (struct firing_change){by->id, f->group_id, f->environment, round->now_ms + by->span_ms};
}

/* Sources of inhibition first: what they hold back may be in the same round. */
static void note_firings(struct decider *d, const struct fact *facts, size_t count)
{
    struct round *round = &d->round;
    struct rules *rules = d->rules;
    if (rules->inhibitions_count == 0)
        return;
    round->firings = mem_alloc((count * (rules->inhibitions_count + 1)) * sizeof *round->firings);
    for (size_t i = 0; i < count; i++) {
        const struct fact *f = &facts[i];
        struct subject s = engine_subject(f, false, round->now_ms);
        if (f->kind == FACT_CHANGE && f->status == STATUS_RESOLVED &&
            rules_cease(rules, f->group_id))
            round->firings[round->firings_count++] =
                (struct firing_change){.group_id = f->group_id};
        bool source = is_source(rules, f, &s);
        for (size_t k = 0; source && k < rules->inhibitions_count; k++)
            if (rules_fire(rules, k, &s))
                note_fired(round, &rules->inhibitions[k], f);
    }
}

static void on_facts(void *ctx, const struct fact *facts, size_t count, int64_t now_ms,
                     const struct err *err)
{
    struct decider *d = ctx;
    struct engine_config config = {d->config.root, d->rules};
    if (err || now_ms == 0) {
        if (err)
            log_warn("alert facts not read, tried again", LOG_S("error", err->text), LOG_END);
        d->again = false; /* the tick tries again, not this moment */
        finish(d);
        return;
    }
    d->round = (struct round){.now_ms = now_ms};
    d->round.verdicts = mem_alloc((count + 1) * sizeof *d->round.verdicts);
    d->full = count == DUE_ROWS_MAX;
    note_firings(d, facts, count);
    for (size_t from = 0; from < count;) {
        size_t to = from + 1;
        while (to < count && facts[to].group_id == facts[from].group_id)
            to++;
        struct verdict *v = &d->round.verdicts[d->round.count++];
        *v = engine_decide(&config, facts + from, to - from, now_ms, &d->round.rings);
        note_verdict(d, v);
        from = to;
    }
    struct facts_config settle = facts_config(d);
    store_facts_settle(d->pg, &settle, &d->round, on_settled, d);
}

static void on_rules(void *ctx, struct rules *rules, const struct err *err)
{
    struct decider *d = ctx;
    if (err) {
        snprintf(d->trouble, sizeof d->trouble, "%s", err->text);
        log_warn("alert rules not read: those read last hold until they can be",
                 LOG_S("error", err->text), LOG_END);
        d->busy = d->again = false;
        if (d->rules->version < 0 || !pg_is_up(d->pg))
            return;
        d->rules->version = d->rules_version; /* the next change, or the next holder, tries again */
        begin(d);
        return;
    }
    d->trouble[0] = '\0';
    store_rules_free(d->rules);
    d->rules = rules;
    d->rules_version = rules->version;
    d->events.rules_read(d->events.ctx, rules);
    d->busy = false;
    begin(d);
}

static void begin(struct decider *d)
{
    if (d->held || !store_lease_is_held(d->lease) || !pg_is_up(d->pg))
        return;
    d->busy = true;
    d->began_ms = clock_mono_ms();
    if (d->rules->version != d->rules_version || d->rules->version < 0) {
        store_rules_load(d->pg, on_rules, d);
        return;
    }
    struct facts_config config = facts_config(d);
    store_facts_take(d->pg, &config, on_facts, d);
}

static void on_held_settled(void *ctx, const struct err *err)
{
    struct decider *d = ctx;
    if (err)
        log_warn("held alerts are asked again later", LOG_S("error", err->text), LOG_END);
    else
        d->events.decided(d->events.ctx);
    d->busy = false;
    begin(d);
}

/* What was held and is due may be held on, by something else. */
static void on_held(void *ctx, const struct held_row *rows, size_t count, int64_t now_ms,
                    const struct err *err)
{
    struct decider *d = ctx;
    struct facts_config config = facts_config(d);
    if (err || count == 0) {
        d->busy = false;
        return;
    }
    struct held_verdict *verdicts = mem_alloc(count * sizeof *verdicts);
    for (size_t i = 0; i < count; i++) {
        struct subject s = engine_subject(&rows[i].fact, false, now_ms);
        struct hold hold = rules_hold(d->rules, &s, rows[i].chat_id);
        verdicts[i] =
            (struct held_verdict){rows[i].id, hold.name, hold.about, hold.until_ms, hold.by};
    }
    store_held_settle(d->pg, &config, verdicts, count, on_held_settled, d);
    free(verdicts);
}

static void on_any(void *ctx, bool any, bool held_due, int64_t rules_version)
{
    struct decider *d = ctx;
    d->busy = false;
    if (rules_version >= 0)
        d->rules_version = rules_version;
    if (held_due && d->rules->version >= 0 && d->rules_version == d->rules->version) {
        d->busy = true;
        store_held_due(d->pg, on_held, d);
        return;
    }
    if (any || d->again || d->rules_version != d->rules->version) {
        d->again = false;
        begin(d);
    }
}

static void on_notes(void *ctx, int64_t queued, const struct err *err)
{
    struct decider *d = ctx;
    if (err)
        log_debug("words of users not queued", LOG_S("error", err->text), LOG_END);
    else if (queued)
        d->events.decided(d->events.ctx);
}

static void on_delta(void *ctx, const struct pg_reply *reply)
{
    (void)ctx;
    if (reply->err)
        log_debug("counters not caught up", LOG_S("error", reply->err->text), LOG_END);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct decider *d = timer->data;
    if (d->busy || d->held || !store_lease_is_held(d->lease) || !pg_is_up(d->pg))
        return;
    d->busy = true;
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, DELTA_SQL);
    if (d->ticks % LEAVES_EVERY_TICKS == 0) {
        pg_add(batch, "SELECT set_config('nabat.source', 'service', true), "
                      "set_config('nabat.actor', 'nabat', true)");
        pg_add(batch, LEAVES_SQL);
    }
    for (size_t i = 0; d->ticks % OLD_EVERY_TICKS == 0 && i < sizeof OLD_SQL / sizeof *OLD_SQL; i++)
        pg_add(batch, OLD_SQL[i]);
    pg_run(d->pg, batch, on_delta, d);
    d->ticks++;
    if (d->ticks % NOTES_EVERY_TICKS == 0)
        store_notes_queue(d->pg, on_notes, d);
    store_facts_any(d->pg, on_any, d);
}

struct decider *decider_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                            const struct decider_config *config,
                            const struct decider_events *events)
{
    struct decider *d = mem_alloc(sizeof *d);
    d->loop = loop;
    d->pg = pg;
    d->lease = lease;
    d->config = *config;
    d->events = *events;
    d->rules = store_rules_new();
    ev_timer_init(&d->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    d->tick.data = d;
    ev_timer_start(loop, &d->tick);
    ev_init(&d->soon, on_soon);
    d->soon.data = d;
    return d;
}

void decider_free(struct decider *d)
{
    if (!d)
        return;
    ev_timer_stop(d->loop, &d->tick);
    ev_timer_stop(d->loop, &d->soon);
    round_fini(&d->round);
    store_rules_free(d->rules);
    free(d);
}

void decider_poke(struct decider *d)
{
    if (d->busy)
        d->again = true;
    else
        begin_in_turn(d);
}

const char *decider_trouble(const struct decider *d)
{
    return d->trouble;
}

void decider_begin_anew(struct decider *d)
{
    d->rules->version = -1;
    decider_poke(d);
}

void decider_hold(struct decider *d, bool hold)
{
    d->held = hold;
    if (!hold)
        decider_poke(d);
}

void decider_set_chat(struct decider *d, int64_t chat_id)
{
    d->config.root.chat_id = chat_id;
}
