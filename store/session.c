/* session.c -- a blocking connection for tools, and the way to ./run's private database. */
#include "store/session.h"

#include "store/pg_internal.h"

#include "core/log.h"
#include "core/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct session {
    PGconn *conn;
};

static void ignore_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

bool session_check_url(const char *url, struct err *err)
{
    struct pg_conninfo info;
    bool ok = pg_conninfo_parse(url, "nabat", &info, err);
    if (ok)
        pg_conninfo_free(&info);
    return ok;
}

struct session *session_open(const char *url, const char *schema, const char *name, struct err *err)
{
    struct pg_conninfo info;
    if (!pg_conninfo_parse(url, name, &info, err))
        return NULL;
    struct session *s = mem_alloc(sizeof *s);
    s->conn = pg_connect_blocking(&info);
    pg_conninfo_free(&info);
    if (PQstatus(s->conn) != CONNECTION_OK) {
        char text[300];
        snprintf(text, sizeof text, "%s", PQerrorMessage(s->conn));
        text[strcspn(text, "\n")] = '\0';
        log_hide_secrets(text);
        err_set(err, ERR_RETRY, "can't connect to the database: %s", text);
        session_close(s);
        return NULL;
    }
    PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
    char *path = pg_quote_search_path(schema);
    const char *params[] = {path};
    PGresult *set = session_run(s, "SELECT set_config('search_path', $1, false)", 1, params, err);
    free(path);
    if (!set) {
        session_close(s);
        return NULL;
    }
    PQclear(set);
    return s;
}

void session_close(struct session *s)
{
    if (!s)
        return;
    PQfinish(s->conn);
    free(s);
}

PGresult *session_run(struct session *s, const char *sql, size_t count, const char *const *params,
                      struct err *err)
{
    PGresult *result = PQexecParams(s->conn, sql, (int)count, NULL, params, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state)
        err_set(err, strncmp(state, "55", 2) == 0 ? ERR_RETRY : ERR_GONE, "%s (SQLSTATE %s)",
                text ? text : "?", state);
    else
        err_set(err, ERR_RETRY, "database connection: %.300s", PQerrorMessage(s->conn));
    PQclear(result);
    return NULL;
}

static bool copy_failed(struct session *s, struct err *err)
{
    char text[300];
    snprintf(text, sizeof text, "%s", PQerrorMessage(s->conn));
    text[strcspn(text, "\n")] = '\0';
    return err->kind != ERR_NONE ? false : err_set(err, ERR_RETRY, "%s", text);
}

/* The command's own result, and the end of its results. */
static bool copy_ended(struct session *s, struct err *err)
{
    bool ok = true;
    for (PGresult *result; (result = PQgetResult(s->conn));) {
        ok = ok && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    return ok || copy_failed(s, err);
}

bool session_copy_out(struct session *s, const char *sql, session_row_fn *take, void *ctx,
                      struct err *err)
{
    char *row = NULL;
    int len = 0;
    bool ok = true;
    PGresult *result = PQexec(s->conn, sql);
    bool begun = PQresultStatus(result) == PGRES_COPY_OUT;
    PQclear(result);
    if (!begun)
        return copy_failed(s, err);
    while ((len = PQgetCopyData(s->conn, &row, 0)) > 0) {
        ok = ok && take(ctx, row, (size_t)len, err); /* the rest is read and forgotten */
        PQfreemem(row);
    }
    return copy_ended(s, err) && ok && len == -1;
}

bool session_copy_in(struct session *s, const char *sql, session_give_fn *give, void *ctx,
                     struct err *err)
{
    char chunk[64 * 1024];
    size_t len = 0;
    PGresult *result = PQexec(s->conn, sql);
    bool begun = PQresultStatus(result) == PGRES_COPY_IN;
    PQclear(result);
    if (!begun)
        return copy_failed(s, err);
    while (give(ctx, chunk, sizeof chunk, &len, err))
        if (PQputCopyData(s->conn, chunk, (int)len) != 1)
            break;
    bool ok = err->kind == ERR_NONE;
    if (PQputCopyEnd(s->conn, ok ? NULL : "given up") != 1)
        return copy_failed(s, err);
    return copy_ended(s, err) && ok;
}

int session_server_version(struct session *s)
{
    return PQserverVersion(s->conn);
}

static bool try_folder(const char *folder, char *url, size_t size)
{
    char path[PATH_MAX + 64];
    char full[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/.local/pg/data/PG_VERSION", folder);
    if (stat(path, &st) != 0)
        return false;
    snprintf(path, sizeof path, "%s/.local/pg", folder);
    if (!realpath(path, full) || strchr(full, '\''))
        return false;
    return snprintf(url, size, "host='%s' user=nabat dbname=nabat", full) < (int)size;
}

bool session_find_local(char *url, size_t size)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        for (int up = 0; up < 3; up++) { /* <folder>/build/<room>/<program> */
            char *slash = strrchr(self, '/');
            if (!slash)
                break;
            *slash = '\0';
        }
        if (try_folder(self, url, size))
            return true;
    }
    return try_folder(".", url, size);
}
