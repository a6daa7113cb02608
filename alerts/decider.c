/* decider.c -- rounds: take facts, decide by the pure engine, settle; and the upkeep of counters.
 *
 *     tick or poke --any?--> take --facts--> decide --> settle --committed--> decided
 *                                                                  \--more?--> take            */
#include "alerts/decider.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "store/feedback.h"

#include <stdlib.h>

struct decider {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct decider_config config;
    void (*decided)(void *ctx);
    void *ctx;
    ev_timer tick;
    bool busy;
    bool again; /* poked while busy */
    bool full;  /* the round was cut by its bound: there is more */
    bool held;  /* it is not known yet which chat alerts go to */
    bool said_no_chat;
    unsigned ticks;
    struct verdict *verdicts;
    size_t count;
};

static const double TICK_SECONDS = 0.5;
enum { NOTES_EVERY_TICKS = 2, LEAVES_EVERY_TICKS = 20 };

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

static void begin(struct decider *d);

static struct facts_config facts_config(const struct decider *d)
{
    return (struct facts_config){
        .chat_id = d->config.chat_id,
        .thread_id = d->config.thread_id,
        .holder = store_lease_holder(d->lease),
        .epoch = store_lease_epoch(d->lease),
    };
}

static void finish(struct decider *d)
{
    d->busy = false;
    if (d->again || d->full) {
        d->again = d->full = false;
        begin(d);
    }
}

static void on_settled(void *ctx, const struct err *err)
{
    struct decider *d = ctx;
    bool any = d->count > 0;
    free(d->verdicts);
    d->verdicts = NULL;
    d->count = 0;
    if (err)
        log_warn("alert decisions not stored, they are made again", LOG_S("error", err->text),
                 LOG_END);
    else if (any)
        d->decided(d->ctx);
    d->full = d->full && !err;
    finish(d);
}

static void note_verdict(struct decider *d, const struct verdict *v)
{
    metric_add(METRIC_ALERTS_RUNG, v->rings);
    if (v->rings == 0 && v->remember)
        metric_add(METRIC_ALERTS_HELD, 1);
    if (v->rings && !d->config.chat_id && !d->said_no_chat) {
        log_warn("an alert has nowhere to ring: set ERROR_ALERT_CHAT_ID",
                 LOG_I("group", v->group_id), LOG_END);
        d->said_no_chat = true;
    }
}

static void on_facts(void *ctx, const struct fact *facts, size_t count, int64_t now_ms,
                     const struct err *err)
{
    struct decider *d = ctx;
    if (err || now_ms == 0) {
        if (err)
            log_warn("alert facts not read, tried again", LOG_S("error", err->text), LOG_END);
        d->again = false; /* the tick tries again, not this moment */
        finish(d);
        return;
    }
    d->verdicts = mem_alloc(count * sizeof *d->verdicts);
    d->count = 0;
    d->full = count == DUE_ROWS_MAX;
    for (size_t from = 0; from < count;) {
        size_t to = from + 1;
        while (to < count && facts[to].group_id == facts[from].group_id)
            to++;
        struct verdict v = engine_decide(&d->config.engine, facts + from, to - from, now_ms);
        note_verdict(d, &v);
        d->verdicts[d->count++] = v;
        from = to;
    }
    struct facts_config config = facts_config(d);
    store_facts_settle(d->pg, &config, d->verdicts, d->count, on_settled, d);
}

static void begin(struct decider *d)
{
    if (d->held || !store_lease_is_held(d->lease) || !pg_is_up(d->pg))
        return;
    d->busy = true;
    struct facts_config config = facts_config(d);
    store_facts_take(d->pg, &config, on_facts, d);
}

static void on_any(void *ctx, bool any)
{
    struct decider *d = ctx;
    d->busy = false;
    if (any || d->again) {
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
        d->decided(d->ctx);
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
    pg_run(d->pg, batch, on_delta, d);
    d->ticks++;
    if (d->config.chat_id && d->ticks % NOTES_EVERY_TICKS == 0)
        store_notes_queue(d->pg, d->config.chat_id, d->config.thread_id, on_notes, d);
    store_facts_any(d->pg, on_any, d);
}

struct decider *decider_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                            const struct decider_config *config, void (*decided)(void *ctx),
                            void *ctx)
{
    struct decider *d = mem_alloc(sizeof *d);
    d->loop = loop;
    d->pg = pg;
    d->lease = lease;
    d->config = *config;
    d->decided = decided;
    d->ctx = ctx;
    ev_timer_init(&d->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    d->tick.data = d;
    ev_timer_start(loop, &d->tick);
    return d;
}

void decider_free(struct decider *d)
{
    if (!d)
        return;
    ev_timer_stop(d->loop, &d->tick);
    free(d->verdicts);
    free(d);
}

void decider_poke(struct decider *d)
{
    if (d->busy)
        d->again = true;
    else
        begin(d);
}

void decider_hold(struct decider *d, bool hold)
{
    d->held = hold;
    if (!hold)
        decider_poke(d);
}

void decider_set_chat(struct decider *d, int64_t chat_id)
{
    d->config.chat_id = chat_id;
}
