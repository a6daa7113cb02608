/* chores.c -- what belonged only to days that went, and what is old by itself. */
#include "prune/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    "o AS (DELETE FROM group_day WHERE group_id IN (SELECT id FROM gone)), "
    "q AS (DELETE FROM group_release WHERE group_id IN (SELECT id FROM gone)), "
    "r AS (DELETE FROM user_report WHERE group_id IN (SELECT id FROM gone)), "
    "s AS (DELETE FROM group_comment WHERE group_id IN (SELECT id FROM gone)), "
    "t AS (DELETE FROM issue_link WHERE group_id IN (SELECT id FROM gone)) "
    "SELECT count(*) FROM gone";

/* Statistics keep hours for as long as events, and 90 days at least; and days for good: a day's row is a hundred bytes. */
#define HOURS_END "date_trunc('day', now() - make_interval(days => greatest(90, $1::int)), 'UTC')"

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
    {"marks of restored days",
     "SELECT count(*) FROM service_setting WHERE CASE WHEN starts_with(name, 'restored_day:') "
     "THEN value::timestamptz < now() - interval '30 days' ELSE false END",
     "WITH gone AS (DELETE FROM service_setting WHERE CASE WHEN starts_with(name, 'restored_day:') "
     "THEN value::timestamptz < now() - interval '30 days' ELSE false END RETURNING 1) "
     "SELECT count(*) FROM gone"},
    {"answers to checks", "SELECT count(*) FROM check_sample WHERE at < now() - interval '30 days'",
     "WITH gone AS (DELETE FROM check_sample WHERE at < now() - interval '30 days' RETURNING 1) "
     "SELECT count(*) FROM gone"},
    {"old deploys", "SELECT count(*) FROM deploy WHERE deployed_at < now() - interval '400 days'",
     "WITH gone AS (DELETE FROM deploy WHERE deployed_at < now() - interval '400 days' RETURNING "
     "1) "
     "SELECT count(*) FROM gone"},
    {"reports that never became an event",
     "SELECT count(*) FROM user_report WHERE group_id IS NULL AND created_at < now() - interval '7 "
     "days'",
     "WITH gone AS (DELETE FROM user_report WHERE group_id IS NULL AND created_at < now() - "
     "interval '7 days' RETURNING 1) "
     "SELECT count(*) FROM gone"},
    {"hours of users", OLD_COUNT("user_hour", "hour"), OLD_DELETE("user_hour", "hour")},
    {"days of users", OLD_COUNT("user_day", "day"), OLD_DELETE("user_day", "day")},
    {"check-ins", OLD_COUNT("monitor_checkin", "started_at"),
     OLD_DELETE("monitor_checkin", "started_at")},
};

/* One small transaction, so that no writer waits for long. */
static bool remove_these(struct pruning *p, const char *ids, int64_t *removed)
{
    bool ok = prune_do(p, "BEGIN", NULL) && prune_do(p, GROUPS_WAIT_SQL, NULL) &&
              prune_do(p, GROUPS_LOCK_SQL, NULL);
    PGresult *rows = ok ? prune_ask(p, GROUPS_SQL, ids) : NULL;
    ok = rows && prune_do(p, "COMMIT", NULL);
    *removed += ok ? prune_number(rows, 0, 0) : 0;
    PQclear(rows);
    return ok;
}

static bool remove_groups(struct pruning *p, int64_t *removed)
{
    char after[24] = "0";
    for (bool any = true; any;) {
        PGresult *lonely = prune_ask(p, LONELY_SQL, after);
        if (!lonely)
            return false;
        any = !PQgetisnull(lonely, 0, 1);
        bool ok = !any || remove_these(p, PQgetvalue(lonely, 0, 0), removed);
        snprintf(after, sizeof after, "%s", PQgetvalue(lonely, 0, 1));
        PQclear(lonely);
        if (!ok && p->err->kind == ERR_RETRY && prune_do(p, "ROLLBACK", NULL)) {
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
    PGresult *rows = sql ? prune_ask(p, sql, strstr(sql, "$1") ? days : NULL) : NULL;
    if (rows)
        count = prune_number(rows, 0, 0);
    bool ok = sql ? rows != NULL : remove_groups(p, &count);
    PQclear(rows);
    if (ok && count > 0)
        printf("%" PRId64 " %s\n", count, chore->what);
    return ok;
}

bool prune_chores(struct pruning *p)
{
    char days[12];
    snprintf(days, sizeof days, "%d", p->options->days);
    for (size_t i = 0; i < sizeof CHORES / sizeof *CHORES; i++) {
        if (!do_chore(p, &CHORES[i], days))
            return false;
    }
    return true;
}
