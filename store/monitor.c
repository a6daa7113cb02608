/* monitor.c -- statements of monitors. */
#include "store/monitor.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define COLUMNS \
    "m.id, m.version, m.project_id, m.slug, m.environment, m.schedule, m.is_interval, " \
    "m.timezone, m.margin_min, m.max_runtime_min, m.failure_threshold, m.recovery_threshold, " \
    "m.enabled, m.last_status, " PG_MS("m.last_ok_at") ", " PG_MS("m.next_at") ", " \
    "m.bad_streak, m.good_streak, " PG_MS("m.incident_since") ", " \
    "(SELECT count(*) FROM monitor_checkin r WHERE r.monitor_id = m.id " \
    "AND r.started_at > now() - interval '1 minute'), c.checkin_id, c.status, " \
    PG_MS("c.started_at") ", coalesce(c.duration_ms, -1), " PG_MS("c.timeout_at") ", " \
    "p.max_severity, " PG_MS("p.enabled_at") ", " \
    "EXISTS (SELECT 1 FROM monitor_checkin n WHERE n.monitor_id = m.id " \
    "AND n.started_at > c.started_at AND n.status IN ('ok', 'error'))"
/* clang-format on */
enum {
    COL_ID,
    COL_VERSION,
    COL_PROJECT,
    COL_SLUG,
    COL_ENVIRONMENT,
    COL_SCHEDULE,
    COL_INTERVAL,
    COL_ZONE,
    COL_MARGIN,
    COL_RUNTIME,
    COL_FAILURES,
    COL_RECOVERIES,
    COL_ENABLED,
    COL_LAST,
    COL_OK,
    COL_NEXT,
    COL_BAD,
    COL_GOOD,
    COL_INCIDENT,
    COL_RECENT,
    COL_RUN,
    COL_RUN_STATUS,
    COL_RUN_STARTED,
    COL_RUN_DURATION,
    COL_RUN_TIMEOUT,
    COL_SEVERITY,
    COL_WATCHED,
    COL_RUN_NEWER
};

static const char FIND_SQL[] =
    "SELECT " COLUMNS " FROM monitor m JOIN project p ON p.id = m.project_id "
    "LEFT JOIN LATERAL (SELECT * FROM monitor_checkin c "
    "WHERE c.monitor_id = m.id AND (c.checkin_id = $4 OR ($4 = '' AND c.status = 'in_progress')) "
    "ORDER BY c.started_at DESC LIMIT 1) c ON true "
    "WHERE m.project_id = $1 AND m.slug = $2 AND m.environment = $3";

static const char DUE_SQL[] =
    "SELECT " COLUMNS " FROM monitor m JOIN project p ON p.id = m.project_id "
    "LEFT JOIN LATERAL (SELECT * FROM monitor_checkin c "
    "WHERE c.monitor_id = m.id AND c.status = 'in_progress' AND c.timeout_at <= now() "
    "ORDER BY c.timeout_at LIMIT 1) c ON true "
    "WHERE m.enabled AND p.enabled AND (c.checkin_id IS NOT NULL "
    "OR m.next_at + make_interval(mins => m.margin_min) <= now()) "
    "ORDER BY least(c.timeout_at, m.next_at) LIMIT 1";

struct find_call {
    monitor_find_fn *done;
    void *ctx;
};

static void decode(const PGresult *r, struct monitor_row *row)
{
    *row = (struct monitor_row){
        .id = pg_get_i64(r, 0, COL_ID),
        .version = pg_get_i64(r, 0, COL_VERSION),
        .project_id = (int32_t)pg_get_i64(r, 0, COL_PROJECT),
        .slug = pg_get_text(r, 0, COL_SLUG),
        .environment = pg_get_text(r, 0, COL_ENVIRONMENT),
        .config = {.schedule = pg_get_text(r, 0, COL_SCHEDULE),
                   .is_interval = pg_get_bool(r, 0, COL_INTERVAL),
                   .timezone = pg_get_text(r, 0, COL_ZONE),
                   .margin_min = pg_get_i64(r, 0, COL_MARGIN),
                   .max_runtime_min = pg_get_i64(r, 0, COL_RUNTIME),
                   .failure_threshold = pg_get_i64(r, 0, COL_FAILURES),
                   .recovery_threshold = pg_get_i64(r, 0, COL_RECOVERIES)},
        .enabled = pg_get_bool(r, 0, COL_ENABLED),
        .last_status = pg_get_text(r, 0, COL_LAST),
        .last_ok_ms = pg_get_i64(r, 0, COL_OK),
        .next_ms = pg_get_i64(r, 0, COL_NEXT),
        .bad_streak = pg_get_i64(r, 0, COL_BAD),
        .good_streak = pg_get_i64(r, 0, COL_GOOD),
        .incident_since_ms = pg_get_i64(r, 0, COL_INCIDENT),
        .recent = pg_get_i64(r, 0, COL_RECENT),
        .run_id = pg_get_text(r, 0, COL_RUN),
        .run_status = pg_get_text(r, 0, COL_RUN_STATUS),
        .run_started_ms = pg_get_i64(r, 0, COL_RUN_STARTED),
        .run_duration_ms = pg_get_i64(r, 0, COL_RUN_DURATION),
        .run_timeout_ms = pg_get_i64(r, 0, COL_RUN_TIMEOUT),
        .watched_from_ms = pg_get_i64(r, 0, COL_WATCHED),
        .run_has_newer = pg_get_bool(r, 0, COL_RUN_NEWER),
    };
    const char *severity = pg_get_text(r, 0, COL_SEVERITY);
    row->severity_max = SEV_CRITICAL;
    severity_parse(severity, strlen(severity), &row->severity_max);
}

static void on_found(void *ctx, const struct pg_reply *reply)
{
    struct find_call *call = ctx;
    struct monitor_row row;
    bool found = !reply->err && PQntuples(reply->results[0]) == 1;
    if (found)
        decode(reply->results[0], &row);
    call->done(call->ctx, found ? &row : NULL, reply->err);
    free(call);
}

static void find(struct pg *pg, struct pg_batch *batch, monitor_find_fn *done, void *ctx)
{
    struct find_call *call = mem_alloc(sizeof *call);
    *call = (struct find_call){done, ctx};
    pg_run(pg, batch, on_found, call);
}

void store_monitor_find(struct pg *pg, int32_t project_id, const char *slug,
                        const char *environment, const char *run_id, monitor_find_fn *done,
                        void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, FIND_SQL);
    pg_i64(batch, project_id);
    pg_text(batch, slug);
    pg_text(batch, environment);
    pg_text(batch, run_id);
    find(pg, batch, done, ctx);
}

void store_monitor_due(struct pg *pg, monitor_find_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, DUE_SQL);
    find(pg, batch, done, ctx);
}

struct done_call {
    monitor_done_fn *done;
    void *ctx;
};

static void on_done(void *ctx, const struct pg_reply *reply)
{
    struct done_call *call = ctx;
    int64_t n = 0;
    if (!reply->err && PQntuples(reply->results[reply->count - 1]) == 1)
        n = pg_get_i64(reply->results[reply->count - 1], 0, 0);
    call->done(call->ctx, n, reply->err);
    free(call);
}

static void run(struct pg *pg, struct pg_batch *batch, monitor_done_fn *done, void *ctx)
{
    struct done_call *call = mem_alloc(sizeof *call);
    *call = (struct done_call){done, ctx};
    pg_run(pg, batch, on_done, call);
}

static void add_config(struct pg_batch *batch, const struct monitor_config *c)
{
    pg_text(batch, c->schedule);
    pg_bool(batch, c->is_interval);
    pg_text(batch, c->timezone ? c->timezone : "UTC");
    pg_i64(batch, c->margin_min);
    pg_i64(batch, c->max_runtime_min);
    pg_i64(batch, c->failure_threshold);
    pg_i64(batch, c->recovery_threshold);
}

void store_monitor_make(struct pg *pg, int32_t project_id, const char *slug,
                        const char *environment, const struct monitor_config *config,
                        monitor_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "INSERT INTO monitor (project_id, slug, environment, schedule, is_interval, "
                  "timezone, margin_min, max_runtime_min, failure_threshold, recovery_threshold) "
                  "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE (SELECT count(*) "
                  "FROM monitor m WHERE m.project_id = $1) < $11 ON CONFLICT DO NOTHING");
    pg_i64(batch, project_id);
    pg_text(batch, slug);
    pg_text(batch, environment);
    add_config(batch, config);
    pg_i64(batch, MONITORS_PER_PROJECT_MAX);
    run(pg, batch, done, ctx);
}

/* One statement, so that all of it happens only if the version still fits. Times are milliseconds,
 * 0 is NULL. */
#define MS(n) "to_timestamp(nullif(" n "::bigint, 0) / 1000.0)"
/* clang-format off */
static const char WRITE_SQL[] =
    "WITH moved AS (UPDATE monitor m SET version = m.version + 1, schedule = $3, "
    "is_interval = $4, timezone = $5, margin_min = $6, max_runtime_min = $7, "
    "failure_threshold = $8, recovery_threshold = $9, last_status = $10, "
    "last_ok_at = " MS("$11") ", next_at = " MS("$12") ", bad_streak = $13, good_streak = $14, "
    "incident_since = " MS("$15") ", last_checkin_at = CASE WHEN $16::boolean THEN now() "
    "ELSE m.last_checkin_at END WHERE m.id = $1 AND m.version = $2 RETURNING m.id, m.project_id), "
    "run AS (INSERT INTO monitor_checkin AS c (monitor_id, checkin_id, status, started_at, "
    "finished_at, duration_ms, timeout_at, release) SELECT id, $17::text, $18::text, "
    MS("$19") ", " MS("$20") ", nullif($21::bigint, -1), " MS("$22") ", $23::text FROM moved "
    "WHERE $17::text IS NOT NULL ON CONFLICT (monitor_id, checkin_id) DO UPDATE "
    "SET status = excluded.status, finished_at = excluded.finished_at, "
    "duration_ms = excluded.duration_ms, timeout_at = excluded.timeout_at, "
    "release = coalesce(excluded.release, c.release)), "
    "said AS (INSERT INTO event_inbox (id, event_id, project_id, body) "
    "SELECT nextval('event_id_seq'), $25::text, project_id, $24::jsonb FROM moved "
    "WHERE $24::text IS NOT NULL), "
    "well AS (SELECT g.id FROM moved JOIN error_group g ON g.project_id = moved.project_id "
    "AND g.fingerprint = $26 WHERE $27::text IS NOT NULL), "
    "note AS (INSERT INTO alert_note (group_id, kind, author, body) "
    "SELECT nabat_root(id), 'recovered', $28::text, $27::text FROM well), "
    "done AS (UPDATE error_group g SET status = 'resolved' FROM well WHERE g.id = well.id "
    "AND g.status <> 'resolved') SELECT count(*) FROM moved";
/* clang-format on */

void store_monitor_write(struct pg *pg, const struct monitor_write *w, monitor_done_fn *done,
                         void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT set_config('nabat.source', 'service', true), "
                  "set_config('nabat.actor', 'monitor', true)");
    pg_add(batch, WRITE_SQL);
    pg_i64(batch, w->row->id);
    pg_i64(batch, w->row->version);
    add_config(batch, &w->config);
    pg_text(batch, w->last_status);
    pg_i64(batch, w->last_ok_ms);
    pg_i64(batch, w->next_ms);
    pg_i64(batch, w->bad_streak);
    pg_i64(batch, w->good_streak);
    pg_i64(batch, w->incident_since_ms);
    pg_bool(batch, w->checked_in);
    pg_text(batch, w->run_id);
    pg_text(batch, w->run_status);
    pg_i64(batch, w->run_started_ms);
    pg_i64(batch, w->run_finished_ms);
    pg_i64(batch, w->run_duration_ms);
    pg_i64(batch, w->run_timeout_ms);
    pg_text(batch, w->release);
    pg_text(batch, w->event);
    pg_text(batch, w->event_id);
    pg_text(batch, w->fingerprint);
    pg_text(batch, w->recovered);
    char who[160];
    snprintf(who, sizeof who, "%s (%s)", w->row->slug, w->row->environment);
    pg_text(batch, who);
    run(pg, batch, done, ctx);
}

void store_monitor_tick(struct pg *pg, monitor_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "WITH old AS (SELECT value FROM service_setting WHERE name = 'monitors.tick'), "
                  "new AS (INSERT INTO service_setting (name, value) VALUES ('monitors.tick', "
                  "(extract(epoch FROM now()) * 1000)::bigint::text) ON CONFLICT (name) DO UPDATE "
                  "SET value = excluded.value) SELECT value::bigint FROM old");
    run(pg, batch, done, ctx);
}

/* clang-format off */
static const char LIST_SQL[] =
    "SELECT slug, environment, state, schedule, timezone, " PG_MS("last_ok_at") ", "
    PG_MS("next_at") ", " PG_MS("incident_since") ", count(*) OVER () FROM monitors "
    "ORDER BY array_position(ARRAY['failing', 'waiting', 'ok', 'disabled'], state), slug, "
    "environment LIMIT $1";
/* clang-format on */
enum {
    LINE_SLUG,
    LINE_ENVIRONMENT,
    LINE_STATE,
    LINE_SCHEDULE,
    LINE_ZONE,
    LINE_OK,
    LINE_NEXT,
    LINE_INCIDENT,
    LINE_TOTAL
};

struct list_call {
    monitor_list_fn *done;
    void *ctx;
};

static void on_list(void *ctx, const struct pg_reply *reply)
{
    struct list_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    int n = rows ? PQntuples(rows) : 0;
    struct monitor_line *lines = mem_alloc(((size_t)n + 1) * sizeof *lines);
    for (int i = 0; i < n; i++)
        lines[i] = (struct monitor_line){
            .slug = pg_get_text(rows, i, LINE_SLUG),
            .environment = pg_get_text(rows, i, LINE_ENVIRONMENT),
            .state = pg_get_text(rows, i, LINE_STATE),
            .schedule = pg_get_text(rows, i, LINE_SCHEDULE),
            .timezone = pg_get_text(rows, i, LINE_ZONE),
            .last_ok_ms = pg_get_i64(rows, i, LINE_OK),
            .next_ms = pg_get_i64(rows, i, LINE_NEXT),
            .incident_since_ms = pg_get_i64(rows, i, LINE_INCIDENT),
        };
    call->done(call->ctx, lines, (size_t)n, n ? pg_get_i64(rows, 0, LINE_TOTAL) : 0, reply->err);
    free(lines);
    free(call);
}

void store_monitor_list(struct pg *pg, int limit, monitor_list_fn *done, void *ctx)
{
    struct list_call *call = mem_alloc(sizeof *call);
    *call = (struct list_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, LIST_SQL);
    pg_i64(batch, limit);
    pg_run(pg, batch, on_list, call);
}
