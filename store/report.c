/* report.c -- see report.h. History and groups are read by time (indexes of sql/017_statistics.sql), events never. */
#include "store/report.h"

#include "core/log.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define IN_PERIOD(column) column " >= $1::timestamptz AND " column " < $2::timestamptz"
#define OURS "g.merged_into IS NULL AND g.origin <> 'nabat_selftest'"
/* When the state that a change ended had begun: the last time it was opened, else the first time it was seen. */
#define OPENED "coalesce((SELECT max(o.changed_at) FROM error_group_history o WHERE o.group_id = h.group_id " \
    "AND o.what = 'status' AND o.new_value = 'new' AND o.is_undo IS NULL AND o.changed_at < h.changed_at), g.first_seen)"
#define CHANGES(status) "FROM error_group_history h JOIN error_group g ON g.id = h.group_id " \
    "WHERE h.what = 'status' AND h.new_value = '" status "' AND h.is_undo IS NULL AND h.source <> 'service' " \
    "AND NOT EXISTS (SELECT 1 FROM error_group_history u WHERE u.group_id = h.group_id AND u.what = 'status' AND u.is_undo " \
    "AND u.id > h.id AND u.old_value = h.new_value AND u.changed_at < h.changed_at + interval '10 minutes') AND " \
    OURS " AND " IN_PERIOD("h.changed_at")

static const char TAKEN_SQL[] =
    "SELECT count(DISTINCT id), coalesce(avg(ms), -1)::bigint FROM (SELECT g.id, "
    "extract(epoch FROM h.changed_at - " OPENED ") * 1000 AS ms " CHANGES("in_progress") ") t";
static const char RESOLVED_SQL[] =
    "SELECT count(DISTINCT id), coalesce(avg(ms), -1)::bigint FROM (SELECT g.id, "
    "extract(epoch FROM h.changed_at - " OPENED ") * 1000 AS ms " CHANGES("resolved") ") t";
static const char SLOWEST_SQL[] =
    "SELECT g.id, g.title, NULL, g.severity, (extract(epoch FROM h.changed_at - " OPENED ") * 1000)::bigint "
    CHANGES("in_progress") " ORDER BY 5 DESC LIMIT 1";
static const char OLDEST_SQL[] =
    "SELECT g.id, g.title, NULL, g.severity, (extract(epoch FROM least(now(), $2::timestamptz) - g.first_seen) * 1000)::bigint "
    "FROM error_group g WHERE g.status <> 'resolved' AND g.first_seen < $2::timestamptz AND $1::timestamptz IS NOT NULL AND " OURS
    " ORDER BY g.first_seen LIMIT 1";
static const char UNOWNED_SQL[] =
    "SELECT count(*) FROM error_group g WHERE g.status = 'new' AND g.severity = 'critical' AND g.assigned_to IS NULL "
    "AND $1::timestamptz < $2::timestamptz AND " OURS;
static const char SESSIONS_SQL[] =
    "SELECT sum(started)::bigint, sum(crashed)::bigint FROM session_hour WHERE " IN_PERIOD("hour");
static const char MADE_SQL[] =
    "SELECT g.id, g.title, (SELECT r.release FROM group_release r WHERE r.group_id = g.id AND r.made > 0 LIMIT 1), g.severity, 0 "
    "FROM error_group g WHERE " IN_PERIOD("g.first_seen") " AND " OURS
    " ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info', 'debug'], g.severity), g.occurrences DESC LIMIT 5";
static const char BACK_SQL[] =
    "SELECT g.id, g.title, (SELECT r.release FROM group_release r WHERE r.group_id = g.id AND r.regressed > 0 "
    "ORDER BY r.last_hour DESC LIMIT 1), g.severity, 0 FROM error_group g WHERE g.id IN (SELECT h.group_id FROM error_group_history h "
    "WHERE h.what = 'status' AND h.new_value = 'new' AND h.source = 'service' "
    /* what resolved itself did not come back: it failed again */
    "AND (SELECT p.source FROM error_group_history p WHERE p.group_id = h.group_id AND p.what = 'status' "
    "AND p.new_value = 'resolved' AND p.id < h.id ORDER BY p.id DESC LIMIT 1) <> 'service' AND " IN_PERIOD("h.changed_at") ") AND " OURS
    " ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info', 'debug'], g.severity), g.occurrences DESC LIMIT 5";
static const char BROKE_SQL[] =
    "SELECT r.release, count(*) FROM error_group g JOIN group_release r ON r.group_id = g.id AND r.made > 0 WHERE "
    IN_PERIOD("g.first_seen") " AND " OURS " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1";
static const char LOSSES_SQL[] =
    "SELECT kind, sum(n)::bigint FROM loss_hour WHERE " IN_PERIOD("hour") " GROUP BY 1 ORDER BY 2 DESC LIMIT 8";
static const char LOSS_SQL[] =
    "INSERT INTO loss_hour AS l (hour, kind, n) SELECT date_trunc('hour', now(), 'UTC'), u.kind, u.n "
    "FROM unnest($1::text[], $2::bigint[]) AS u (kind, n) ON CONFLICT (hour, kind) DO UPDATE SET n = l.n + excluded.n";
/* clang-format on */

enum {
    ASKED_TAKEN,
    ASKED_RESOLVED,
    ASKED_SLOWEST,
    ASKED_OLDEST,
    ASKED_UNOWNED,
    ASKED_SESSIONS,
    ASKED_MADE,
    ASKED_BACK,
    ASKED_LOSSES,
    ASKED_BROKE,
    ASKED
};
static const char *const QUESTIONS[ASKED] = {
    [ASKED_TAKEN] = TAKEN_SQL,   [ASKED_RESOLVED] = RESOLVED_SQL, [ASKED_SLOWEST] = SLOWEST_SQL,
    [ASKED_OLDEST] = OLDEST_SQL, [ASKED_UNOWNED] = UNOWNED_SQL,   [ASKED_SESSIONS] = SESSIONS_SQL,
    [ASKED_MADE] = MADE_SQL,     [ASKED_BACK] = BACK_SQL,         [ASKED_LOSSES] = LOSSES_SQL,
    [ASKED_BROKE] = BROKE_SQL,
};

struct facts_call {
    report_facts_fn *done;
    void *ctx;
};

static size_t take_errors(const PGresult *rows, struct report_error *out, size_t max)
{
    size_t count = 0;
    for (int row = 0; row < PQntuples(rows) && count < max; row++) {
        struct report_error *e = &out[count++];
        const char *severity = pg_get_text(rows, row, 3);
        *e = (struct report_error){.id = pg_get_i64(rows, row, 0),
                                   .title = pg_get_text(rows, row, 1),
                                   .release = pg_get_text(rows, row, 2),
                                   .ms = pg_get_i64(rows, row, 4)};
        severity_parse(severity, strlen(severity), &e->severity);
    }
    return count;
}

static void take_facts(PGresult *const *results, struct report_facts *f)
{
    f->taken = pg_get_i64(results[ASKED_TAKEN], 0, 0);
    f->mean_take_ms = pg_get_i64(results[ASKED_TAKEN], 0, 1);
    f->resolved = pg_get_i64(results[ASKED_RESOLVED], 0, 0);
    f->mean_resolve_ms = pg_get_i64(results[ASKED_RESOLVED], 0, 1);
    take_errors(results[ASKED_SLOWEST], &f->slowest, 1);
    take_errors(results[ASKED_OLDEST], &f->oldest, 1);
    f->open_unowned_critical = pg_get_i64(results[ASKED_UNOWNED], 0, 0);
    int64_t started = pg_get_i64(results[ASKED_SESSIONS], 0, 0);
    int64_t crashed = pg_get_i64(results[ASKED_SESSIONS], 0, 1);
    f->crash_free = started > 0 ? 100.0 * (double)(started - crashed) / (double)started : -1;
    f->made_count = take_errors(results[ASKED_MADE], f->made, REPORT_LISTED_MAX);
    f->back_count = take_errors(results[ASKED_BACK], f->back, REPORT_LISTED_MAX);
    if (PQntuples(results[ASKED_BROKE])) {
        f->broke_release = pg_get_text(results[ASKED_BROKE], 0, 0);
        f->broke = pg_get_i64(results[ASKED_BROKE], 0, 1);
    }
    const PGresult *losses = results[ASKED_LOSSES];
    for (int row = 0; row < PQntuples(losses) && row < REPORT_LOSSES_MAX; row++)
        f->losses[f->losses_count++] =
            (struct report_loss){pg_get_text(losses, row, 0), pg_get_i64(losses, row, 1)};
}

static void on_facts(void *ctx, const struct pg_reply *reply)
{
    struct facts_call *call = ctx;
    struct report_facts facts = {0};
    if (!reply->err)
        take_facts(reply->results, &facts);
    call->done(call->ctx, reply->err ? NULL : &facts, reply->err);
    free(call);
}

void store_report_facts(struct pg *pg, int64_t from_ms, int64_t to_ms, report_facts_fn *done,
                        void *ctx)
{
    struct facts_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct facts_call){done, ctx};
    for (size_t i = 0; i < ASKED; i++) {
        pg_add(batch, QUESTIONS[i]);
        pg_time(batch, from_ms);
        pg_time(batch, to_ms);
    }
    pg_run(pg, batch, on_facts, call);
}

static void on_added(void *ctx, const struct err *err)
{
    (void)ctx;
    if (err)
        log_debug("losses are not written down", LOG_S("error", err->text), LOG_END);
}

void store_loss_add(struct pg *pg, const struct report_loss *losses, size_t count)
{
    struct pg_array kinds;
    struct pg_array numbers;
    struct pg_batch *batch = pg_batch_new();
    pg_array_init(&kinds, PG_TEXT_ARRAY, 4096);
    pg_array_init(&numbers, PG_INT8_ARRAY, 4096);
    for (size_t i = 0; i < count; i++) {
        pg_array_text(&kinds, losses[i].kind);
        pg_array_i64(&numbers, losses[i].n);
    }
    pg_add(batch, LOSS_SQL);
    pg_array_param(batch, &kinds);
    pg_array_param(batch, &numbers);
    pg_run_outcome(pg, batch, on_added, NULL);
}
