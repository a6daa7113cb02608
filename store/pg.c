/* pg.c -- one asynchronous connection: connecting, one batch at a time, coming back.
 *
 *     RESOLVING -> CONNECTING -> IDLE <-> BUSY
 *         ^____________WAITING <___broken___/
 *
 * The hard thing: telling "it failed" from "nobody knows". Once the first byte of a batch went out,
 * a broken connection leaves its outcome unknown, and the reply says so. */
#include "store/pg_internal.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum pg_state { PG_RESOLVING, PG_CONNECTING, PG_IDLE, PG_BUSY, PG_WAITING };

struct pg {
    struct ev_loop *loop;
    struct helper *helper;
    char *name;
    char *search_path;
    struct pg_conninfo info;
    PGconn *conn;
    enum pg_state state;
    ev_io io;
    ev_timer deadline; /* of connecting, or of the wait before the next try */
    ev_timer kick;     /* runs `done` of refused batches from the loop */
    double backoff;
    struct pg_batch *first; /* the one at work when BUSY */
    struct pg_batch *last;
    size_t queued;
    struct pg_batch *refused;
    PGresult **results;
    size_t results_count; /* with the settings statement */
    bool unsent;          /* bytes wait in libpq's buffer */
    bool failed;
    bool breaking; /* found broken while sending: told from the loop, not inside pg_run */
    int watched;   /* events that io waits for */
    char sqlstate[6];
    struct err error;
    char trouble[ERR_TEXT_BYTES_MAX];
    struct resolving *resolving;
    void (*changed)(void *ctx, bool up);
    void *changed_ctx;
    bool was_up;
};

/* A name resolution under way: outlives the connection when that is freed first. */
struct resolving {
    struct pg *pg;
    char *hosts;
    char *ports;
    struct pg_resolved found;
    bool ok;
};

static const char SETTINGS_SQL[] =
    "SELECT set_config('search_path', $1, true), set_config('statement_timeout', $2, true), "
    "set_config('lock_timeout', '5s', true), set_config('jit', 'off', true)";

static void connect_now(struct pg *pg);
static void send_next(struct pg *pg);
static void on_io(struct ev_loop *loop, ev_io *w, int events);

static void watch_socket(struct pg *pg, int events)
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

static void tell_change(struct pg *pg, bool up)
{
    if (pg->was_up == up)
        return;
    pg->was_up = up;
    if (pg->changed)
        pg->changed(pg->changed_ctx, up);
}

static void clear_results(struct pg *pg)
{
    for (size_t i = 0; i < pg->results_count; i++)
        PQclear(pg->results[i]);
    free(pg->results);
    pg->results = NULL;
    pg->results_count = 0;
}

/* Takes the batch at work off the queue and tells its owner. */
static void finish(struct pg *pg, const struct err *err, bool unknown)
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
    batch->done(batch->ctx, &reply);
    pg_batch_free(batch);
}

static void wait_to_reconnect(struct pg *pg, const char *why)
{
    snprintf(pg->trouble, sizeof pg->trouble, "%s", why);
    log_hide_secrets(pg->trouble);
    pg->state = PG_WAITING;
    unsigned char jitter = 0;
    random_bytes(&jitter, 1);
    ev_timer_stop(pg->loop, &pg->deadline);
    ev_timer_set(&pg->deadline, pg->backoff * (0.75 + jitter / 512.0), 0);
    ev_timer_start(pg->loop, &pg->deadline);
    pg->backoff =
        pg->backoff * 2 > PG_BACKOFF_SECONDS_MAX ? PG_BACKOFF_SECONDS_MAX : pg->backoff * 2;
}

static void one_line(char *text)
{
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\r')
            *p = p[1] ? ' ' : '\0';
}

static void broken(struct pg *pg, const char *why)
{
    bool was_busy = pg->state == PG_BUSY;
    bool was_up = pg->was_up;
    struct err err = {0};
    char text[ERR_TEXT_BYTES_MAX - 40];
    snprintf(text, sizeof text, "%s", why);
    one_line(text);
    err_set(&err, ERR_RETRY, "database connection: %s", text);
    if (was_up || pg->backoff > 1)
        log_warn("database is away", LOG_S("connection", pg->name), LOG_S("error", text), LOG_END);
    ev_io_stop(pg->loop, &pg->io);
    PQfinish(pg->conn);
    pg->conn = NULL;
    clear_results(pg);
    pg->failed = pg->breaking = false;
    wait_to_reconnect(pg, text);
    pg->sqlstate[0] = '\0';
    if (was_busy)
        finish(pg, &err, true);
    /* a snapshot of the queue: what `done` adds now is refused at once, not looped over */
    size_t waiting = pg->queued;
    while (waiting-- > 0 && pg->first)
        finish(pg, &err, false);
    tell_change(pg, false);
}

static void on_connected(struct pg *pg)
{
    ev_timer_stop(pg->loop, &pg->deadline);
    PQsetnonblocking(pg->conn, 1);
    if (PQenterPipelineMode(pg->conn) != 1) {
        broken(pg, "pipeline mode refused");
        return;
    }
    log_info("database connected", LOG_S("connection", pg->name),
             LOG_I("server", PQserverVersion(pg->conn)), LOG_END);
    if (pg->was_up || pg->trouble[0])
        metric_add(METRIC_DB_RECONNECTS, 1);
    pg->state = PG_IDLE;
    pg->backoff = 0.1;
    pg->trouble[0] = '\0';
    watch_socket(pg, EV_READ);
    tell_change(pg, true);
    send_next(pg);
}

static void poll_connect(struct pg *pg)
{
    switch (PQconnectPoll(pg->conn)) {
    case PGRES_POLLING_READING:
        watch_socket(pg, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        watch_socket(pg, EV_WRITE);
        break;
    case PGRES_POLLING_OK:
        on_connected(pg);
        break;
    default:
        broken(pg, PQerrorMessage(pg->conn));
        break;
    }
}

static void ignore_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

static void connect_now(struct pg *pg)
{
    pg->state = PG_CONNECTING;
    pg->conn = PQconnectStartParams((const char *const *)pg->info.keywords,
                                    (const char *const *)pg->info.values, 0);
    ev_timer_stop(pg->loop, &pg->deadline);
    ev_timer_set(&pg->deadline, PG_CONNECT_SECONDS_MAX, 0);
    ev_timer_start(pg->loop, &pg->deadline);
    if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
        broken(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
        return;
    }
    PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
    watch_socket(pg, EV_WRITE);
}

static void resolve_work(void *ctx)
{
    struct resolving *r = ctx;
    r->ok = pg_resolve_hosts(r->hosts, r->ports, &r->found);
}

static void resolve_done(void *ctx)
{
    struct resolving *r = ctx;
    struct pg *pg = r->pg;
    if (pg) {
        pg->resolving = NULL;
        if (r->ok) {
            pg_conninfo_set(&pg->info, "host", buf_text(&r->found.hosts));
            pg_conninfo_set(&pg->info, "hostaddr", buf_text(&r->found.addresses));
            pg_conninfo_set(&pg->info, "port", buf_text(&r->found.ports));
            connect_now(pg);
        } else {
            wait_to_reconnect(pg, "the database's host name has no address");
        }
    }
    pg_resolved_fini(&r->found);
    free(r->hosts);
    free(r->ports);
    free(r);
}

/* Names are resolved anew for each try: failover by DNS works. */
static void begin(struct pg *pg)
{
    if (!pg->info.hosts_to_resolve || !pg->helper) {
        connect_now(pg);
        return;
    }
    pg->state = PG_RESOLVING;
    struct resolving *r = mem_alloc(sizeof *r);
    r->pg = pg;
    r->hosts = mem_str_dup(pg->info.hosts_to_resolve);
    r->ports = mem_str_dup(pg->info.ports);
    pg->resolving = r;
    if (helper_run(pg->helper, resolve_work, resolve_done, r))
        return;
    pg->resolving = NULL;
    free(r->hosts);
    free(r->ports);
    free(r);
    wait_to_reconnect(pg, "too many name resolutions wait");
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct pg *pg = w->data;
    if (pg->state == PG_WAITING)
        begin(pg);
    else if (pg->state == PG_CONNECTING)
        broken(pg, "connecting took longer than 10 s");
    else if (pg->state == PG_BUSY)
        broken(pg, "no answer within the statement's time: connection given up");
}

static bool send_statement(struct pg *pg, const struct pg_batch *batch,
                           const struct pg_statement *s)
{
    enum { PARAMS_MAX = 40 };
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
    Oid types[PARAMS_MAX];
    if (s->params > PARAMS_MAX)
        abort();
    for (int i = 0; i < s->params; i++) {
        const struct pg_param *p = &batch->params[s->first_param + (size_t)i];
        values[i] = p->is_null ? NULL : batch->bytes.data + p->offset;
        lengths[i] = p->len;
        formats[i] = p->binary;
        types[i] = p->type;
    }
    return PQsendQueryParams(pg->conn, s->sql, s->params, types, values, lengths, formats, 0) == 1;
}

static bool send_settings(struct pg *pg)
{
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%ds", PG_STATEMENT_SECONDS_MAX);
    const char *values[] = {pg->search_path, timeout};
    return PQsendQueryParams(pg->conn, SETTINGS_SQL, 2, NULL, values, NULL, NULL, 0) == 1;
}

static void kick(struct pg *pg)
{
    if (ev_is_active(&pg->kick))
        return;
    ev_timer_set(&pg->kick, 0, 0);
    ev_timer_start(pg->loop, &pg->kick);
}

static void flush_out(struct pg *pg)
{
    int rc = PQflush(pg->conn);
    if (rc < 0) {
        pg->breaking = true;
        kick(pg);
        return;
    }
    pg->unsent = rc == 1;
    watch_socket(pg, pg->unsent ? EV_READ | EV_WRITE : EV_READ);
}

static void send_next(struct pg *pg)
{
    if (pg->state != PG_IDLE || !pg->first)
        return;
    struct pg_batch *batch = pg->first;
    pg->state = PG_BUSY;
    pg->failed = false;
    pg->sqlstate[0] = '\0';
    pg->error = (struct err){0};
    size_t total = batch->count + (batch->continues ? 0 : 1);
    pg->results = mem_alloc(total * sizeof *pg->results);
    pg->results_count = 0;
    bool ok = batch->continues || send_settings(pg);
    for (size_t i = 0; ok && i < batch->count; i++)
        ok = send_statement(pg, batch, &batch->statements[i]);
    ok = ok && PQpipelineSync(pg->conn) == 1;
    ev_timer_stop(pg->loop, &pg->deadline);
    ev_timer_set(&pg->deadline, 2.0 * PG_STATEMENT_SECONDS_MAX, 0);
    ev_timer_start(pg->loop, &pg->deadline);
    pg->breaking = !ok;
    if (ok)
        flush_out(pg);
    else
        kick(pg);
}

/* SQLSTATE classes into what the caller does: the world's passing troubles are worth a retry. */
static enum err_kind kind_of(const char *state)
{
    static const char *const RETRY[] = {"08", "53", "57", "40", "55", "25006", "58", "3D000"};
    for (size_t i = 0; i < sizeof RETRY / sizeof *RETRY; i++)
        if (strncmp(state, RETRY[i], strlen(RETRY[i])) == 0)
            return ERR_RETRY;
    if (strncmp(state, "P0002", 5) == 0 || strncmp(state, "23", 2) == 0)
        return ERR_INPUT;
    return ERR_BUG;
}

static void note_error(struct pg *pg, const PGresult *result)
{
    if (pg->failed)
        return;
    pg->failed = true;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state ? state : "");
    err_set(&pg->error, kind_of(pg->sqlstate), "%s (SQLSTATE %s)", text ? text : "no message",
            pg->sqlstate);
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
    finish(pg, pg->failed ? &err : NULL, false);
    for (size_t i = 0; i < count; i++)
        PQclear(results[i]);
    free(results);
    if (pg->results == results) { /* `done` may have freed nothing else: a new batch starts below */
        pg->results = NULL;
        pg->results_count = 0;
    }
    send_next(pg);
}

static void read_results(struct pg *pg)
{
    while (pg->state == PG_BUSY && !PQisBusy(pg->conn)) {
        PGresult *result = PQgetResult(pg->conn);
        if (!result) {
            /* between two statements of a pipeline libpq says NULL once; twice means broken */
            if (PQstatus(pg->conn) == CONNECTION_BAD) {
                broken(pg, PQerrorMessage(pg->conn));
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
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            pg->results[pg->results_count++] = result;
            continue;
        }
        bool bad = PQstatus(pg->conn) == CONNECTION_BAD;
        if (status != PGRES_PIPELINE_ABORTED)
            note_error(pg, result);
        PQclear(result);
        if (bad) {
            broken(pg, PQerrorMessage(pg->conn));
            return;
        }
    }
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    struct pg *pg = w->data;
    if (pg->state == PG_CONNECTING) {
        poll_connect(pg);
        return;
    }
    if ((events & EV_READ) && !PQconsumeInput(pg->conn)) {
        broken(pg, PQerrorMessage(pg->conn));
        return;
    }
    if (pg->unsent)
        flush_out(pg);
    if (pg->state == PG_BUSY)
        read_results(pg);
    else if (pg->state == PG_IDLE && PQstatus(pg->conn) == CONNECTION_BAD)
        broken(pg, PQerrorMessage(pg->conn));
}

static void on_kick(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct pg *pg = w->data;
    if (pg->breaking) {
        pg->breaking = false;
        broken(pg, PQerrorMessage(pg->conn));
    }
    struct pg_batch *list = pg->refused;
    pg->refused = NULL;
    struct err err = {0};
    if (pg->state == PG_WAITING || pg->state == PG_CONNECTING || pg->state == PG_RESOLVING)
        err_set(&err, ERR_RETRY, "database connection: %.300s",
                pg->trouble[0] ? pg->trouble : "not there yet");
    else
        err_set(&err, ERR_RETRY, "too many queries wait for the database");
    while (list) {
        struct pg_batch *batch = list;
        list = batch->next;
        batch->done(batch->ctx, &(struct pg_reply){.err = &err});
        pg_batch_free(batch);
    }
}

struct pg *pg_new(struct ev_loop *loop, struct helper *helper, const struct pg_config *config)
{
    struct pg *pg = mem_alloc(sizeof *pg);
    struct err err = {0};
    char application[64];
    pg->loop = loop;
    pg->helper = helper;
    pg->name = mem_str_dup(config->name);
    pg->search_path = pg_quote_search_path(config->schema);
    pg->backoff = 0.1;
    snprintf(application, sizeof application, "nabat %s", config->name);
    ev_init(&pg->io, on_io);
    ev_init(&pg->deadline, on_deadline);
    ev_init(&pg->kick, on_kick);
    pg->io.data = pg->deadline.data = pg->kick.data = pg;
    if (pg_conninfo_parse(config->url, application, &pg->info, &err))
        begin(pg);
    else
        wait_to_reconnect(pg, err.text);
    return pg;
}

void pg_free(struct pg *pg)
{
    if (!pg)
        return;
    pg->changed = NULL;
    if (pg->resolving)
        pg->resolving->pg = NULL;
    struct err err = {0};
    err_set(&err, ERR_RETRY, "the service is stopping");
    bool busy = pg->state == PG_BUSY;
    pg->state = PG_WAITING;
    while (pg->first) {
        clear_results(pg);
        finish(pg, &err, busy);
        busy = false;
    }
    while (pg->refused)
        on_kick(pg->loop, &pg->kick, 0);
    ev_io_stop(pg->loop, &pg->io);
    ev_timer_stop(pg->loop, &pg->deadline);
    ev_timer_stop(pg->loop, &pg->kick);
    PQfinish(pg->conn);
    clear_results(pg);
    pg_conninfo_free(&pg->info);
    free(pg->name);
    free(pg->search_path);
    free(pg);
}

bool pg_is_up(const struct pg *pg)
{
    return pg->state == PG_IDLE || pg->state == PG_BUSY;
}

const char *pg_trouble(const struct pg *pg)
{
    return pg->trouble;
}

void pg_watch(struct pg *pg, void (*changed)(void *ctx, bool up), void *ctx)
{
    pg->changed = changed;
    pg->changed_ctx = ctx;
}

void pg_run(struct pg *pg, struct pg_batch *batch, pg_done_fn *done, void *ctx)
{
    batch->done = done;
    batch->ctx = ctx;
    batch->next = NULL;
    if (!pg_is_up(pg) || pg->queued >= PG_QUEUE_MAX) {
        struct pg_batch **end = &pg->refused;
        while (*end)
            end = &(*end)->next;
        *end = batch;
        kick(pg);
        return;
    }
    if (pg->last)
        pg->last->next = batch;
    else
        pg->first = batch;
    pg->last = batch;
    pg->queued++;
    if (pg->state == PG_IDLE)
        send_next(pg);
}
