/* facts.c -- reading facts and writing verdicts, in one transaction of two round trips. */
#include "store/facts.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char LEASE_SQL[] =
    "SELECT " PG_MS("clock_timestamp()") " FROM service_lease WHERE name = 'alerts' "
    "AND holder = $1 AND epoch = $2 AND until > clock_timestamp() FOR SHARE";

static const char TAKE_SQL[] =
    "WITH due AS (DELETE FROM alert_due WHERE id IN (SELECT id FROM alert_due ORDER BY id "
    "LIMIT $1 FOR UPDATE SKIP LOCKED) AND EXISTS (SELECT 1 FROM service_lease "
    "WHERE name = 'alerts' AND holder = $3 AND epoch = $4) RETURNING *) "
    "SELECT d.kind, g.id, d.n, d.severity, " PG_MS("d.occurred_max") ", "
    PG_MS("d.created_at") ", g.status, g.resolved_by_person, " PG_MS("g.resolved_at") ", "
    PG_MS("g.taken_at") ", CASE WHEN isfinite(g.muted_until) THEN " PG_MS("g.muted_until") " "
    "WHEN g.muted_until > now() THEN 9000000000000 END, g.muted_until_count, g.occurrences + "
    "coalesce((SELECT sum(m.occurrences) FROM error_group m WHERE m.merged_into = g.id), 0)::bigint, "
    PG_MS("s.last_ring_at") ", s.held FROM due d JOIN error_group f ON f.id = d.group_id "
    "JOIN error_group g ON g.id = coalesce(f.merged_into, f.id) "
    "LEFT JOIN alert_state s ON s.group_id = g.id AND s.chat_id = $2 "
    "ORDER BY g.id, d.kind <> 'reopen', d.id";
/* clang-format on */
enum {
    FACT_COL_KIND,
    FACT_COL_GROUP,
    FACT_COL_N,
    FACT_COL_SEVERITY,
    FACT_COL_OCCURRED,
    FACT_COL_CREATED,
    FACT_COL_STATUS,
    FACT_COL_PERSON,
    FACT_COL_RESOLVED,
    FACT_COL_TAKEN,
    FACT_COL_MUTED,
    FACT_COL_MUTED_COUNT,
    FACT_COL_OCCURRENCES,
    FACT_COL_LAST_RING,
    FACT_COL_HELD
};

struct take_call {
    facts_done_fn *done;
    void *ctx;
    struct pg *pg;
};

static void read_fact(const PGresult *rows, int row, struct fact *f)
{
    const char *kind = pg_get_text(rows, row, FACT_COL_KIND);
    const char *severity = pg_get_text(rows, row, FACT_COL_SEVERITY);
    const char *status = pg_get_text(rows, row, FACT_COL_STATUS);
    *f = (struct fact){
        .kind = kind[0] == 'e'   ? FACT_EVENT
                : kind[0] == 'c' ? FACT_CHANGE
                                 : FACT_REOPEN,
        .group_id = pg_get_i64(rows, row, FACT_COL_GROUP),
        .n = pg_get_i64(rows, row, FACT_COL_N),
        .occurred_max_ms = pg_get_i64(rows, row, FACT_COL_OCCURRED),
        .created_ms = pg_get_i64(rows, row, FACT_COL_CREATED),
        .resolved_by_person = pg_get_bool(rows, row, FACT_COL_PERSON),
        .resolved_ms = pg_get_i64(rows, row, FACT_COL_RESOLVED),
        .taken_ms = pg_get_i64(rows, row, FACT_COL_TAKEN),
        .muted_until_ms = pg_get_i64(rows, row, FACT_COL_MUTED),
        .muted_until_count = pg_get_i64(rows, row, FACT_COL_MUTED_COUNT),
        .occurrences = pg_get_i64(rows, row, FACT_COL_OCCURRENCES),
        .last_ring_ms = pg_get_i64(rows, row, FACT_COL_LAST_RING),
        .held = pg_get_i64(rows, row, FACT_COL_HELD),
    };
    if (severity)
        severity_parse(severity, strlen(severity), &f->severity);
    status_parse(status, strlen(status), &f->status);
}

static void on_rolled_back(void *ctx, const struct pg_reply *reply)
{
    (void)ctx;
    (void)reply;
}

static void roll_back(struct pg *pg)
{
    if (!pg_is_up(pg))
        return;
    struct pg_batch *batch = pg_batch_new();
    pg_batch_continue(batch);
    pg_add(batch, "ROLLBACK");
    pg_run(pg, batch, on_rolled_back, NULL);
}

static void on_taken(void *ctx, const struct pg_reply *reply)
{
    struct take_call *call = ctx;
    if (reply->err || PQntuples(reply->results[1]) == 0) {
        if (!reply->unknown)
            roll_back(call->pg);
        call->done(call->ctx, NULL, 0, 0, reply->err);
        free(call);
        return;
    }
    const PGresult *rows = reply->results[2];
    int n = PQntuples(rows);
    struct fact *facts = mem_alloc((size_t)n * sizeof *facts);
    for (int row = 0; row < n; row++)
        read_fact(rows, row, &facts[row]);
    call->done(call->ctx, facts, (size_t)n, pg_get_i64(reply->results[1], 0, 0), NULL);
    free(facts);
    free(call);
}

void store_facts_take(struct pg *pg, const struct facts_config *config, facts_done_fn *done,
                      void *ctx)
{
    struct take_call *call = mem_alloc(sizeof *call);
    *call = (struct take_call){done, ctx, pg};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "BEGIN");
    pg_add(batch, LEASE_SQL);
    pg_text(batch, config->holder);
    pg_i64(batch, config->epoch);
    pg_add(batch, TAKE_SQL);
    pg_i64(batch, DUE_ROWS_MAX);
    pg_i64(batch, config->chat_id);
    pg_text(batch, config->holder);
    pg_i64(batch, config->epoch);
    pg_run(pg, batch, on_taken, call);
}

/* ------------------------------------------------------------------------------------- settle */

static const char ACTOR_SQL[] = "SELECT set_config('nabat.source', 'service', true), "
                                "set_config('nabat.actor', 'nabat', true)";

/* A row that somebody holds can't be reopened now: the wish goes back among the facts. */
static const char REOPEN_SQL[] =
    "WITH want AS (SELECT * FROM unnest($1::bigint[], $2::text[]) AS u (id, severity)), "
    "free AS (SELECT g.id FROM error_group g JOIN want w ON w.id = g.id "
    "WHERE g.status = 'resolved' ORDER BY g.id FOR NO KEY UPDATE OF g SKIP LOCKED), "
    "done AS (UPDATE error_group g SET status = 'new', severity = w.severity FROM want w "
    "WHERE w.id = g.id AND g.id IN (SELECT id FROM free) RETURNING g.id) "
    "INSERT INTO alert_due (kind, group_id, severity) SELECT 'reopen', w.id, w.severity "
    "FROM want w JOIN error_group g ON g.id = w.id "
    "WHERE g.status = 'resolved' AND w.id NOT IN (SELECT id FROM done)";

static const char RING_SQL[] =
    "INSERT INTO alert_outbox (group_id, chat_id, thread_id, reason, held, epoch) "
    "SELECT u.group_id, $5, $6, u.reason, u.held, $4 "
    "FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS u (group_id, reason, held)";

static const char REMEMBER_SQL[] =
    "INSERT INTO alert_state AS s (group_id, chat_id, last_ring_at, held) "
    "SELECT u.group_id, $4, CASE WHEN u.rang THEN clock_timestamp() END, u.held "
    "FROM unnest($1::bigint[], $2::bool[], $3::bigint[]) AS u (group_id, rang, held) "
    "ON CONFLICT (group_id, chat_id) DO UPDATE SET held = excluded.held, last_ring_at = "
    "greatest(s.last_ring_at, excluded.last_ring_at)";

/* 'change' outranks 'count'; 'retire' is final; 'expire' only waits for its time. */
static const char EDIT_SQL[] =
    "UPDATE alert_card c SET edit = CASE WHEN u.change THEN 'change' "
    "ELSE coalesce(nullif(c.edit, 'expire'), 'count') END, "
    "edit_since = CASE WHEN c.edit = 'expire' THEN now() ELSE coalesce(c.edit_since, now()) END, "
    "edit_seq = c.edit_seq + 1, "
    "edit_tries = CASE WHEN u.change THEN 0 ELSE c.edit_tries END "
    "FROM unnest($1::bigint[], $2::bool[]) AS u (group_id, change) "
    "WHERE c.group_id = u.group_id AND c.is_current AND c.edit IS DISTINCT FROM 'retire'";

struct settle_call {
    settled_fn *done;
    void *ctx;
    struct pg *pg;
};

static void on_settled(void *ctx, const struct pg_reply *reply)
{
    struct settle_call *call = ctx;
    if (reply->err && !reply->unknown)
        roll_back(call->pg);
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

static void add_rings(struct pg_batch *batch, const struct facts_config *config,
                      const struct verdict *v, size_t count)
{
    struct pg_array ids;
    struct pg_array reasons;
    struct pg_array held;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    pg_array_init(&reasons, PG_TEXT_ARRAY, MIB);
    pg_array_init(&held, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        for (int n = 0; n < v[i].rings; n++) {
            pg_array_i64(&ids, v[i].group_id);
            pg_array_text(&reasons, v[i].reason);
            pg_array_i64(&held, n == 0 ? v[i].held_said : 0);
        }
    if (ids.count && config->chat_id) {
        pg_add(batch, RING_SQL);
        pg_array_param(batch, &ids);
        pg_array_param(batch, &reasons);
        pg_array_param(batch, &held);
        pg_i64(batch, config->epoch);
        pg_i64(batch, config->chat_id);
        pg_i64_or_null(batch, config->thread_id);
    }
    pg_array_fini(&ids);
    pg_array_fini(&reasons);
    pg_array_fini(&held);
}

static void add_memory(struct pg_batch *batch, const struct facts_config *config,
                       const struct verdict *v, size_t count)
{
    struct pg_array ids;
    struct pg_array rang;
    struct pg_array held;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    pg_array_init(&rang, PG_BOOL_ARRAY, MIB);
    pg_array_init(&held, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        if (v[i].remember) {
            pg_array_i64(&ids, v[i].group_id);
            pg_array_bool(&rang, v[i].rings > 0);
            pg_array_i64(&held, v[i].held);
        }
    if (ids.count && config->chat_id) {
        pg_add(batch, REMEMBER_SQL);
        pg_array_param(batch, &ids);
        pg_array_param(batch, &rang);
        pg_array_param(batch, &held);
        pg_i64(batch, config->chat_id);
    }
    pg_array_fini(&ids);
    pg_array_fini(&rang);
    pg_array_fini(&held);
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

void store_facts_settle(struct pg *pg, const struct facts_config *config,
                        const struct verdict *verdicts, size_t count, settled_fn *done, void *ctx)
{
    struct settle_call *call = mem_alloc(sizeof *call);
    *call = (struct settle_call){done, ctx, pg};
    struct pg_batch *batch = pg_batch_new();
    pg_batch_continue(batch);
    pg_add(batch, ACTOR_SQL);
    add_reopens(batch, verdicts, count);
    add_rings(batch, config, verdicts, count);
    add_memory(batch, config, verdicts, count);
    add_edits(batch, verdicts, count);
    pg_add(batch, "COMMIT");
    pg_run(pg, batch, on_settled, call);
}

struct any_call {
    facts_any_fn *done;
    void *ctx;
};

static void on_any(void *ctx, const struct pg_reply *reply)
{
    struct any_call *call = ctx;
    call->done(call->ctx, !reply->err && pg_get_bool(reply->results[0], 0, 0));
    free(call);
}

void store_facts_any(struct pg *pg, facts_any_fn *done, void *ctx)
{
    struct any_call *call = mem_alloc(sizeof *call);
    *call = (struct any_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT EXISTS (SELECT 1 FROM alert_due)");
    pg_run(pg, batch, on_any, call);
}
