/* pg_query.c -- the batch at work: sent as one pipeline, its results collected, its owner told.
 *
 * libpq answers each statement with a result and then NULL; the Sync at the end of the pipeline ends
 * the transaction and the batch. */
#include "store/pg_internal.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SETTINGS_SQL[] =
    "SELECT set_config('search_path', $1, true), set_config('statement_timeout', $2, true), "
    "set_config('lock_timeout', '5s', true), set_config('jit', 'off', true)";

void pg_watch_socket(struct pg *pg, int events)
{
    int fd = PQsocket(pg->conn);
    bool settled = pg->state == PG_IDLE || pg->state == PG_BUSY;
    if (settled && ev_is_active(&pg->io) && pg->io.fd == fd && pg->watched == events)
        return;
    pg->watched = events;
    ev_io_stop(pg->loop, &pg->io);
    if (fd < 0)
        return;
    ev_io_set(&pg->io, fd, events);
    ev_io_start(pg->loop, &pg->io);
}

void pg_clear_results(struct pg *pg)
{
    for (size_t i = 0; i < pg->results_count; i++)
        PQclear(pg->results[i]);
    free(pg->results);
    pg->results = NULL;
    pg->results_count = 0;
}

/* Takes the batch at work off the queue and tells its owner. */
void pg_finish(struct pg *pg, const struct err *err, bool unknown)
{
    struct pg_batch *batch = pg->first;
    pg->first = batch->next;
    if (!pg->first)
        pg->last = NULL;
    pg->queued--;
    size_t skip = batch->continues ? 0 : 1;
    struct pg_reply reply = {
        .results = err ? NULL : pg->results + skip,
        .count = err || pg->results_count < skip ? 0 : pg->results_count - skip,
        .err = err,
        .unknown = unknown,
    };
    memcpy(reply.sqlstate, pg->sqlstate, sizeof reply.sqlstate);
    reply.has_constraint = pg->has_constraint;
    reply.lost_statement = pg->lost_statement;
    batch->done(batch->ctx, &reply);
    pg_batch_free(batch);
}

void pg_kick(struct pg *pg)
{
    if (ev_is_active(&pg->kick))
        return;
    ev_timer_set(&pg->kick, 0, 0);
    ev_timer_start(pg->loop, &pg->kick);
}

static bool send_statement(struct pg *pg, const struct pg_batch *batch,
                           const struct pg_statement *s)
{
    enum { PARAMS_MAX = 40 };
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
    Oid types[PARAMS_MAX];
    struct pg_params params = {s->params, types, values, lengths, formats};
    if (s->params > PARAMS_MAX)
        abort();
    for (int i = 0; i < s->params; i++) {
        const struct pg_param *p = &batch->params[s->first_param + (size_t)i];
        values[i] = p->is_null ? NULL : p->owned ? p->owned : batch->bytes.data + p->offset;
        lengths[i] = p->len;
        formats[i] = p->binary;
        types[i] = p->type;
    }
    return pg_send(pg, batch->is_prepared, s->sql, &params);
}

static bool send_settings(struct pg *pg, bool is_prepared)
{
    static const Oid TYPES[2] = {0};
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%ds", PG_STATEMENT_SECONDS_MAX);
    const char *values[] = {pg->search_path, timeout};
    struct pg_params params = {2, TYPES, values, NULL, NULL};
    return pg_send(pg, is_prepared, SETTINGS_SQL, &params);
}

void pg_flush_out(struct pg *pg)
{
    int rc = PQflush(pg->conn);
    if (rc < 0) {
        pg->breaking = true;
        pg_kick(pg);
        return;
    }
    pg->unsent = rc == 1;
    pg_watch_socket(pg, pg->unsent ? EV_READ | EV_WRITE : EV_READ);
}

void pg_send_next(struct pg *pg)
{
    if (pg->state != PG_IDLE || !pg->first)
        return;
    struct pg_batch *batch = pg->first;
    pg->state = PG_BUSY;
    pg->failed = pg->lost_statement = false;
    pg->sqlstate[0] = '\0';
    pg->error = (struct err){0};
    pg_prepared_begin(&pg->prepared);
    bool ok = batch->continues || send_settings(pg, batch->is_prepared);
    size_t sent = 0;
    for (; ok && sent < batch->count; sent++)
        ok = send_statement(pg, batch, &batch->statements[sent]);
    if (batch->more) {
        if (ok)
            pg_flush_out(pg);
        batch->more(batch->more_ctx, batch);
    }
    for (; ok && sent < batch->count; sent++)
        ok = send_statement(pg, batch, &batch->statements[sent]);
    ok = ok && PQpipelineSync(pg->conn) == 1;
    size_t total = batch->count + (batch->continues ? 0 : 1);
    pg->results = mem_alloc(total * sizeof *pg->results);
    pg->results_count = 0;
    pg_prepared_read(&pg->prepared);
    ev_timer_stop(pg->loop, &pg->deadline);
    ev_timer_set(&pg->deadline, 2.0 * PG_STATEMENT_SECONDS_MAX, 0);
    ev_timer_start(pg->loop, &pg->deadline);
    pg->breaking = pg->breaking || !ok;
    if (ok)
        pg_flush_out(pg);
    else
        pg_kick(pg);
}

/* SQLSTATE classes into what the caller does: the world's passing troubles are worth a retry. */
static enum err_kind kind_of(const char *state)
{
    static const char *const RETRY[] = {"08", "53", "57", "40", "55", "25006", "58", "3D000"};
    for (size_t i = 0; i < sizeof RETRY / sizeof *RETRY; i++)
        if (strncmp(state, RETRY[i], strlen(RETRY[i])) == 0)
            return ERR_RETRY;
    if (strncmp(state, "P0002", 5) == 0 || strncmp(state, "23", 2) == 0 ||
        strncmp(state, "NB", 2) == 0)
        return ERR_INPUT;
    return ERR_BUG;
}

static void note_error(struct pg *pg, const PGresult *result)
{
    if (pg->failed)
        return;
    pg->failed = true;
    pg->has_constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) != NULL;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state ? state : "");
    pg->lost_statement = pg->first->is_prepared && pg_prepared_lost(&pg->prepared, pg->sqlstate);
    if (pg->lost_statement)
        err_set(&pg->error, ERR_RETRY, "%s (SQLSTATE %s)", text ? text : "no message", state);
    else if (state)
        err_set(&pg->error, kind_of(state), "%s (SQLSTATE %s)", text ? text : "no message", state);
    else /* libpq's own: no memory, or the protocol is broken */
        err_set(&pg->error, ERR_RETRY, "%.200s", PQresultErrorMessage(result));
}

static void on_sync(struct pg *pg)
{
    ev_timer_stop(pg->loop, &pg->deadline);
    pg->state = PG_IDLE;
    if (pg->failed)
        log_debug("statement failed", LOG_S("connection", pg->name), LOG_S("error", pg->error.text),
                  LOG_END);
    struct err err = pg->error;
    PGresult **results = pg->results;
    size_t count = pg->results_count;
    pg_finish(pg, pg->failed ? &err : NULL, false);
    for (size_t i = 0; i < count; i++)
        PQclear(results[i]);
    free(results);
    if (pg->results == results) { /* `done` may have freed nothing else: a new batch starts below */
        pg->results = NULL;
        pg->results_count = 0;
    }
    pg_send_next(pg);
}

void pg_read_results(struct pg *pg)
{
    while (pg->state == PG_BUSY && !PQisBusy(pg->conn)) {
        PGresult *result = PQgetResult(pg->conn);
        if (!result) {
            /* between two statements of a pipeline libpq says NULL once; twice means broken */
            if (PQstatus(pg->conn) == CONNECTION_BAD) {
                pg_broken(pg, PQerrorMessage(pg->conn));
                return;
            }
            continue;
        }
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            on_sync(pg);
            return;
        }
        bool ok = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
        if (pg_prepared_takes(&pg->prepared, ok) && ok) {
            PQclear(result);
            continue;
        }
        if (ok) {
            pg->results[pg->results_count++] = result;
            continue;
        }
        bool bad = PQstatus(pg->conn) == CONNECTION_BAD;
        if (status != PGRES_PIPELINE_ABORTED)
            note_error(pg, result);
        PQclear(result);
        if (bad) {
            pg_broken(pg, PQerrorMessage(pg->conn));
            return;
        }
    }
}

struct outcome_call {
    pg_outcome_fn *done;
    void *ctx;
};

static void on_outcome(void *ctx, const struct pg_reply *reply)
{
    struct outcome_call *call = ctx;
    if (call->done)
        call->done(call->ctx, reply->err);
    free(call);
}

void pg_run_outcome(struct pg *pg, struct pg_batch *batch, pg_outcome_fn *done, void *ctx)
{
    struct outcome_call *call = mem_alloc(sizeof *call);
    *call = (struct outcome_call){done, ctx};
    pg_run(pg, batch, on_outcome, call);
}
