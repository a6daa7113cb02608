/* tools.c -- --migrate, --dsn, --owner: small jobs over a blocking session. */
#include "bot/tools.h"

#include "store/migrate.h"
#include "store/migration_list.h"
#include "store/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tool_fail(const char *what, const struct err *err)
{
    fprintf(stderr, "nabat: %s: %s\n", what, err->text);
    return err->kind == ERR_INPUT ? 2 : 1;
}

int tool_migrate(const struct settings *settings)
{
    struct err err = {0};
    int applied = 0;
    if (!store_migrate(settings->database_url, settings->database_schema, &applied, &err))
        return tool_fail("migrate", &err);
    printf("%d migration%s applied, the schema is up to date\n", applied, applied == 1 ? "" : "s");
    return 0;
}

/* As the run would do it, so that somebody else may: the schema made and named first, each file remembered. */
int tool_migrate_dry(const struct settings *settings)
{
    struct err err = {0};
    struct session *s =
        session_open(settings->database_url, settings->database_schema, "nabat dry run", &err);
    if (!s)
        return tool_fail("migrate", &err);
    PGresult *rows =
        session_run(s, "SELECT to_regclass(quote_ident($1) || '.nabat_migration') IS NOT NULL", 1,
                    (const char *const[]){settings->database_schema}, &err);
    bool any = rows && PQgetvalue(rows, 0, 0)[0] == 't';
    PQclear(rows);
    rows = rows && any ? session_run(s, "SELECT max(version) FROM nabat_migration", 0, NULL, &err)
                       : NULL;
    long have = rows ? strtol(PQgetvalue(rows, 0, 0), NULL, 10) : 0;
    PQclear(rows);
    session_close(s);
    if (err.kind != ERR_NONE)
        return tool_fail("migrate", &err);
    int count = 0;
    for (size_t i = 0; i < MIGRATION_FILES_COUNT; i++) {
        if (strtol(MIGRATION_FILES[i].name, NULL, 10) <= have)
            continue;
        if (count++ == 0)
            printf("CREATE SCHEMA IF NOT EXISTS \"%s\";\n", settings->database_schema);
        if (count == 1 && !any)
            printf(
                "CREATE TABLE \"%s\".nabat_migration (version integer PRIMARY KEY, name text NOT "
                "NULL, applied_at timestamptz NOT NULL DEFAULT now());\n",
                settings->database_schema);
        printf("-- ---- %s\nBEGIN;\nSET LOCAL search_path = \"%s\", pg_temp;\n%s\nINSERT INTO "
               "nabat_migration "
               "(version, name) VALUES (%ld, '%s');\nCOMMIT;\n",
               MIGRATION_FILES[i].name, settings->database_schema, MIGRATION_FILES[i].sql,
               strtol(MIGRATION_FILES[i].name, NULL, 10), MIGRATION_FILES[i].name);
    }
    fprintf(stderr, "%d migration%s would be applied; nothing was changed\n", count,
            count == 1 ? "" : "s");
    return 0;
}

void tool_format_dsn(const char *public_url, const char *key, int project_id, char *out,
                     size_t size)
{
    const char *host = strstr(public_url, "://");
    if (!host) {
        snprintf(out, size, "%s", public_url);
        return;
    }
    host += 3;
    snprintf(out, size, "%.*s%s@%s/%d", (int)(host - public_url), public_url, key, host,
             project_id);
}

int tool_dsn(const struct settings *settings)
{
    struct err err = {0};
    struct session *s =
        session_open(settings->database_url, settings->database_schema, "nabat dsn", &err);
    PGresult *rows = s ? session_run(s,
                                     "SELECT id, slug, public_key FROM project WHERE enabled "
                                     "ORDER BY id",
                                     0, NULL, &err)
                       : NULL;
    if (!rows) {
        session_close(s);
        return tool_fail("dsn", &err);
    }
    for (int i = 0; i < PQntuples(rows); i++) {
        char dsn[512];
        tool_format_dsn(settings->public_url, PQgetvalue(rows, i, 2),
                        (int)strtol(PQgetvalue(rows, i, 0), NULL, 10), dsn, sizeof dsn);
        printf("%s\t%s\n", PQgetvalue(rows, i, 1), dsn);
    }
    int code = PQntuples(rows) > 0 ? 0 : 1;
    if (code)
        fputs("nabat: dsn: there is no project yet: start the service once\n", stderr);
    PQclear(rows);
    session_close(s);
    return code;
}

int tool_owner(const struct settings *settings, int64_t user_id)
{
    struct err err = {0};
    char id[24];
    const char *params[] = {id};
    snprintf(id, sizeof id, "%lld", (long long)user_id);
    struct session *s =
        session_open(settings->database_url, settings->database_schema, "nabat owner", &err);
    PGresult *done = s ? session_run(s,
                                     "INSERT INTO chat_member (user_id, role) VALUES ($1, 'owner') "
                                     "ON CONFLICT (user_id) DO UPDATE SET role = 'owner'",
                                     1, params, &err)
                       : NULL;
    session_close(s);
    if (!done)
        return tool_fail("owner", &err);
    PQclear(done);
    printf("%s is an owner now\n", id);
    return 0;
}
