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

/* Beside readers and writers. Nothing to do for one that is detached, or not there. */
static bool detach(struct pruning *p, const char *parent, const char *day)
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
    if (!attached)
        return true;
    name_blockers(p, leaf);
    snprintf(sql, sizeof sql, "ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY", parent, leaf);
    return prune_do(p, sql, NULL);
}

static bool drop(struct pruning *p, const char *parent, const char *day)
{
    char sql[128];
    snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s_%s", parent, day);
    return prune_do(p, sql, NULL);
}

/* Archived while it is part of the whole, and what came in between once more when nobody writes to it any more; kept then, so
 * that nothing shows twice. What ends in between is gone on with by the next run: a detached table is found again by its name
 * and by the mark that nabat_make_day leaves. Stacks go after what is kept has been given its own. */
static bool take_apart(struct pruning *p, const char *day, bool has_events, bool full)
{
    return prune_archive(p, day, has_events) && detach(p, "event", day) &&
           prune_archive(p, day, has_events) && (!has_events || prune_keep(p, day, full)) &&
           drop(p, "event", day) && detach(p, "error_stack", day) && drop(p, "error_stack", day) &&
           detach(p, "event_attachment", day) && drop(p, "event_attachment", day);
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
    return take_apart(p, day, has_events, full);
}

#define LEAF_NAMES "c.relname ~ '^(event|error_stack|event_attachment)_[0-9]{8}$'"
#define RESTORED                                                                                   \
    "EXISTS (SELECT 1 FROM service_setting s WHERE s.name = 'restored_day:' || right(c.relname, "  \
    "8) "                                                                                          \
    "AND CASE WHEN starts_with(s.name, 'restored_day:') THEN s.value::timestamptz END "            \
    "> now() - interval '7 days')"

/* Days all of which are older than N days: the last moment of the day is before now - N days. One that was restored from the
 * archive stays for a week. And those that an earlier run has detached, whatever their age. */
static const char OLD_DAYS_SQL[] =
    "SELECT DISTINCT right(c.relname, 8) FROM pg_class c WHERE c.relkind = 'r' AND " LEAF_NAMES
    " AND c.relnamespace = current_schema()::regnamespace AND EXISTS (SELECT 1 FROM pg_constraint "
    "k "
    "WHERE k.conrelid = c.oid AND k.conname = c.relname || '_day') AND NOT " RESTORED
    " AND (nabat_leaf_day(c.relname) < $1::date OR NOT c.relispartition) ORDER BY 1";

bool prune_days(struct pruning *p, const char *limit)
{
    if (!p->options->dry_run && !finalize_pending(p))
        return false;
    PGresult *rows = prune_ask(p, OLD_DAYS_SQL, limit);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = drop_day(p, PQgetvalue(rows, i, 0), false);
    PQclear(rows);
    return ok;
}

/* ------------------------------------------------------------------------------------------ room */

/* The days but today, oldest first, and what each takes; before them what the store takes, and what is not of days. */
static const char ROOM_SQL[] =
    "SELECT '', nabat_store_bytes(), nabat_store_bytes() - nabat_store_bytes(true) UNION ALL "
    "(SELECT right(c.relname, 8), sum(pg_total_relation_size(c.oid))::bigint, 0 FROM pg_inherits i "
    "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent IN ('event'::regclass, "
    "'error_stack'::regclass, 'event_attachment'::regclass) AND NOT " RESTORED
    " AND nabat_leaf_day(c.relname) < (now() AT TIME ZONE 'UTC')::date "
    "GROUP BY 1 ORDER BY 1)";
enum { ROOM_DAY, ROOM_BYTES, ROOM_REST };

static bool say_whether_full(struct pruning *p, int64_t bytes)
{
    char max[24];
    char size[SIZE_TEXT_BYTES];
    snprintf(max, sizeof max, "%" PRId64, p->options->bytes_max);
    PGresult *full = prune_ask(p, "SELECT nabat_store_is_full(nullif($1::bigint, 0))", max);
    if (!full)
        return false;
    if (PQgetvalue(full, 0, 0)[0] == 't')
        printf("the store takes %s: more than STORE_MAX_BYTES, and no older day can go. Events are "
               "only counted\n",
               prune_size_text(bytes, size));
    PQclear(full);
    return true;
}

/* The service does the rest: when today alone is too much, it only counts. */
bool prune_to_size(struct pruning *p)
{
    char size[SIZE_TEXT_BYTES];
    int64_t max = p->options->bytes_max;
    PGresult *rows = prune_ask(p, ROOM_SQL, NULL);
    if (!rows)
        return false;
    int64_t bytes = prune_number(rows, 0, ROOM_BYTES);
    int64_t rest = prune_number(rows, 0, ROOM_REST);
    bool ok = true;
    if (max > 0 && rest > max)
        printf(
            "groups and what was kept take %s, more than STORE_MAX_BYTES: dropping days does not "
            "help, none is dropped for it\n",
            prune_size_text(rest, size));
    for (int i = 1; ok && max > 0 && rest <= max && bytes > max && i < PQntuples(rows); i++) {
        bytes -= prune_number(rows, i, ROOM_BYTES);
        ok = drop_day(p, PQgetvalue(rows, i, ROOM_DAY), true);
    }
    PQclear(rows);
    return ok && (p->options->dry_run || say_whether_full(p, bytes));
}
