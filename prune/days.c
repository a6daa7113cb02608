/* days.c -- whole days go: DETACH CONCURRENTLY, then DROP.
 *
 * The hard thing: doing this beside a service under load. A detach CONCURRENTLY waits for readers
 * and lets writers on; it can't run in a transaction, and an interrupted one must be FINALIZEd
 * before anything else is detached. Events are never DELETEd. */
#include "prune/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    PGresult *rows = prune_ask(
        p,
        "SELECT format('ALTER TABLE %I DETACH PARTITION %I FINALIZE', "
        "i.inhparent::regclass, c.relname) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class t ON t.oid = "
        "i.inhparent WHERE i.inhdetachpending AND t.relname IN ('event', "
        "'error_stack', 'event_attachment') AND t.relnamespace = current_schema()::regnamespace",
        NULL);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = prune_do(p, PQgetvalue(rows, i, 0), NULL);
    PQclear(rows);
    return ok;
}

/* Detached by an earlier run that did not get to dropping it: a leaf's name, the mark that
 * nabat_make_day leaves on what it makes, and no parent. */
static bool drop_orphans(struct pruning *p, const char *limit)
{
    PGresult *rows = prune_ask(
        p,
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
        ok = prune_do(p, PQgetvalue(rows, i, 0), NULL);
    PQclear(rows);
    return ok;
}

/* One leaf: detach beside readers and writers, then drop what is nobody's any more. */
static bool drop_leaf(struct pruning *p, const char *parent, const char *day)
{
    char leaf[64];
    char sql[256];
    snprintf(leaf, sizeof leaf, "%s_%s", parent, day);
    PGresult *rows = prune_ask(p,
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
        if (!prune_do(p, sql, NULL))
            return false;
    }
    snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s", leaf);
    return prune_do(p, sql, NULL);
}

/* `full`: to make room, before its time. */
static bool drop_day(struct pruning *p, const char *day, bool full)
{
    char sql[512];
    char size[SIZE_TEXT_BYTES];
    int64_t count = 0;
    snprintf(sql, sizeof sql,
             "SELECT to_regclass('event_%s') IS NOT NULL, "
             "coalesce(pg_total_relation_size(to_regclass('event_%s')), 0) + "
             "coalesce(pg_total_relation_size(to_regclass('error_stack_%s')), 0) + "
             "coalesce(pg_total_relation_size(to_regclass('event_attachment_%s')), 0)",
             day, day, day, day);
    PGresult *rows = prune_ask(p, sql, NULL);
    if (!rows)
        return false;
    bool has_events = PQgetvalue(rows, 0, 0)[0] == 't';
    int64_t bytes = prune_number(rows, 0, 1);
    PQclear(rows);
    if (has_events) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM event_%s", day);
        rows = prune_ask(p, sql, NULL);
        if (!rows)
            return false;
        count = prune_number(rows, 0, 0);
        PQclear(rows);
    }
    printf("%.4s-%.2s-%.2s  %" PRId64 " events, %s\n", day, day + 4, day + 6, count,
           prune_size_text(bytes, size));
    fflush(stdout);
    p->rows += count;
    p->bytes += bytes;
    p->days++;
    if (p->options->dry_run)
        return true;
    return prune_archive(p, day) && prune_keep(p, day, full) && drop_leaf(p, "event", day) &&
           drop_leaf(p, "error_stack", day) && drop_leaf(p, "event_attachment", day);
}

/* Days all of which are older than N days: the last moment of the day is before now - N days. One that was restored from the
 * archive stays for a week. */
static bool drop_old(struct pruning *p, const char *limit)
{
    PGresult *rows = prune_ask(
        p,
        "SELECT DISTINCT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = "
        "i.inhrelid JOIN pg_class t ON t.oid = i.inhparent WHERE t.relname IN ('event', "
        "'error_stack', 'event_attachment') "
        "AND t.relnamespace = current_schema()::regnamespace "
        "AND c.relname ~ '^(event|error_stack|event_attachment)_[0-9]{8}$' "
        "AND to_date(right(c.relname, 8), 'YYYYMMDD') < $1::date AND NOT EXISTS (SELECT 1 FROM "
        "service_setting s WHERE s.name = 'restored_day:' || right(c.relname, 8) "
        "AND CASE WHEN starts_with(s.name, 'restored_day:') THEN s.value::timestamptz END "
        "> now() - interval '7 days') ORDER BY 1",
        limit);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = drop_day(p, PQgetvalue(rows, i, 0), false);
    PQclear(rows);
    return ok;
}

bool prune_days(struct pruning *p, const char *limit)
{
    bool dry = p->options->dry_run;
    return (dry || (finalize_pending(p) && drop_orphans(p, limit))) && drop_old(p, limit);
}

/* ------------------------------------------------------------------------------------------ room */

/* The oldest day but today, "" when there is none; and what the store takes. */
static bool look_at_store(struct pruning *p, char oldest[16], int64_t *bytes)
{
    PGresult *rows = prune_ask(
        p,
        "SELECT nabat_store_bytes(), coalesce(min(right(c.relname, 8)), '') FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event'::regclass "
        "AND to_date(right(c.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date",
        NULL);
    if (!rows)
        return false;
    *bytes = prune_number(rows, 0, 0);
    snprintf(oldest, 16, "%s", PQgetvalue(rows, 0, 1));
    PQclear(rows);
    return true;
}

/* Each round drops a day: it ends. The service does the rest: when today alone is too much, it only counts. */
bool prune_to_size(struct pruning *p)
{
    char oldest[16];
    char max[24];
    char size[SIZE_TEXT_BYTES];
    int64_t bytes = 0;
    if (p->options->dry_run)
        return true;
    for (bool more = p->options->bytes_max > 0; more;) {
        if (!look_at_store(p, oldest, &bytes))
            return false;
        more = bytes > p->options->bytes_max && oldest[0];
        if (more && !drop_day(p, oldest, true))
            return false;
    }
    snprintf(max, sizeof max, "%" PRId64, p->options->bytes_max);
    PGresult *full = prune_ask(p, "SELECT nabat_store_is_full(nullif($1::bigint, 0))", max);
    if (!full)
        return false;
    if (PQgetvalue(full, 0, 0)[0] == 't')
        printf("the store takes %s: more than STORE_MAX_BYTES, and today is the oldest day. Events "
               "are only counted\n",
               prune_size_text(bytes, size));
    PQclear(full);
    return true;
}
