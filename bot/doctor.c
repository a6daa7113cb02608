/* doctor.c -- nabat --doctor: what --check says, and then what would bite later: each finding with its remedy.
 *
 * A look at the database is one statement of a table, with one row for each finding: its grade ("warn" or "FAIL"; "ok" says how it
 * is), what it is, what to do. No row: all is well. */
#include "bot/tools.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "store/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

enum { EXIT_WARNED = 3, FILES_SPARE = 64 };

struct doctor {
    const struct settings *settings;
    struct session *session;
    int warned;
    int failed;
};

static void say(struct doctor *d, const char *grade, const char *what, const char *finding,
                const char *remedy)
{
    printf("%-5s %-12s %s\n", grade, what, finding);
    if (remedy && remedy[0])
        printf("%-18s -> %s\n", "", remedy);
    d->warned += strcmp(grade, "warn") == 0;
    d->failed += strcmp(grade, "FAIL") == 0;
}

/* ------------------------------------------------------------------------------------ of the database */

struct glance {
    const char *what;
    const char *sql; /* grade, finding, remedy */
};

static const struct glance LOOKS[] = {
    {"durability",
     "SELECT 'FAIL', name || ' is ' || setting || ': what was answered can be lost', "
     "'ALTER SYSTEM SET ' || name || ' = on; SELECT pg_reload_conf()' FROM pg_settings "
     "WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'"},
    {"read-only",
     "SELECT 'FAIL', 'the server is read-only: events go to the spool', "
     "'several hosts in DATABASE_URL find the one that writes; else promote it' "
     "WHERE pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'"},
    {"vacuum",
     "SELECT 'FAIL', 'autovacuum is off: tables grow without end', "
     "'ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()' WHERE "
     "current_setting('autovacuum') = 'off' "
     "UNION ALL SELECT 'warn', relname || ' has ' || n_dead_tup || ' dead rows for ' || n_live_tup "
     "|| "
     "' live ones', 'VACUUM ' || relname || '; is a long transaction open?' FROM "
     "pg_stat_user_tables "
     "WHERE schemaname = current_schema() AND n_dead_tup > 100000 AND n_dead_tup > 4 * n_live_tup"},
    {"memory", "SELECT 'warn', 'shared_buffers is ' || current_setting('shared_buffers'), "
               "'a quarter of the machine is usual; 128MB is the least' "
               "WHERE pg_size_bytes(current_setting('shared_buffers')) < 100 * 1024 * 1024"},
    {"connections",
     "SELECT 'warn', n || ' of ' || current_setting('max_connections') || ' connections are in "
     "use', "
     "'Nabat needs four an instance: raise max_connections, or put a pooler before the others' "
     "FROM (SELECT count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend') c "
     "WHERE n > 0.8 * current_setting('max_connections')::int"},
    {"transactions",
     "SELECT 'warn', 'session ' || pid || ' (' || coalesce(usename, '?') || ', ' || state || ') is "
     "in a "
     "transaction for ' || date_trunc('second', now() - xact_start), "
     "'SELECT pg_terminate_backend(' || pid || '); it holds up vacuum, and nabat-prune' "
     "FROM pg_stat_activity WHERE xact_start < now() - interval '5 minutes' "
     "AND datname = current_database() AND pid <> pg_backend_pid()"},
    {"queries",
     "SELECT 'warn', 'session ' || pid || ' (' || coalesce(usename, '?') || ') has been at one "
     "statement for ' || date_trunc('second', now() - query_start), "
     "'SELECT pg_cancel_backend(' || pid || '); docs/queries.md says what is quick' "
     "FROM pg_stat_activity WHERE state = 'active' AND query_start < now() - interval '10 seconds' "
     "AND datname = current_database() AND backend_type = 'client backend' "
     "AND pid <> pg_backend_pid()"},
    {"days",
     "SELECT 'FAIL', 'there is no table for ' || d, 'start the service, or run nabat-prune: both "
     "make them' "
     "FROM (SELECT (now() AT TIME ZONE 'UTC')::date + n AS d FROM generate_series(0, 1) AS n) w "
     "WHERE to_regclass('event_' || to_char(d, 'YYYYMMDD')) IS NULL "
     "UNION ALL SELECT 'warn', c.relname || ' is detached half', 'run nabat-prune: it finishes "
     "that' "
     "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhdetachpending "
     "UNION ALL SELECT 'FAIL', 'the oldest day is ' || min(d) || ', but ' || $1 || ' days are "
     "kept', "
     "'nabat-prune does not run: a timer, or a cron line' FROM (SELECT "
     "nabat_leaf_day(c.relname) AS d FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
     "WHERE i.inhparent = 'event'::regclass AND NOT EXISTS (SELECT 1 FROM service_setting s "
     "WHERE s.name = 'restored_day:' || right(c.relname, 8))) o "
     "HAVING min(d) < (now() AT TIME ZONE 'UTC')::date - $1::int - 2"},
    {"alerts",
     "SELECT 'FAIL', 'alerts that wait: ' || count(*) || ', since ' || to_char(min(created_at) AT "
     "TIME ZONE "
     "'UTC', "
     "'YYYY-MM-DD HH24:MI') || ' UTC', 'does the service run, and may the bot write to the chat? "
     "/health' "
     "FROM alert_outbox WHERE state = 'pending' AND hold IS NULL HAVING min(created_at) < now() - "
     "interval "
     "'10 minutes' UNION ALL SELECT 'warn', 'alerts of the last day that no chat took: ' || "
     "count(*) || "
     "': ' || left(max(last_error), 80), 'SELECT * FROM alert_outbox WHERE state = ''failed''' "
     "FROM "
     "alert_outbox "
     "WHERE state = 'failed' AND created_at > now() - interval '1 day' HAVING count(*) > 0"},
    {"inserts", "SELECT 'warn', 'SQL INSERTs that were no events: ' || count(*) || ': ' || "
                "left(max(error), 80), "
                "'SELECT * FROM event_inbox_failed' FROM event_inbox_failed HAVING count(*) > 0 "
                "UNION ALL SELECT 'FAIL', 'SQL INSERTs that wait: ' || count(*), 'the service "
                "takes them over: does "
                "it run?' "
                "FROM event_inbox HAVING min(received_at) < now() - interval '1 minute'"},
    {"backlog", "SELECT 'warn', 'events that wait for SENTRY_DSN: ' || count(*), '/health says why "
                "(part forward)' "
                "FROM forward_queue HAVING count(*) > 1000 UNION ALL "
                "SELECT 'warn', 'batches that are not added up to hours: ' || count(*), 'the log "
                "says why: hours'' "
                "counts' "
                "FROM event_tally HAVING count(*) > 5000"},
    {"storms",
     "SELECT 'warn', '#' || g.id || ' makes ' || round(100.0 * h.n / t.n) || ' % of the last "
     "day''s events: ' || "
     "left(g.title, 60), 'fix or mute it; GROUP_ROWS_PER_MINUTE bounds what it fills' "
     "FROM (SELECT group_id, sum(events) AS n FROM group_hours WHERE hour > now() - interval '1 "
     "day' "
     "GROUP BY 1 ORDER BY 2 DESC LIMIT 1) h CROSS JOIN (SELECT sum(events) AS n FROM error_hours "
     "WHERE hour > now() - interval '1 day') t JOIN error_group g ON g.id = h.group_id "
     "WHERE t.n > 10000 AND h.n > 0.5 * t.n"},
    /* what will fill up, and when: as it grew yesterday */
    {"growth",
     "SELECT CASE WHEN $2::bigint > 0 AND day * $1::bigint > $2::bigint THEN 'warn' ELSE 'ok' END, "
     "'the store takes ' || pg_size_pretty(nabat_store_bytes()) || '; yesterday brought ' || "
     "pg_size_pretty(day) || "
     "', so ' || $1 || ' days of it are ' || pg_size_pretty(day * $1::bigint), "
     "CASE WHEN $2::bigint > 0 AND day * $1::bigint > $2::bigint THEN 'STORE_MAX_BYTES (' || "
     "pg_size_pretty($2::bigint) || ') is reached ' || CASE WHEN nabat_store_bytes() >= $2::bigint "
     "THEN 'already' "
     "ELSE 'on ' || ((now() AT TIME ZONE 'UTC')::date + ceil(($2::bigint - "
     "nabat_store_bytes())::numeric / "
     "greatest(day, 1))::int) END || ': keep fewer days, or raise it' ELSE '' END "
     "FROM (SELECT coalesce(sum(pg_total_relation_size(to_regclass(t || to_char((now() AT TIME "
     "ZONE 'UTC')::date - 1, "
     "'YYYYMMDD')))), 0)::bigint AS day FROM unnest(ARRAY['event_', 'error_stack_', "
     "'event_attachment_']) AS t) y"},
};

static void look_at(struct doctor *d, const struct glance *look)
{
    char days[12];
    char max[24];
    struct err err = {0};
    snprintf(days, sizeof days, "%" PRId64, d->settings->retention_days);
    snprintf(max, sizeof max, "%" PRId64, d->settings->store_bytes_max);
    const char *params[] = {days, max};
    size_t count = strstr(look->sql, "$2") ? 2 : strstr(look->sql, "$1") ? 1 : 0;
    PGresult *rows = session_run(d->session, look->sql, count, params, &err);
    if (!rows)
        say(d, "warn", look->what, err.text, "this could not be looked at");
    for (int i = 0; rows && i < PQntuples(rows); i++)
        say(d, PQgetvalue(rows, i, 0), look->what, PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 2));
    if (rows && PQntuples(rows) == 0)
        say(d, "ok", look->what, "well", NULL);
    PQclear(rows);
}

static void look_at_clock(struct doctor *d)
{
    char text[120];
    struct err err = {0};
    int64_t before = clock_wall_ms();
    PGresult *rows = session_run(
        d->session, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", 0, NULL, &err);
    int64_t theirs = rows ? strtoll(PQgetvalue(rows, 0, 0), NULL, 10) : 0;
    PQclear(rows);
    int64_t ours = before + (clock_wall_ms() - before) / 2;
    int64_t apart = theirs > ours ? theirs - ours : ours - theirs;
    if (!theirs)
        return;
    snprintf(text, sizeof text, "this machine and the database are %.1f s apart",
             (double)apart / 1000.0);
    say(d,
        apart > 60000  ? "FAIL"
        : apart > 5000 ? "warn"
                       : "ok",
        "clock", text,
        apart > 5000 ? "NTP on both: days, cooldowns and regressions go by the clock" : NULL);
}

/* --------------------------------------------------------------------------------- of this machine */

static void look_at_disk(struct doctor *d)
{
    struct statvfs fs;
    char text[300];
    const char *path = d->settings->spool_bytes_max > 0 ? d->settings->spool_dir : ".";
    if (statvfs(path, &fs) != 0 && statvfs(".", &fs) != 0)
        return;
    double unit = (double)fs.f_frsize;
    double left = (double)fs.f_bavail * unit;
    double all = (double)fs.f_blocks * unit;
    bool tight = left < (double)d->settings->spool_bytes_max;
    bool full = left < 0.03 * all && left < 2e9;
    snprintf(text, sizeof text, "%.1f of %.1f GB are free where SPOOL_DIR is", left / 1e9,
             all / 1e9);
    say(d,
        full    ? "FAIL"
        : tight ? "warn"
                : "ok",
        "disk", text,
        full || tight ? "make room: an outage fills up to SPOOL_MAX_BYTES, then events are refused"
                      : NULL);
}

static void look_at_limits(struct doctor *d)
{
    struct rlimit files;
    char text[160];
    uint64_t want = (uint64_t)d->settings->http_max_connections + FILES_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    snprintf(text, sizeof text, "%" PRIu64 " files may be open; HTTP_MAX_CONNECTIONS is %" PRId64,
             (uint64_t)files.rlim_max, d->settings->http_max_connections);
    say(d, files.rlim_max < want ? "warn" : "ok", "limits", text,
        files.rlim_max < want
            ? "LimitNOFILE= of the unit, or ulimit -n; or a lower HTTP_MAX_CONNECTIONS"
            : NULL);
}

int tool_doctor(const struct settings *settings)
{
    struct doctor d = {.settings = settings};
    struct err err = {0};
    int checked = tool_check(settings);
    d.session =
        session_open(settings->database_url, settings->database_schema, "nabat doctor", &err);
    if (d.session) {
        look_at_clock(&d);
        for (size_t i = 0; i < sizeof LOOKS / sizeof *LOOKS; i++)
            look_at(&d, &LOOKS[i]);
        session_close(d.session);
    }
    look_at_disk(&d);
    look_at_limits(&d);
    if (checked != 0 || d.failed)
        return 1;
    return d.warned ? EXIT_WARNED : 0;
}
