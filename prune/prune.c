/* prune.c -- retention: DETACH CONCURRENTLY, DROP, and what hung on the days that went.
 *
 *     lock out other prunes --> finish interrupted detaches --> drop days --> groups, outbox,
 *     updates --> days ahead
 *
 * The hard thing: doing this beside a service under load. A detach CONCURRENTLY waits for readers
 * and lets writers on; it can't run in a transaction, and an interrupted one must be FINALIZEd
 * before anything else is detached. Events are never DELETEd. */
#include "prune/prune.h"

#include "core/clock.h"
#include "store/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pruning {
    struct session *session;
    const struct prune_options *options;
    struct err *err;
    int64_t rows;
    int64_t bytes;
    int days;
};

/* Text rows of a query; NULL on error. */
static PGresult *ask(struct pruning *p, const char *sql, const char *param)
{
    const char *params[] = {param};
    return session_run(p->session, sql, param ? 1 : 0, params, p->err);
}

static bool run(struct pruning *p, const char *sql, const char *param)
{
    PGresult *result = ask(p, sql, param);
    PQclear(result);
    return result != NULL;
}

static int64_t number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* "12,345"-free plain text of bytes for people. */
static const char *size_text(int64_t bytes, char out[32])
{
    static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
    return out;
}

/* Names whoever a detach would wait for: long transactions that hold the table. */
static void name_blockers(struct pruning *p, const char *leaf)
{
    struct err ignored = {0};
    const char *params[] = {leaf};
    PGresult *rows =
        session_run(p->session,
                    "SELECT a.pid, coalesce(a.usename, '?'), coalesce(a.application_name, ''), "
                    "coalesce(a.state, ''), extract(epoch FROM now() - a.xact_start)::bigint "
                    "FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid "
                    "JOIN pg_class c ON c.oid = l.relation WHERE c.relname IN ('event', "
                    "'error_stack', 'event_attachment', $1) "
                    "AND a.pid <> pg_backend_pid() AND a.xact_start < now() - interval '2 seconds' "
                    "GROUP BY 1, 2, 3, 4, 5 LIMIT 5",
                    1, params, &ignored);
    for (int i = 0; rows && i < PQntuples(rows); i++)
        printf("waiting for session %s (%s, \"%s\", %s), open for %s s\n", PQgetvalue(rows, i, 0),
               PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 2), PQgetvalue(rows, i, 3),
               PQgetvalue(rows, i, 4));
    fflush(stdout);
    PQclear(rows);
}

/* An earlier run was interrupted between the two transactions of its detach. */
static bool finalize_pending(struct pruning *p)
{
    PGresult *rows = ask(
        p,
        "SELECT format('ALTER TABLE %I DETACH PARTITION %I FINALIZE', "
        "i.inhparent::regclass, c.relname) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class t ON t.oid = "
        "i.inhparent WHERE i.inhdetachpending AND t.relname IN ('event', "
        "'error_stack', 'event_attachment') AND t.relnamespace = current_schema()::regnamespace",
        NULL);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = run(p, PQgetvalue(rows, i, 0), NULL);
    PQclear(rows);
    return ok;
}

/* Detached by an earlier run that did not get to dropping it: a leaf's name, the mark that
 * nabat_make_day leaves on what it makes, and no parent. */
static bool drop_orphans(struct pruning *p, const char *limit)
{
    PGresult *rows =
        ask(p,
            "SELECT format('DROP TABLE %I', c.relname) FROM pg_class c "
            "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
            "AND c.relname ~ '^(event|error_stack|event_attachment)_[0-9]{8}$' AND NOT "
            "c.relispartition "
            "AND EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid "
            "AND k.conname = c.relname || '_day') AND to_date(right(c.relname, 8), 'YYYYMMDD') < "
            "$1::date",
            limit);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = run(p, PQgetvalue(rows, i, 0), NULL);
    PQclear(rows);
    return ok;
}

/* One leaf: detach beside readers and writers, then drop what is nobody's any more. */
static bool drop_leaf(struct pruning *p, const char *parent, const char *day)
{
    char leaf[64];
    char sql[256];
    snprintf(leaf, sizeof leaf, "%s_%s", parent, day);
    PGresult *rows = ask(p,
                         "SELECT c.relispartition FROM pg_class c WHERE c.relname = $1 AND "
                         "c.relnamespace = current_schema()::regnamespace",
                         leaf);
    if (!rows)
        return false;
    bool attached = PQntuples(rows) == 1 && PQgetvalue(rows, 0, 0)[0] == 't';
    PQclear(rows);
    if (attached) {
        name_blockers(p, leaf);
        snprintf(sql, sizeof sql, "ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY", parent, leaf);
        if (!run(p, sql, NULL))
            return false;
    }
    snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s", leaf);
    return run(p, sql, NULL);
}

static bool drop_day(struct pruning *p, const char *day)
{
    char sql[512];
    char size[32];
    int64_t count = 0;
    snprintf(sql, sizeof sql,
             "SELECT to_regclass('event_%s') IS NOT NULL, "
             "coalesce(pg_total_relation_size(to_regclass('event_%s')), 0) + "
             "coalesce(pg_total_relation_size(to_regclass('error_stack_%s')), 0) + "
             "coalesce(pg_total_relation_size(to_regclass('event_attachment_%s')), 0)",
             day, day, day, day);
    PGresult *rows = ask(p, sql, NULL);
    if (!rows)
        return false;
    bool has_events = PQgetvalue(rows, 0, 0)[0] == 't';
    int64_t bytes = number(rows, 0, 1);
    PQclear(rows);
    if (has_events) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM event_%s", day);
        rows = ask(p, sql, NULL);
        if (!rows)
            return false;
        count = number(rows, 0, 0);
        PQclear(rows);
    }
    printf("%.4s-%.2s-%.2s  %" PRId64 " events, %s\n", day, day + 4, day + 6, count,
           size_text(bytes, size));
    fflush(stdout);
    p->rows += count;
    p->bytes += bytes;
    p->days++;
    if (p->options->dry_run)
        return true;
    return drop_leaf(p, "event", day) && drop_leaf(p, "error_stack", day) &&
           drop_leaf(p, "event_attachment", day);
}

/* Days all of which are older than N days: the last moment of the day is before now - N days. */
static bool drop_days(struct pruning *p, const char *limit)
{
    PGresult *rows =
        ask(p,
            "SELECT DISTINCT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = "
            "i.inhrelid JOIN pg_class t ON t.oid = i.inhparent WHERE t.relname IN ('event', "
            "'error_stack', 'event_attachment') "
            "AND t.relnamespace = current_schema()::regnamespace "
            "AND c.relname ~ '^(event|error_stack|event_attachment)_[0-9]{8}$' "
            "AND to_date(right(c.relname, 8), 'YYYYMMDD') < $1::date ORDER BY 1",
            limit);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = drop_day(p, PQgetvalue(rows, i, 0));
    PQclear(rows);
    return ok;
}

struct chore {
    const char *what;
    const char *count_sql;
    const char *sql; /* NULL: remove_groups */
};

/* "A group goes when no event of it is left, nobody touched it or it is resolved, and no mute is in
 * force"; one that was seen within a day may have events on their way. */
#define LONELY                                                                                     \
    "g.last_seen < now() - interval '1 day' AND (NOT g.touched OR g.status = 'resolved') "         \
    "AND NOT coalesce(g.muted_until > now(), false) "                                              \
    "AND NOT coalesce(g.muted_until_count > g.occurrences, false) "                                \
    "AND NOT EXISTS (SELECT 1 FROM error_group m WHERE m.merged_into = g.id) "                     \
    "AND NOT EXISTS (SELECT 1 FROM event e WHERE e.group_id = g.id) "                              \
    "AND NOT EXISTS (SELECT 1 FROM event_kept k WHERE k.group_id = g.id)"
#define OLD_OUTBOX                                                                                 \
    "created_at < now() - make_interval(days => $1::int) AND state NOT IN ('pending', 'sending')"

#define OLD_COUNT(table, column)                                                                   \
    "SELECT count(*) FROM " table " WHERE " column " < now() - make_interval(days => $1::int)"
#define OLD_DELETE(table, column)                                                                  \
    "WITH gone AS (DELETE FROM " table " WHERE " column                                            \
    " < now() - make_interval(days => $1::int) RETURNING 1) SELECT count(*) FROM gone"

/* Looking through all groups takes seconds where there are a million: it holds up nobody. */
static const char LONELY_SQL[] =
    "SELECT coalesce(array_agg(id), '{}'), max(id) FROM (SELECT g.id FROM error_group g "
    "WHERE g.id > $1::bigint AND " LONELY " ORDER BY g.id LIMIT 100) l";
/* Writers hold the lock shared from looking groups up until their events are in: no group goes in
 * between. A snapshot taken before the lock would not see those events, so the lock comes first, and
 * they are looked at again. Whoever writes meanwhile waits for this lock: it is not waited for long. */
static const char GROUPS_WAIT_SQL[] = "SET LOCAL lock_timeout = '2s'";
static const char GROUPS_LOCK_SQL[] = "SELECT pg_advisory_xact_lock(hashtext('nabat.groups'))";
static const char GROUPS_SQL[] =
    "WITH erase AS (SELECT set_config('nabat.erase', 'on', true)), "
    "gone AS (DELETE FROM error_group g WHERE id IN (SELECT g.id FROM error_group g, erase "
    "WHERE g.id = ANY($1::bigint[]) AND " LONELY
    " ORDER BY g.id FOR UPDATE OF g SKIP LOCKED) RETURNING id), "
    "a AS (DELETE FROM group_user WHERE group_id IN (SELECT id FROM gone)), "
    "b AS (DELETE FROM alert_card WHERE group_id IN (SELECT id FROM gone)), "
    "c AS (DELETE FROM alert_state WHERE group_id IN (SELECT id FROM gone)), "
    "d AS (DELETE FROM alert_outbox WHERE group_id IN (SELECT id FROM gone)), "
    "e AS (DELETE FROM group_delta WHERE group_id IN (SELECT id FROM gone)), "
    "f AS (DELETE FROM error_group_history WHERE group_id IN (SELECT id FROM gone)), "
    "h AS (DELETE FROM alert_note WHERE group_id IN (SELECT id FROM gone)), "
    "i AS (DELETE FROM chat_message WHERE group_id IN (SELECT id FROM gone)), "
    "j AS (DELETE FROM group_minute WHERE group_id IN (SELECT id FROM gone)), "
    "k AS (DELETE FROM group_counted WHERE group_id IN (SELECT id FROM gone)), "
    "l AS (DELETE FROM alert_firing WHERE group_id IN (SELECT id FROM gone)), "
    "m AS (DELETE FROM group_hour WHERE group_id IN (SELECT id FROM gone)), "
    "o AS (DELETE FROM group_day WHERE group_id IN (SELECT id FROM gone)) "
    "SELECT count(*) FROM gone";

/* Statistics keep hours that long, and days for good: a day's row is a hundred bytes. */
#define HOURS_END "date_trunc('day', now() - interval '90 days', 'UTC')"

static const struct chore CHORES[] = {
    {"groups", "SELECT count(*) FROM error_group g WHERE " LONELY, NULL},
    {"outbox rows", "SELECT count(*) FROM alert_outbox WHERE " OLD_OUTBOX,
     "WITH gone AS (DELETE FROM alert_outbox WHERE " OLD_OUTBOX " RETURNING 1) "
     "SELECT count(*) FROM gone"},
    {"updates",
     "SELECT count(*) FROM telegram_update WHERE received_at < now() - interval '48 hours'",
     "WITH gone AS (DELETE FROM telegram_update WHERE received_at < now() - interval '48 hours' "
     "RETURNING 1) SELECT count(*) FROM gone"},
    {"unreadable inserts",
     "SELECT count(*) FROM event_inbox_failed WHERE failed_at < now() - "
     "make_interval(days => $1::int)",
     "WITH gone AS (DELETE FROM event_inbox_failed WHERE failed_at < now() - "
     "make_interval(days => $1::int) RETURNING 1) SELECT count(*) FROM gone"},
    {"messages with buttons", OLD_COUNT("chat_message", "made_at"),
     OLD_DELETE("chat_message", "made_at")},
    {"digests", OLD_COUNT("alert_digest", "opened_at"), OLD_DELETE("alert_digest", "opened_at")},
    {"silences", OLD_COUNT("alert_silence", "ends_at"), OLD_DELETE("alert_silence", "ends_at")},
    {"words of users", OLD_COUNT("user_feedback", "received_at"),
     OLD_DELETE("user_feedback", "received_at")},
    {"hours of sessions", OLD_COUNT("session_hour", "hour"), OLD_DELETE("session_hour", "hour")},
    {"hours added up to days",
     "SELECT (SELECT count(*) FROM event_hour WHERE hour < " HOURS_END
     ") + (SELECT count(*) FROM group_hour WHERE hour < " HOURS_END ")",
     "SELECT nabat_hours_to_days(" HOURS_END ")"},
    {"events that waited for SENTRY_DSN", OLD_COUNT("forward_queue", "queued_at"),
     OLD_DELETE("forward_queue", "queued_at")},
    {"check-ins", OLD_COUNT("monitor_checkin", "started_at"),
     OLD_DELETE("monitor_checkin", "started_at")},
};

/* One small transaction, so that no writer waits for long. */
static bool remove_these(struct pruning *p, const char *ids, int64_t *removed)
{
    bool ok =
        run(p, "BEGIN", NULL) && run(p, GROUPS_WAIT_SQL, NULL) && run(p, GROUPS_LOCK_SQL, NULL);
    PGresult *rows = ok ? ask(p, GROUPS_SQL, ids) : NULL;
    ok = rows && run(p, "COMMIT", NULL);
    *removed += ok ? number(rows, 0, 0) : 0;
    PQclear(rows);
    return ok;
}

static bool remove_groups(struct pruning *p, int64_t *removed)
{
    char after[24] = "0";
    for (bool any = true; any;) {
        PGresult *lonely = ask(p, LONELY_SQL, after);
        if (!lonely)
            return false;
        any = !PQgetisnull(lonely, 0, 1);
        bool ok = !any || remove_these(p, PQgetvalue(lonely, 0, 0), removed);
        snprintf(after, sizeof after, "%s", PQgetvalue(lonely, 0, 1));
        PQclear(lonely);
        if (!ok && p->err->kind == ERR_RETRY && run(p, "ROLLBACK", NULL)) {
            puts("groups without events: a writer holds them for long, they stay until the next "
                 "run");
            *p->err = (struct err){0};
            return true;
        }
        if (!ok)
            return false;
    }
    return true;
}

static bool do_chore(struct pruning *p, const struct chore *chore, const char *days)
{
    int64_t count = 0;
    const char *sql = p->options->dry_run ? chore->count_sql : chore->sql;
    PGresult *rows = sql ? ask(p, sql, strstr(sql, "$1") ? days : NULL) : NULL;
    if (rows)
        count = number(rows, 0, 0);
    bool ok = sql ? rows != NULL : remove_groups(p, &count);
    PQclear(rows);
    if (ok && count > 0)
        printf("%" PRId64 " %s\n", count, chore->what);
    return ok;
}

static bool do_chores(struct pruning *p)
{
    char days[12];
    snprintf(days, sizeof days, "%d", p->options->days);
    for (size_t i = 0; i < sizeof CHORES / sizeof *CHORES; i++) {
        if (!do_chore(p, &CHORES[i], days))
            return false;
    }
    return true;
}

static bool prune_locked(struct pruning *p)
{
    char days[12];
    char limit[16];
    snprintf(days, sizeof days, "%d", p->options->days);
    PGresult *rows =
        ask(p, "SELECT ((now() AT TIME ZONE 'UTC') - make_interval(days => $1::int))::date", days);
    if (!rows)
        return false;
    snprintf(limit, sizeof limit, "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);
    bool dry = p->options->dry_run;
    return (dry || (finalize_pending(p) && drop_orphans(p, limit))) && drop_days(p, limit) &&
           do_chores(p) &&
           (dry || run(p,
                       "SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date + n) FROM "
                       "generate_series(0, 3) AS n",
                       NULL));
}

bool prune_run(const char *url, const char *schema, const struct prune_options *options,
               struct err *err)
{
    int64_t started = clock_mono_ms();
    char size[32];
    struct pruning p = {.options = options, .err = err};
    p.session = session_open(url, schema, "nabat prune", err);
    if (!p.session)
        return false;
    /* a session lock, since a detach spans transactions; it ends with this short-lived session */
    PGresult *lock =
        ask(&p, "SELECT pg_try_advisory_lock(hashtext('nabat.prune'), hashtext($1))", schema);
    bool ok = lock != NULL;
    bool alone = ok && PQgetvalue(lock, 0, 0)[0] == 't';
    PQclear(lock);
    if (ok && !alone)
        puts("another nabat-prune is at work: nothing to do");
    else if (ok)
        ok = prune_locked(&p);
    session_close(p.session);
    if (ok && alone)
        printf("%s %d day%s: %" PRId64 " rows, %s, %.2f s\n",
               options->dry_run ? "would drop" : "dropped", p.days, p.days == 1 ? "" : "s", p.rows,
               size_text(p.bytes, size), (double)(clock_mono_ms() - started) / 1000.0);
    return ok;
}
