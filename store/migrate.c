/* migrate.c -- numbered files, applied in order under a lock that ends with the transaction.
 *
 * The hard thing: never to touch what is not ours. Each file lists the relations it makes; one of
 * that name that is already there stops everything, by name, before anything changed. */
#include "store/migrate.h"

#include "store/migration_list.h"
#include "store/pg_internal.h"

#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVER_VERSION_MIN = 140000 };
static const char READING[] = "reading migrations";

static bool fail_with(PGconn *conn, const PGresult *result, const char *what, struct err *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (state && strcmp(state, "42501") == 0 && strcmp(what, READING) == 0)
        return err_set(err, ERR_GONE,
                       "%s: %s. Grant the service's role its rights: see docs/operations.md", what,
                       text);
    if (state && strcmp(state, "42501") == 0)
        return err_set(err, ERR_GONE,
                       "%s: %s. Run `nabat --migrate` once with a role that may create tables",
                       what, text);
    if (!state)
        return err_set(err, ERR_RETRY, "%s: %.200s", what, PQerrorMessage(conn));
    bool passing = strncmp(state, "08", 2) == 0 || strncmp(state, "57", 2) == 0 ||
                   strncmp(state, "40", 2) == 0 || strncmp(state, "55", 2) == 0 ||
                   strncmp(state, "53", 2) == 0;
    return err_set(err, passing ? ERR_RETRY : ERR_GONE, "%s: %s (SQLSTATE %s)", what,
                   text ? text : "?", state);
}

/* Runs SQL; the caller PQclears *out when it asked for it. */
static bool run(PGconn *conn, const char *sql, const char *param, PGresult **out, const char *what,
                struct err *err)
{
    PGresult *result =
        param ? PQexecParams(conn, sql, 1, NULL, &param, NULL, NULL, 0) : PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok)
        fail_with(conn, result, what, err);
    if (ok && out)
        *out = result;
    else
        PQclear(result);
    return ok;
}

static bool ask_number(PGconn *conn, const char *sql, const char *param, long *out,
                       const char *what, struct err *err)
{
    PGresult *result = NULL;
    if (!run(conn, sql, param, &result, what, err))
        return false;
    *out = PQntuples(result) == 1 ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    return true;
}

static long version_of(const struct migration_file *file)
{
    return strtol(file->name, NULL, 10);
}

/* Refuses when a name of a "-- makes:" line is taken already. */
static bool check_names(PGconn *conn, const char *schema, const struct migration_file *file,
                        struct err *err)
{
    static const char MARK[] = "-- makes:";
    for (const char *at = strstr(file->sql, MARK); at; at = strstr(at, MARK)) {
        at += sizeof MARK - 1;
        const char *end = at + strcspn(at, "\n");
        while (at < end) {
            at += strspn(at, " ");
            size_t len = strcspn(at, " \n");
            if (len == 0)
                break;
            char name[80];
            snprintf(name, sizeof name, "%.*s", (int)len, at);
            at += len;
            long taken = 0;
            if (!ask_number(conn,
                            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = "
                            "c.relnamespace WHERE n.nspname = current_schema() AND c.relname = $1",
                            name, &taken, "looking for relations", err))
                return false;
            if (taken)
                return err_set(err, ERR_GONE,
                               "%s.%s exists and was not made by Nabat: it is left alone. Set "
                               "DATABASE_SCHEMA to a schema of Nabat's own",
                               schema, name);
        }
    }
    return true;
}

static bool apply_file(PGconn *conn, const char *schema, const struct migration_file *file,
                       struct err *err)
{
    char what[120];
    snprintf(what, sizeof what, "migration %s", file->name);
    if (!check_names(conn, schema, file, err) || !run(conn, file->sql, NULL, NULL, what, err))
        return false;
    PGresult *done = NULL;
    bool ok = run(conn,
                  "INSERT INTO nabat_migration (version, name) "
                  "SELECT split_part($1, '_', 1)::integer, $1",
                  file->name, &done, what, err);
    if (ok)
        PQclear(done);
    log_info("migration applied", LOG_S("file", file->name), LOG_END);
    return ok;
}

/* -1: there is no table of migrations yet. */
static bool current_version(PGconn *conn, long *version, struct err *err)
{
    long there = 0;
    *version = -1;
    if (!ask_number(conn,
                    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                    "WHERE n.nspname = current_schema() AND c.relname = 'nabat_migration'",
                    NULL, &there, "looking for migrations", err))
        return false;
    return !there || ask_number(conn, "SELECT coalesce(max(version), 0) FROM nabat_migration", NULL,
                                version, READING, err);
}

static bool enter_schema(PGconn *conn, const char *schema, const char *search_path, struct err *err)
{
    long there = 0;
    if (!ask_number(conn, "SELECT count(*) FROM pg_namespace WHERE nspname = $1", schema, &there,
                    "looking for the schema", err))
        return false;
    char sql[256];
    snprintf(sql, sizeof sql, "CREATE SCHEMA %.*s",
             (int)(strlen(search_path) - strlen(", pg_temp")), search_path);
    if (!there && !run(conn, sql, NULL, NULL, "making the schema", err))
        return false;
    PGresult *ignored = NULL;
    bool ok = run(conn, "SELECT set_config('search_path', $1, true)", search_path, &ignored,
                  "setting search_path", err);
    if (ok)
        PQclear(ignored);
    return ok;
}

static bool lock(PGconn *conn, const char *sql, const char *param, struct err *err)
{
    PGresult *ignored = NULL;
    bool ok = run(conn, sql, param, &ignored, "waiting for the migration lock", err);
    if (ok)
        PQclear(ignored);
    return ok;
}

/* Whoever writes holds this shared while its transaction reaches for one table after another. With it, no writer waits for a
 * table of ours while we wait for one of its own: that would be a deadlock, and we the younger. */
static const char WRITERS_LOCK[] = "SELECT pg_advisory_xact_lock(hashtext('nabat.groups'))";

/* Of a new database all files; else the next one alone, so that no table is locked for longer than its file takes. */
static bool apply_missing(PGconn *conn, const char *schema, const char *search_path, int *applied,
                          bool *more, struct err *err)
{
    static const char LOCK[] = "SELECT pg_advisory_xact_lock(hashtext('nabat.migrate'), "
                               "hashtext($1))";
    long version = -1;
    int before = *applied;
    *more = false;
    if (!lock(conn, LOCK, schema, err) || !enter_schema(conn, schema, search_path, err) ||
        !current_version(conn, &version, err))
        return false;
    if (version < 0 && !run(conn,
                            "CREATE TABLE nabat_migration (version integer PRIMARY KEY, name text "
                            "NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
                            NULL, NULL, "making nabat_migration", err))
        return false;
    if (version > 0 && !lock(conn, WRITERS_LOCK, NULL, err))
        return false;
    for (size_t i = 0; i < MIGRATION_FILES_COUNT; i++) {
        if (version_of(&MIGRATION_FILES[i]) <= version)
            continue;
        *more = version > 0 && *applied > before;
        if (*more)
            break;
        if (!apply_file(conn, schema, &MIGRATION_FILES[i], err))
            return false;
        ++*applied;
    }
    return true;
}

/* Without rights to create anything, a schema that is up to date must do: look before locking. */
static bool is_up_to_date(PGconn *conn, const char *search_path, bool *up_to_date, struct err *err)
{
    long version = -1;
    PGresult *ignored = NULL;
    long newest = version_of(&MIGRATION_FILES[MIGRATION_FILES_COUNT - 1]);
    if (!run(conn, "BEGIN READ ONLY", NULL, NULL, "begin", err) ||
        !run(conn, "SELECT set_config('search_path', $1, true)", search_path, &ignored,
             "setting search_path", err))
        return false;
    PQclear(ignored);
    if (!current_version(conn, &version, err) || !run(conn, "COMMIT", NULL, NULL, "commit", err))
        return false;
    if (version > newest)
        log_warn("the database is newer than this program", LOG_I("database", version),
                 LOG_I("program", newest), LOG_END);
    *up_to_date = version >= newest;
    return true;
}

static void ignore_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

static bool migrate_on(PGconn *conn, const char *schema, int *applied, struct err *err)
{
    if (PQstatus(conn) != CONNECTION_OK) {
        char text[300];
        snprintf(text, sizeof text, "%s", PQerrorMessage(conn));
        text[strcspn(text, "\n")] = '\0';
        return err_set(err, ERR_RETRY, "can't connect to the database: %s", text);
    }
    if (PQserverVersion(conn) < SERVER_VERSION_MIN)
        return err_set(err, ERR_GONE, "PostgreSQL %d is too old: 14 or newer is needed",
                       PQserverVersion(conn) / 10000);
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    bool up_to_date = false;
    char *search_path = pg_quote_search_path(schema);
    bool ok = is_up_to_date(conn, search_path, &up_to_date, err);
    for (bool more = ok && !up_to_date; ok && more;)
        ok = run(conn, "BEGIN", NULL, NULL, "begin", err) &&
             run(conn, "SET LOCAL lock_timeout = '30s'", NULL, NULL, "begin", err) &&
             apply_missing(conn, schema, search_path, applied, &more, err) &&
             run(conn, "COMMIT", NULL, NULL, "commit", err);
    free(search_path);
    return ok;
}

bool store_migrate(const char *url, const char *schema, int *applied, struct err *err)
{
    struct pg_conninfo info;
    *applied = 0;
    if (!pg_conninfo_parse(url, "nabat migrate", &info, err))
        return false;
    PGconn *conn = pg_connect_blocking(&info);
    bool ok = migrate_on(conn, schema, applied, err);
    PQfinish(conn);
    pg_conninfo_free(&info);
    log_hide_secrets(err->text);
    return ok;
}
