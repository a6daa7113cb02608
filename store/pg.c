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

static void connect_now(struct pg *pg);
static void on_io(struct ev_loop *loop, ev_io *w, int events);

static void tell_change(struct pg *pg, bool up)
{
    if (pg->was_up == up)
        return;
    pg->was_up = up;
    if (pg->changed)
        pg->changed(pg->changed_ctx, up);
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

void pg_broken(struct pg *pg, const char *why)
{
    bool was_busy = pg->state == PG_BUSY;
    if (pg->state == PG_CONNECTING)
        pg_conninfo_next_host(&pg->info);
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
    pg_clear_results(pg);
    pg->failed = pg->breaking = pg->lost_statement = false;
    wait_to_reconnect(pg, text);
    pg->sqlstate[0] = '\0';
    if (was_busy)
        pg_finish(pg, &err, true);
    /* a snapshot of the queue: what `done` adds now is refused at once, not looped over */
    size_t waiting = pg->queued;
    while (waiting-- > 0 && pg->first)
        pg_finish(pg, &err, false);
    tell_change(pg, false);
}

static void on_connected(struct pg *pg)
{
    ev_timer_stop(pg->loop, &pg->deadline);
    PQsetnonblocking(pg->conn, 1);
    if (PQenterPipelineMode(pg->conn) != 1) {
        pg_broken(pg, "pipeline mode refused");
        return;
    }
    log_info("database connected", LOG_S("connection", pg->name),
             LOG_I("server", PQserverVersion(pg->conn)), LOG_END);
    if (pg->was_up || pg->trouble[0])
        metric_add(METRIC_DB_RECONNECTS, 1);
    pg->state = PG_IDLE;
    pg->prepared = (struct pg_prepared){0};
    pg->backoff = 0.1;
    pg->trouble[0] = '\0';
    pg_watch_socket(pg, EV_READ);
    tell_change(pg, true);
    pg_send_next(pg);
}

static void poll_connect(struct pg *pg)
{
    switch (PQconnectPoll(pg->conn)) {
    case PGRES_POLLING_READING:
        pg_watch_socket(pg, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        pg_watch_socket(pg, EV_WRITE);
        break;
    case PGRES_POLLING_OK:
        on_connected(pg);
        break;
    default:
        pg_broken(pg, PQerrorMessage(pg->conn));
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
        pg_broken(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
        return;
    }
    PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
    pg_watch_socket(pg, EV_WRITE);
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
        pg_broken(pg, "connecting took longer than 10 s");
    else if (pg->state == PG_BUSY)
        pg_broken(pg, "no answer within the statement's time: connection given up");
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
        pg_broken(pg, PQerrorMessage(pg->conn));
        return;
    }
    if (pg->unsent)
        pg_flush_out(pg);
    if (pg->state == PG_BUSY)
        pg_read_results(pg);
    else if (pg->state == PG_IDLE && PQstatus(pg->conn) == CONNECTION_BAD)
        pg_broken(pg, PQerrorMessage(pg->conn));
}

static void on_kick(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct pg *pg = w->data;
    if (pg->breaking) {
        pg->breaking = false;
        pg_broken(pg, PQerrorMessage(pg->conn));
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
        pg_clear_results(pg);
        pg_finish(pg, &err, busy);
        busy = false;
    }
    while (pg->refused)
        on_kick(pg->loop, &pg->kick, 0);
    ev_io_stop(pg->loop, &pg->io);
    ev_timer_stop(pg->loop, &pg->deadline);
    ev_timer_stop(pg->loop, &pg->kick);
    PQfinish(pg->conn);
    pg_clear_results(pg);
    pg_conninfo_free(&pg->info);
    free(pg->name);
    free(pg->search_path);
    free(pg);
}

bool pg_is_up(const struct pg *pg)
{
    return pg->state == PG_IDLE || pg->state == PG_BUSY;
}

void pg_give_up(struct pg *pg, const char *why)
{
    if (pg_is_up(pg))
        pg_broken(pg, why);
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
        pg_kick(pg);
        return;
    }
    if (pg->last)
        pg->last->next = batch;
    else
        pg->first = batch;
    pg->last = batch;
    pg->queued++;
    if (pg->state == PG_IDLE)
        pg_send_next(pg);
}
