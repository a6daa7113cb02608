/* facts_settle.c -- the second half of a round: everything that was decided, and COMMIT. */
#include "store/facts.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

static const char ACTOR_SQL[] = "SELECT set_config('nabat.source', 'service', true), "
                                "set_config('nabat.actor', 'nabat', true)";

/* A row that somebody holds can't be reopened now: the wish goes back among the facts. What came back is counted with its
 * newest event's release. */
static const char REOPEN_SQL[] =
    "WITH want AS (SELECT * FROM unnest($1::bigint[], $2::text[]) AS u (id, severity)), "
    "free AS (SELECT g.id, g.resolved_by_person FROM error_group g JOIN want w ON w.id = g.id "
    "WHERE g.status = 'resolved' ORDER BY g.id FOR NO KEY UPDATE OF g SKIP LOCKED), "
    "done AS (UPDATE error_group g SET status = 'new', severity = w.severity FROM want w "
    "WHERE w.id = g.id AND g.id IN (SELECT id FROM free) "
    "RETURNING g.id, g.project_id, g.severity, g.origin), "
    "back AS (INSERT INTO event_tally (cells, hours, groups, projects, severities, origins, "
    "releases, counts, regressed) SELECT count(*), array_agg(date_trunc('hour', now(), 'UTC')), "
    "array_agg(d.id), array_agg(d.project_id), array_agg(d.severity), array_agg(d.origin), "
    "array_agg(coalesce((SELECT e.release FROM event e WHERE e.group_id = d.id "
    "ORDER BY e.id DESC LIMIT 1), '')), array_agg(0), array_agg(1) FROM done d JOIN free f ON f.id "
    "= d.id "
    "WHERE f.resolved_by_person HAVING count(*) > 0) "
    "INSERT INTO alert_due (kind, group_id, severity) SELECT 'reopen', w.id, w.severity "
    "FROM want w JOIN error_group g ON g.id = w.id "
    "WHERE g.status = 'resolved' AND w.id NOT IN (SELECT id FROM done)";

static const char RING_SQL[] =
    "INSERT INTO alert_outbox (group_id, chat_id, thread_id, reason, held, rule_id, silent, "
    "language, hold, hold_about, held_by, next_try_at, environment, epoch) "
    "SELECT group_id, chat_id, nullif(thread_id, 0), reason, held, nullif(rule_id, 0), silent, "
    "nullif(language, ''), hold, hold_about, nullif(held_by, 0), "
    "coalesce(hold_until, now()), environment, $14 "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], "
    "$7::bool[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::timestamptz[], "
    "$13::text[]) "
    "AS u (group_id, chat_id, thread_id, reason, held, rule_id, silent, language, hold, "
    "hold_about, "
    "held_by, hold_until, environment)";
enum { RING_COLUMNS = 13 };

static const char REMEMBER_SQL[] =
    "INSERT INTO alert_state AS s (group_id, chat_id, last_ring_at, held) "
    "SELECT u.group_id, u.chat_id, CASE WHEN u.rang THEN clock_timestamp() END, u.held "
    "FROM unnest($1::bigint[], $2::bool[], $3::bigint[], $4::bigint[]) "
    "AS u (group_id, rang, held, chat_id) "
    "ON CONFLICT (group_id, chat_id) DO UPDATE SET held = excluded.held, last_ring_at = "
    "greatest(s.last_ring_at, excluded.last_ring_at)";

static const char MINUTES_SQL[] =
    "INSERT INTO group_minute AS m (group_id, minute, n) "
    "SELECT group_id, date_trunc('minute', now()), n FROM unnest($1::bigint[], $2::bigint[]) "
    "AS u (group_id, n) ON CONFLICT (group_id, minute) DO UPDATE SET n = m.n + excluded.n";

/* What a source holds back waits for as long as it fires, and an hour at most. */
static const char FIRED_SQL[] =
    "WITH f AS (INSERT INTO alert_firing AS f (inhibition_id, group_id, environment, seen_at) "
    "VALUES ($1, $2, $3, now()) ON CONFLICT (inhibition_id, group_id, environment) "
    "DO UPDATE SET seen_at = now()) "
    "UPDATE alert_outbox SET next_try_at = least(to_timestamp($4 / 1000.0), "
    "created_at + make_interval(secs => $5)) WHERE state = 'pending' AND hold = 'inhibited' "
    "AND is_free IS NOT TRUE "
    "AND held_by = $2";
static const char CEASED_SQL[] =
    "WITH f AS (DELETE FROM alert_firing WHERE group_id = $1) "
    "UPDATE alert_outbox SET next_try_at = now() WHERE state = 'pending' AND hold = 'inhibited' "
    "AND held_by = $1";

/* 'change' outranks 'count'; 'retire' is final; 'expire' only waits for its time. */
static const char EDIT_SQL[] =
    "UPDATE alert_card c SET edit = CASE WHEN u.change THEN 'change' "
    "ELSE coalesce(nullif(c.edit, 'expire'), 'count') END, "
    "edit_since = CASE WHEN c.edit = 'expire' THEN now() ELSE coalesce(c.edit_since, now()) END, "
    "edit_seq = c.edit_seq + 1, "
    "edit_tries = CASE WHEN u.change THEN 0 ELSE c.edit_tries END "
    "FROM unnest($1::bigint[], $2::bool[]) AS u (group_id, change) "
    "WHERE c.group_id = u.group_id AND c.is_current AND c.edit IS DISTINCT FROM 'retire'";

/* Digests of the last day show what became of the errors that they name. */
static const char STALE_SQL[] =
    "UPDATE alert_digest SET stale = true, changes = changes + 1 "
    "WHERE opened_at > now() - interval '1 day' AND chat_id < 5000000000000000 "
    "AND message_id IS NOT NULL AND id IN (SELECT digest_id FROM alert_outbox "
    "WHERE digest_id IS NOT NULL AND group_id = ANY($1::bigint[]))";

struct settle_call {
    settled_fn *done;
    void *ctx;
    struct pg *pg;
};

static void on_settled(void *ctx, const struct pg_reply *reply)
{
    struct settle_call *call = ctx;
    if (reply->err && !reply->unknown)
        store_facts_roll_back(call->pg);
    call->done(call->ctx, reply->err);
    free(call);
}

static void add_reopens(struct pg_batch *batch, const struct verdict *v, size_t count)
{
    struct pg_array ids;
    struct pg_array severities;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    pg_array_init(&severities, PG_TEXT_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        if (v[i].reopen) {
            pg_array_i64(&ids, v[i].group_id);
            pg_array_text(&severities, severity_name(v[i].reopen_severity));
        }
    if (ids.count) {
        pg_add(batch, REOPEN_SQL);
        pg_array_param(batch, &ids);
        pg_array_param(batch, &severities);
    }
    pg_array_fini(&ids);
    pg_array_fini(&severities);
}

static void add_ring_row(struct pg_array *c, int64_t group_id, const struct ring *r, int64_t held)
{
    pg_array_i64(&c[0], group_id);
    pg_array_i64(&c[1], r->chat_id);
    pg_array_i64(&c[2], r->thread_id);
    pg_array_text(&c[3], r->reason);
    pg_array_i64(&c[4], held);
    pg_array_i64(&c[5], r->rule_id);
    pg_array_bool(&c[6], r->silent);
    pg_array_text(&c[7], r->language);
    pg_array_text(&c[8], r->hold);
    pg_array_text(&c[9], r->hold_about);
    pg_array_i64(&c[10], r->held_by);
    if (r->hold)
        pg_array_time(&c[11], r->hold_until_ms);
    else
        pg_array_null(&c[11]);
    pg_array_text(&c[12], r->environment);
}

static void add_rings(struct pg_batch *batch, const struct facts_config *config,
                      const struct round *round)
{
    static const enum pg_array_type TYPES[RING_COLUMNS] = {
        PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY,
        PG_INT8_ARRAY, PG_BOOL_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
        PG_INT8_ARRAY, PG_TIME_ARRAY, PG_TEXT_ARRAY};
    struct pg_array columns[RING_COLUMNS];
    for (size_t i = 0; i < RING_COLUMNS; i++)
        pg_array_init(&columns[i], TYPES[i], 8 * MIB);
    for (size_t i = 0; i < round->count; i++) {
        const struct verdict *v = &round->verdicts[i];
        for (size_t k = 0; k < v->rings_count; k++) {
            const struct ring *r = &round->rings.rings[v->first_ring + k];
            for (int n = 0; n < r->rings && r->chat_id; n++)
                add_ring_row(columns, v->group_id, r, n == 0 ? r->held_said : 0);
        }
    }
    bool any = columns[0].count > 0;
    if (any)
        pg_add(batch, RING_SQL);
    for (size_t i = 0; i < RING_COLUMNS; i++)
        if (any)
            pg_array_param(batch, &columns[i]);
        else
            pg_array_fini(&columns[i]);
    if (any)
        pg_i64(batch, config->epoch);
}

static void add_memory(struct pg_batch *batch, const struct round *round)
{
    struct pg_array ids;
    struct pg_array rang;
    struct pg_array held;
    struct pg_array chats;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    pg_array_init(&rang, PG_BOOL_ARRAY, MIB);
    pg_array_init(&held, PG_INT8_ARRAY, MIB);
    pg_array_init(&chats, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < round->count; i++)
        for (size_t k = 0; k < round->verdicts[i].rings_count; k++) {
            const struct ring *r = &round->rings.rings[round->verdicts[i].first_ring + k];
            if (!r->remember || !r->chat_id)
                continue;
            pg_array_i64(&ids, round->verdicts[i].group_id);
            pg_array_bool(&rang, r->rings > 0);
            pg_array_i64(&held, r->held);
            pg_array_i64(&chats, r->chat_id);
        }
    if (ids.count) {
        pg_add(batch, REMEMBER_SQL);
        pg_array_param(batch, &ids);
        pg_array_param(batch, &rang);
        pg_array_param(batch, &held);
        pg_array_param(batch, &chats);
    }
    pg_array_fini(&ids);
    pg_array_fini(&rang);
    pg_array_fini(&held);
    pg_array_fini(&chats);
}

static void add_minutes(struct pg_batch *batch, const struct round *round)
{
    struct pg_array ids;
    struct pg_array counts;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    pg_array_init(&counts, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < round->count; i++)
        if (round->verdicts[i].events) {
            pg_array_i64(&ids, round->verdicts[i].group_id);
            pg_array_i64(&counts, round->verdicts[i].events);
        }
    if (ids.count) {
        pg_add(batch, MINUTES_SQL);
        pg_array_param(batch, &ids);
        pg_array_param(batch, &counts);
    }
    pg_array_fini(&ids);
    pg_array_fini(&counts);
}

static void add_firings(struct pg_batch *batch, const struct round *round)
{
    for (size_t i = 0; i < round->firings_count; i++) {
        const struct firing_change *f = &round->firings[i];
        if (!f->inhibition_id) {
            pg_add(batch, CEASED_SQL);
            pg_i64(batch, f->group_id);
            continue;
        }
        pg_add(batch, FIRED_SQL);
        pg_i64(batch, f->inhibition_id);
        pg_i64(batch, f->group_id);
        pg_text(batch, f->environment ? f->environment : "");
        pg_i64(batch, f->until_ms);
        pg_i64(batch, INHIBIT_SECONDS_MAX);
    }
}

static void add_edits(struct pg_batch *batch, const struct verdict *v, size_t count)
{
    struct pg_array ids;
    struct pg_array change;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    pg_array_init(&change, PG_BOOL_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        if (v[i].edit_count || v[i].edit_change) {
            pg_array_i64(&ids, v[i].group_id);
            pg_array_bool(&change, v[i].edit_change);
        }
    if (ids.count) {
        pg_add(batch, EDIT_SQL);
        pg_array_param(batch, &ids);
        pg_array_param(batch, &change);
    }
    pg_array_fini(&ids);
    pg_array_fini(&change);
}

static void add_stale(struct pg_batch *batch, const struct verdict *v, size_t count)
{
    struct pg_array ids;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        if (v[i].edit_change)
            pg_array_i64(&ids, v[i].group_id);
    if (ids.count) {
        pg_add(batch, STALE_SQL);
        pg_array_param(batch, &ids);
    }
    pg_array_fini(&ids);
}

void store_facts_settle(struct pg *pg, const struct facts_config *config, const struct round *round,
                        settled_fn *done, void *ctx)
{
    struct settle_call *call = mem_alloc(sizeof *call);
    *call = (struct settle_call){done, ctx, pg};
    struct pg_batch *batch = pg_batch_new();
    pg_batch_prepare(batch);
    pg_batch_continue(batch);
    pg_add(batch, ACTOR_SQL);
    add_reopens(batch, round->verdicts, round->count);
    add_rings(batch, config, round);
    add_memory(batch, round);
    if (config->has_rates)
        add_minutes(batch, round);
    add_firings(batch, round);
    add_edits(batch, round->verdicts, round->count);
    add_stale(batch, round->verdicts, round->count);
    pg_add(batch, "COMMIT");
    pg_run(pg, batch, on_settled, call);
}

struct ring *store_rings_add(struct rings *rings)
{
    if (rings->count == rings->size) {
        rings->size = rings->size ? rings->size * 2 : 16;
        rings->rings = mem_realloc(rings->rings, rings->size * sizeof *rings->rings);
    }
    struct ring *ring = &rings->rings[rings->count++];
    *ring = (struct ring){.reason = "new", .language = ""};
    return ring;
}

void store_rings_fini(struct rings *rings)
{
    free(rings->rings);
    *rings = (struct rings){0};
}
