/* keep.c -- what outlives its day, and what goes before it.
 *
 *     a day that goes --> event_kept: events whose class is kept longer; of each open error the first, and the newest three
 *     a day that stays, with events whose class is kept for less --> the same day without them, swapped in
 *
 * The hard thing: events are never DELETEd from a day, since that leaves a table as large as before. So a day is written anew
 * beside readers, and swapped in one short transaction; writers to that old day (the spool's replay) wait meanwhile. */
#include "prune/internal.h"

#include "core/buf.h"
#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXEMPLARS "3"
#define KEPT_COLUMNS                                                                               \
    "id, received_at, occurred_at, group_id, project_id, chat_id, event_id, severity, origin, "    \
    "handler, message, exception_type, user_id, gen_request_id, request_id, session_id, "          \
    "trace_id, environment, release, server_name, stack_hash, payload, tags, breadcrumbs, detail"
#define E_COLUMNS                                                                                  \
    "e.id, e.received_at, e.occurred_at, e.group_id, e.project_id, e.chat_id, e.event_id, "        \
    "e.severity, e.origin, e.handler, e.message, e.exception_type, e.user_id, e.gen_request_id, "  \
    "e.request_id, e.session_id, e.trace_id, e.environment, e.release, e.server_name, "            \
    "e.stack_hash, e.payload, e.tags, e.breadcrumbs, e.detail"
/* Statements about one day name its tables, which may be detached already: @ stands for the day. */
#define STACK                                                                                      \
    "(SELECT nabat_stack(s.body, e.stack_said, e.exception_type, e.message) FROM error_stack_@ s " \
    "WHERE s.hash = e.stack_hash)"
static const char KEEP_CLASS_SQL[] =
    "WITH kept AS (INSERT INTO event_kept (" KEPT_COLUMNS ", stacktrace) SELECT " E_COLUMNS
    ", " STACK " FROM event_@ e "
    "WHERE e.received_at > now() - make_interval(days => nabat_class_days(e.severity, e.origin, "
    "$1::text[], $2::int[])) ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM kept";
static const char KEEP_EXEMPLARS_SQL[] =
    "WITH open AS (SELECT g.id FROM error_group g WHERE g.status <> 'resolved' "
    "AND g.first_seen < to_date('@', 'YYYYMMDD') + 2 AND g.last_seen >= to_date('@', 'YYYYMMDD') - "
    "1), "
    "picked AS (SELECT x.* FROM open o CROSS JOIN LATERAL ("
    "(SELECT e.* FROM event_@ e WHERE e.group_id = o.id ORDER BY e.id LIMIT 1) UNION "
    "(SELECT e.* FROM event_@ e WHERE e.group_id = o.id ORDER BY e.id DESC LIMIT " EXEMPLARS
    ")) x), "
    "kept AS (INSERT INTO event_kept (" KEPT_COLUMNS ", stacktrace, exemplar) SELECT " E_COLUMNS
    ", " STACK ", true FROM picked e ON CONFLICT (id) DO UPDATE SET exemplar = true RETURNING 1) "
    "SELECT count(*) FROM kept";

/* Examples of what is resolved are like any other event; of the rest, the first and the newest stay. An error that nobody ever
 * touched, and that did not come for 90 days, is nobody's business any more: with its examples it goes itself (chores.c). */
static const char UNMARK_SQL[] =
    "UPDATE event_kept k SET exemplar = false WHERE exemplar AND (NOT EXISTS (SELECT 1 FROM "
    "error_group g WHERE g.id = k.group_id AND g.status <> 'resolved') "
    "OR (EXISTS (SELECT 1 FROM event_kept f WHERE f.group_id = k.group_id AND f.exemplar "
    "AND f.id < k.id) AND (SELECT count(*) FROM event_kept n WHERE n.group_id = k.group_id "
    "AND n.exemplar AND n.id > k.id) >= " EXEMPLARS ") "
    "OR NOT EXISTS (SELECT 1 FROM error_group g WHERE g.id = k.group_id AND (g.touched "
    "OR g.last_seen > now() - interval '90 days')))";
static const char FORGET_SQL[] =
    "WITH gone AS (DELETE FROM event_kept k WHERE NOT k.exemplar AND k.received_at <= now() - "
    "make_interval(days => coalesce(nabat_class_days(k.severity, k.origin, $1::text[], "
    "$2::int[]), $3::int)) RETURNING 1) SELECT count(*) FROM gone";

static bool count_kept(struct pruning *p, const char *sql, size_t params_count,
                       const char *const *params, int64_t *count)
{
    PGresult *rows = prune_ask_all(p, sql, params_count, params);
    if (!rows)
        return false;
    *count += prune_number(rows, 0, 0);
    PQclear(rows);
    return true;
}

/* May run again: nothing is kept twice. */
static bool keep(struct pruning *p, const char *template, const char *day, size_t params_count,
                 int64_t *count)
{
    const char *params[] = {p->names, p->class_days};
    struct buf sql;
    buf_init(&sql, 16 * KIB);
    for (const char *at = template; *at; at++) {
        if (*at == '@')
            buf_add_str(&sql, day);
        else
            buf_add_char(&sql, *at);
    }
    bool ok = count_kept(p, buf_text(&sql), params_count, params, count);
    buf_fini(&sql);
    return ok;
}

bool prune_keep(struct pruning *p, const char *day, bool full)
{
    int64_t count = 0;
    bool ok = (full || keep(p, KEEP_CLASS_SQL, day, 2, &count)) &&
              keep(p, KEEP_EXEMPLARS_SQL, day, 0, &count);
    if (ok && count)
        printf("            %" PRId64 " of them are kept: by their class, or as examples of open "
               "errors\n",
               count);
    return ok;
}

bool prune_forget_kept(struct pruning *p)
{
    char days[12];
    int64_t count = 0;
    snprintf(days, sizeof days, "%d", p->options->days);
    const char *params[] = {p->names, p->class_days, days};
    if (!prune_do(p, UNMARK_SQL, NULL) || !count_kept(p, FORGET_SQL, 3, params, &count))
        return false;
    if (count)
        printf("%" PRId64 " events that had been kept\n", count);
    return true;
}

/* --------------------------------------------------------------------------------------------- thin */

/* Days that may hold something of a class that is kept for less time than they are old, and were not written anew for it. */
static const char TO_THIN_SQL[] =
    "SELECT right(c.relname, 8), w.word FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "CROSS JOIN LATERAL (SELECT 'without ' || string_agg(k.name, ' ' ORDER BY k.name) AS word "
    "FROM unnest($1::text[], $2::int[]) AS k (name, days) WHERE k.days < $3::int "
    "AND nabat_leaf_day(c.relname) + k.days < (now() AT TIME ZONE 'UTC')::date) w "
    "WHERE i.inhparent = 'event'::regclass AND NOT i.inhdetachpending AND w.word IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM service_setting s WHERE s.name = 'restored_day:' || "
    "right(c.relname, 8)) "
    "AND coalesce(obj_description(c.oid, 'pg_class'), '') <> w.word ORDER BY 1";
static const char THIN_SQL[] =
    "SELECT nabat_thin_day(to_date($1, 'YYYYMMDD'), $2::text[], $3::int[], $4)";

static bool thin_day(struct pruning *p, const char *day, const char *word)
{
    const char *params[] = {day, p->names, p->class_days, word};
    int64_t removed = 0;
    if (p->options->dry_run) {
        printf("%.4s-%.2s-%.2s  events whose class is kept for less\n", day, day + 4, day + 6);
        return true;
    }
    if (!prune_do(p, "SET lock_timeout = '2s'", NULL))
        return false;
    bool ok = count_kept(p, THIN_SQL, 4, params, &removed);
    if (!ok && p->err->kind == ERR_RETRY) { /* somebody reads or replays into it for long */
        printf("%.4s-%.2s-%.2s  is in use, its short-lived events stay until the next run\n", day,
               day + 4, day + 6);
        *p->err = (struct err){0};
        ok = true;
    } else if (ok && removed) {
        printf("%.4s-%.2s-%.2s  %" PRId64 " events whose class is kept for less\n", day, day + 4,
               day + 6, removed);
    }
    return ok && prune_do(p, "RESET lock_timeout", NULL);
}

bool prune_thin(struct pruning *p)
{
    char base[12];
    snprintf(base, sizeof base, "%d", p->options->days);
    const char *params[] = {p->names, p->class_days, base};
    PGresult *rows = prune_ask_all(p, TO_THIN_SQL, 3, params);
    bool ok = rows != NULL;
    for (int i = 0; ok && i < PQntuples(rows); i++)
        ok = thin_day(p, PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1));
    PQclear(rows);
    return ok;
}
