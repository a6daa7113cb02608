/* keeper.c -- which way events go, and the way back when the first one fails.
 *
 * The hard thing: one request's events may be given back by the writer after seconds; they go to the
 * spool then, and the request is answered "kept" all the same. Its events are the request's until that. */
#include "store/keeper.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "store/replay.h"

#include <stdlib.h>

struct keeper {
    struct ev_loop *loop;
    struct spool *spool;
    struct writer *writer; /* NULL until the database was reached */
    struct replay *replay;
    bool is_direct;
    struct keeper_events events;
};

struct taking {
    struct keeper *keeper;
    struct event *events;
    size_t count;
    keeper_done_fn *done;
    void *ctx;
};

static void set_direct(struct keeper *k, bool direct, const char *why)
{
    if (k->is_direct == direct)
        return;
    k->is_direct = direct;
    metric_set(METRIC_SPOOLING, k->spool && !direct);
    if (k->spool && direct)
        log_info("events go to the database again", LOG_END);
    else if (k->spool)
        log_warn("events go to the spool", LOG_S("why", why), LOG_END);
}

static void finish(struct taking *t, enum kept kept, const struct err *err)
{
    metric_add(METRIC_EVENTS_REFUSED, err ? (int64_t)t->count : 0);
    t->done(t->ctx, kept, err);
    free(t);
}

static void on_spooled(void *ctx, const struct err *err)
{
    struct taking *t = ctx;
    struct keeper *k = t->keeper;
    if (!err && k->events.spooled)
        k->events.spooled(k->events.ctx, t->events, t->count);
    finish(t, KEPT_SPOOLED, err);
}

static bool to_spool(struct taking *t, struct err *err)
{
    struct keeper *k = t->keeper;
    return spool_add(k->spool, t->events, t->count, on_spooled, t, err);
}

static void on_written(void *ctx, const struct err *err)
{
    struct taking *t = ctx;
    struct keeper *k = t->keeper;
    struct err why = {0};
    if (!err || err->kind == ERR_BUG || !k->spool) {
        finish(t, KEPT_COMMITTED, err);
        return;
    }
    set_direct(k, false, err->text);
    if (!to_spool(t, &why))
        finish(t, KEPT_SPOOLED, &why);
}

bool store_keeper_take(struct keeper *k, struct event *events, size_t count, keeper_done_fn *done,
                       void *ctx, struct err *err)
{
    int seconds = k->spool ? SPOOL_AFTER_SECONDS : WRITER_JOB_SECONDS_MAX;
    struct taking *t = mem_alloc(sizeof *t);
    *t = (struct taking){.keeper = k, .events = events, .count = count, .done = done, .ctx = ctx};
    if (k->writer && (k->is_direct || !k->spool) &&
        store_writer_submit(k->writer, events, count, seconds, on_written, t, err))
        return true;
    if (k->spool && to_spool(t, err))
        return true;
    if (!k->spool && !k->writer)
        err_set(err, ERR_RETRY, "the database was not reached yet");
    metric_add(METRIC_EVENTS_REFUSED, (int64_t)count);
    free(t);
    return false;
}

/* ------------------------------------------------------------------------------------- the way back */

static bool may_begin(void *ctx)
{
    struct keeper *k = ctx;
    return !k->events.may_open || k->events.may_open(k->events.ctx);
}

static void on_caught_up(void *ctx)
{
    set_direct(ctx, true, "");
}

static void on_failed(void *ctx)
{
    set_direct(ctx, false, "the database does not take what was spooled");
}

static void on_connection(void *ctx, bool up)
{
    struct keeper *k = ctx;
    if (!up)
        set_direct(k, false, "the database is away");
    else if (k->replay)
        store_replay_poke(k->replay);
    else
        set_direct(k, true, "");
}

struct keeper *store_keeper_new(struct ev_loop *loop, struct spool *spool)
{
    struct keeper *k = mem_alloc(sizeof *k);
    k->loop = loop;
    k->spool = spool;
    metric_set(METRIC_SPOOLING, spool != NULL); /* until the database proved that it works */
    return k;
}

void store_keeper_open(struct keeper *k, struct writer *writer, struct pg *pg)
{
    struct replay_events events = {may_begin, on_caught_up, on_failed, k};
    k->writer = writer;
    store_writer_on_connection(writer, on_connection, k);
    if (k->spool)
        k->replay = store_replay_new(k->loop, k->spool, writer, pg, &events);
}

void store_keeper_free(struct keeper *k)
{
    if (!k)
        return;
    store_replay_free(k->replay);
    free(k);
}

void store_keeper_watch(struct keeper *k, const struct keeper_events *events)
{
    k->events = *events;
}

bool store_keeper_is_direct(const struct keeper *k)
{
    return k->writer && store_writer_is_up(k->writer) && (k->is_direct || !k->spool);
}

int64_t store_keeper_replayed_ms(const struct keeper *k)
{
    return k->replay ? store_replay_until_ms(k->replay) : 0;
}

bool store_keeper_can_take(const struct keeper *k)
{
    if (store_keeper_is_direct(k))
        return true;
    return k->spool && spool_state(k->spool)->is_open && !spool_state(k->spool)->is_full &&
           !spool_state(k->spool)->trouble[0];
}
