/* facts.c -- the first half of a round: the lease, the facts, what is known of their groups. */
#include "store/facts.h"

#include "core/limits.h"
#include "core/mem.h"
#include "store/rang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char LEASE_SQL[] =
    "SELECT " PG_MS("clock_timestamp()") " FROM service_lease WHERE name = 'alerts' "
    "AND holder = $1 AND epoch = $2 AND until > clock_timestamp() FOR SHARE";

/* Of d (an alert_due), g (its group) and p (that one's project); $1: events by the minute too. */
#define FACT_COLUMNS \
    "d.kind, g.id, d.n, d.severity, " PG_MS("d.occurred_max") ", " \
    PG_MS("d.created_at") ", g.status, g.resolved_by_person, " PG_MS("g.resolved_at") ", " \
    PG_MS("g.taken_at") ", CASE WHEN isfinite(g.muted_until) THEN " PG_MS("g.muted_until") " " \
    "WHEN g.muted_until > now() THEN 9000000000000 END, g.muted_until_count, g.occurrences + " \
    "coalesce((SELECT sum(m.occurrences) FROM error_group m WHERE m.merged_into = g.id), 0)::bigint, " \
    "d.environment, coalesce(d.is_new, false), " PG_MS("d.quiet_since") ", coalesce(d.origin, g.origin), p.slug, " \
    "coalesce(d.handler, g.handler), g.title, CASE WHEN $1 THEN (SELECT string_agg(floor(extract(epoch FROM " \
    "date_trunc('minute', now()) - m.minute) / 60) || ':' || m.n, ',') FROM group_minute m " \
    "WHERE m.group_id = g.id AND m.minute > now() - interval '1 hour') END, " \
    "(SELECT string_agg(s.chat_id || ':' || coalesce(" PG_MS("s.last_ring_at") ", 0) || ':' || " \
    "s.held, ',') FROM alert_state s WHERE s.group_id = g.id) "

static const char TAKE_SQL[] =
    "WITH due AS (DELETE FROM alert_due WHERE id IN (SELECT id FROM alert_due a "
    "WHERE NOT EXISTS (SELECT 1 FROM alert_rang r JOIN error_group k ON k.project_id = r.project_id "
    "AND k.fingerprint = r.fingerprint WHERE r.adopted_at IS NULL "
    "AND coalesce(k.merged_into, k.id) = a.group_id) ORDER BY id "
    "LIMIT $2 FOR UPDATE SKIP LOCKED) AND EXISTS (SELECT 1 FROM service_lease "
    "WHERE name = 'alerts' AND holder = $3 AND epoch = $4) RETURNING *) "
    "SELECT " FACT_COLUMNS
    "FROM due d JOIN error_group f ON f.id = d.group_id "
    "JOIN error_group g ON g.id = coalesce(f.merged_into, f.id) "
    "JOIN project p ON p.id = g.project_id "
    "ORDER BY g.id, d.kind <> 'reopen', d.id";

/* An event that never came, of a group that is there. */
static const char SUPPOSE_SQL[] =
    "SELECT " FACT_COLUMNS
    "FROM error_group f JOIN error_group g ON g.id = coalesce(f.merged_into, f.id) "
    "JOIN project p ON p.id = g.project_id CROSS JOIN LATERAL (SELECT 'event'::text AS kind, "
    "1::bigint AS n, $2::text AS severity, now() AS occurred_max, now() AS created_at, "
    "$3::text AS environment, false AS is_new, f.last_seen AS quiet_since, $6::text AS origin, "
    "$7::text AS handler) d WHERE f.project_id = $4 AND f.fingerprint = $5";

/* Groups that would not ring as a new one does: muted, taken, or rung within $2 seconds. Put into words only once it is
 * known which ones: there may be many. What was merged into one of them comes with it, and only so. */
static const char KNOWN_SQL[] =
    "SELECT " FACT_COLUMNS ", f.project_id, f.fingerprint "
    "FROM (SELECT id, min(rank) AS rank FROM (SELECT id, 1 AS rank FROM error_group WHERE "
    "(muted_until IS NOT NULL OR muted_until_count IS NOT NULL) AND (muted_until > now() OR "
    "muted_until_count >= occurrences) AND merged_into IS NULL UNION ALL SELECT id, 1 FROM error_group "
    "WHERE status = 'in_progress' AND merged_into IS NULL UNION ALL SELECT group_id, 2 FROM alert_state "
    "WHERE last_ring_at > now() - make_interval(secs => greatest($2, coalesce((SELECT max(cooldown) "
    "FROM alert_rule WHERE enabled), 0)))) w GROUP BY id ORDER BY rank, id DESC LIMIT $3) k "
    "JOIN error_group g ON g.id = k.id AND g.merged_into IS NULL JOIN project p ON p.id = g.project_id "
    "CROSS JOIN LATERAL (SELECT g.id UNION ALL SELECT m.id FROM error_group m WHERE m.merged_into = g.id) o "
    "JOIN error_group f ON f.id = o.id CROSS JOIN LATERAL (SELECT 'event'::text AS kind, "
    "1::bigint AS n, NULL::text AS severity, to_timestamp(0) AS occurred_max, "
    "to_timestamp(0) AS created_at, NULL::text AS environment, false AS is_new, "
    "date_trunc('hour', f.last_seen) AS quiet_since, NULL::text AS origin, NULL::text AS handler) d "
    "ORDER BY k.rank, f.id DESC LIMIT $3";
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
    FACT_COL_ENVIRONMENT,
    FACT_COL_NEW,
    FACT_COL_QUIET_SINCE,
    FACT_COL_ORIGIN,
    FACT_COL_PROJECT,
    FACT_COL_HANDLER,
    FACT_COL_TITLE,
    FACT_COL_MINUTES,
    FACT_COL_STATES,
    FACT_COL_PROJECT_ID, /* of KNOWN_SQL */
    FACT_COL_FINGERPRINT
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
        .environment = pg_get_text(rows, row, FACT_COL_ENVIRONMENT),
        .is_new = pg_get_bool(rows, row, FACT_COL_NEW),
        .quiet_since_ms = pg_get_i64(rows, row, FACT_COL_QUIET_SINCE),
        .origin = pg_get_text(rows, row, FACT_COL_ORIGIN),
        .project = pg_get_text(rows, row, FACT_COL_PROJECT),
        .handler = pg_get_text(rows, row, FACT_COL_HANDLER),
        .title = pg_get_text(rows, row, FACT_COL_TITLE),
        .minutes = pg_get_text(rows, row, FACT_COL_MINUTES),
    };
    if (severity)
        severity_parse(severity, strlen(severity), &f->severity);
    status_parse(status, strlen(status), &f->status);
}

static size_t count_states(const char *text)
{
    size_t n = text != NULL;
    for (; text && *text; text++)
        n += *text == ',';
    return n;
}

/* "chat:last_ring_ms:held,…" */
static size_t read_states(const char *text, struct place_state *out)
{
    size_t n = 0;
    char *at = NULL;
    for (const char *from = text; from && *from; from = *at == ',' ? at + 1 : NULL) {
        struct place_state *s = &out[n++];
        s->chat_id = strtoll(from, &at, 10);
        s->last_ring_ms = strtoll(at + 1, &at, 10);
        s->held = strtoll(at + 1, &at, 10);
    }
    return n;
}

/* One array for all facts of the round; its owner frees it. */
static struct place_state *attach_states(const PGresult *rows, struct fact *facts, int n)
{
    size_t total = 0;
    for (int row = 0; row < n; row++)
        total += count_states(pg_get_text(rows, row, FACT_COL_STATES));
    struct place_state *states = mem_alloc((total + 1) * sizeof *states);
    size_t used = 0;
    for (int row = 0; row < n; row++) {
        facts[row].states = states + used;
        facts[row].states_count =
            read_states(pg_get_text(rows, row, FACT_COL_STATES), states + used);
        used += facts[row].states_count;
    }
    return states;
}

static void on_rolled_back(void *ctx, const struct pg_reply *reply)
{
    (void)ctx;
    (void)reply;
}

void store_facts_roll_back(struct pg *pg)
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
            store_facts_roll_back(call->pg);
        call->done(call->ctx, NULL, 0, 0, reply->err);
        free(call);
        return;
    }
    const PGresult *rows = reply->results[3];
    int n = PQntuples(rows);
    struct fact *facts = mem_alloc((size_t)n * sizeof *facts);
    for (int row = 0; row < n; row++)
        read_fact(rows, row, &facts[row]);
    struct place_state *states = attach_states(rows, facts, n);
    call->done(call->ctx, facts, (size_t)n, pg_get_i64(reply->results[1], 0, 0), NULL);
    free(states);
    free(facts);
    free(call);
}

void store_facts_take(struct pg *pg, const struct facts_config *config, facts_done_fn *done,
                      void *ctx)
{
    struct take_call *call = mem_alloc(sizeof *call);
    *call = (struct take_call){done, ctx, pg};
    struct pg_batch *batch = pg_batch_new();
    pg_batch_prepare(batch);
    pg_add(batch, "BEGIN");
    pg_add(batch, LEASE_SQL);
    pg_text(batch, config->holder);
    pg_i64(batch, config->epoch);
    store_rang_adopt(batch);
    pg_add(batch, TAKE_SQL);
    pg_bool(batch, config->has_rates);
    pg_i64(batch, DUE_ROWS_MAX);
    pg_text(batch, config->holder);
    pg_i64(batch, config->epoch);
    pg_run(pg, batch, on_taken, call);
}

static void on_supposed(void *ctx, const struct pg_reply *reply)
{
    struct take_call *call = ctx;
    struct fact fact;
    struct place_state *states = NULL;
    bool found = !reply->err && PQntuples(reply->results[0]) == 1;
    if (found) {
        read_fact(reply->results[0], 0, &fact);
        states = attach_states(reply->results[0], &fact, 1);
    }
    int64_t now_ms = reply->err ? 0 : pg_get_i64(reply->results[1], 0, 0);
    call->done(call->ctx, found ? &fact : NULL, found, now_ms, reply->err);
    free(states);
    free(call);
}

void store_facts_suppose(struct pg *pg, const struct event *event, facts_done_fn *done, void *ctx)
{
    struct take_call *call = mem_alloc(sizeof *call);
    *call = (struct take_call){done, ctx, pg};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, SUPPOSE_SQL);
    pg_bool(batch, true);
    pg_text(batch, severity_name(event->severity));
    pg_text(batch, event->environment);
    pg_i64(batch, event->project_id);
    pg_text(batch, event->fingerprint);
    pg_text(batch, event->origin);
    pg_text(batch, event->handler);
    pg_add(batch, "SELECT " PG_MS("now()"));
    pg_run(pg, batch, on_supposed, call);
}

void store_facts_ask_known(struct pg_batch *batch, int64_t rung_within_s)
{
    pg_add(batch, KNOWN_SQL);
    pg_bool(batch, false);
    pg_i64(batch, rung_within_s);
    pg_i64(batch, KNOWN_GROUPS_MAX);
}

struct known_groups *store_facts_read_known(const PGresult *rows)
{
    struct known_groups *k = mem_alloc(sizeof *k);
    int n = PQntuples(rows);
    k->facts = mem_alloc(((size_t)n + 1) * sizeof *k->facts);
    k->keys = mem_alloc(((size_t)n + 1) * sizeof *k->keys);
    k->count = (size_t)n;
    for (int row = 0; row < n; row++) {
        read_fact(rows, row, &k->facts[row]);
        k->keys[row].project_id = (int32_t)pg_get_i64(rows, row, FACT_COL_PROJECT_ID);
        snprintf(k->keys[row].fingerprint, sizeof k->keys[row].fingerprint, "%s",
                 pg_get_text(rows, row, FACT_COL_FINGERPRINT));
    }
    k->states = attach_states(rows, k->facts, n);
    return k;
}

void store_known_groups_free(struct known_groups *k)
{
    if (!k)
        return;
    free(k->facts);
    free(k->keys);
    free(k->states);
    free(k);
}

const struct fact *store_known_groups_find(const struct known_groups *k, int32_t project_id,
                                           const char *fingerprint)
{
    for (size_t i = 0; k && i < k->count; i++)
        if (k->keys[i].project_id == project_id && strcmp(k->keys[i].fingerprint, fingerprint) == 0)
            return &k->facts[i];
    return NULL;
}

struct any_call {
    facts_any_fn *done;
    void *ctx;
};

static void on_any(void *ctx, const struct pg_reply *reply)
{
    struct any_call *call = ctx;
    bool ok = !reply->err && PQntuples(reply->results[0]) == 1;
    call->done(call->ctx, ok && pg_get_bool(reply->results[0], 0, 0),
               ok && pg_get_bool(reply->results[0], 0, 1),
               ok ? pg_get_i64(reply->results[0], 0, 2) : -1);
    free(call);
}

void store_facts_any(struct pg *pg, facts_any_fn *done, void *ctx)
{
    struct any_call *call = mem_alloc(sizeof *call);
    *call = (struct any_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT EXISTS (SELECT 1 FROM alert_due) OR EXISTS (SELECT 1 FROM alert_rang r "
                  "JOIN error_group g ON g.project_id = r.project_id AND g.fingerprint = "
                  "r.fingerprint WHERE r.adopted_at IS NULL), EXISTS (SELECT 1 FROM alert_outbox "
                  "WHERE state IN ('pending', 'uncertain') AND next_try_at <= now() "
                  "AND hold IS NOT NULL AND hold <> 'fallback' AND is_free IS NOT TRUE), "
                  "(SELECT value::bigint "
                  "FROM service_setting WHERE name = 'alert_rules_version')");
    pg_run(pg, batch, on_any, call);
}
