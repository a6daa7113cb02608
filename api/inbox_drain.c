/* inbox_drain.c -- rows of event_inbox into events, through the writer, out of the inbox.
 *
 *     tick --rows--> events --writer--committed--> remove rows --> (more? again)
 *
 * A crash between "committed" and "removed" drains the rows again: their event ids are known by
 * then, so they are dropped as repeats. */
#include "api/inbox_drain.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "ingest/native.h"
#include "store/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAIN_ARENA_BYTES_MAX = 256 * MIB, PARSE_ARENA_BYTES_MAX = 24 * MIB };
static const double TICK_SECONDS = 0.5;

struct inbox_drain {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct ingest *ingest;
    ev_timer tick;
    bool busy;
    struct arena *arena;
    struct native_batch batch;
    int64_t ids[INBOX_ROWS_MAX];
    size_t count;
    int64_t failed[INBOX_ROWS_MAX];
    size_t failed_count;
    char why[ERR_TEXT_BYTES_MAX];
    bool more;
    size_t single; /* the event tried alone, after the database refused them together */
};

static void begin(struct inbox_drain *d);

static void end(struct inbox_drain *d)
{
    arena_free(d->arena);
    d->arena = NULL;
    d->busy = false;
}

static void on_removed(void *ctx, const struct err *err)
{
    struct inbox_drain *d = ctx;
    bool more = d->more && !err;
    if (err)
        log_debug("inbox rows stay for now", LOG_S("error", err->text), LOG_END);
    end(d);
    if (more)
        begin(d);
}

static void remove_rows(struct inbox_drain *d)
{
    metric_add(METRIC_INBOX_DRAINED, (int64_t)d->count);
    metric_add(METRIC_INBOX_FAILED, (int64_t)d->failed_count);
    if (d->failed_count)
        log_warn("SQL INSERTs that are no events were moved to event_inbox_failed",
                 LOG_I("count", d->failed_count), LOG_S("error", d->why), LOG_END);
    store_inbox_remove(d->pg, d->ids, d->count, d->failed, d->failed_count, d->why, on_removed, d);
}

static void next_single(struct inbox_drain *d);

/* `ids` and the batch's events run in step: what is refused moves over to `failed`. */
static void on_single_stored(void *ctx, const struct err *err)
{
    struct inbox_drain *d = ctx;
    if (err && err->kind != ERR_BUG) {
        end(d);
        return;
    }
    if (err) {
        d->failed[d->failed_count++] = d->ids[d->single];
        d->ids[d->single] = 0; /* no row has that id */
        snprintf(d->why, sizeof d->why, "%s", err->text);
    }
    d->single++;
    next_single(d);
}

static void next_single(struct inbox_drain *d)
{
    struct err err = {0};
    if (d->single == d->batch.count)
        remove_rows(d);
    else if (!store_writer_submit(d->ingest->writer, &d->batch.events[d->single], 1,
                                  WRITER_JOB_SECONDS_MAX, on_single_stored, d, &err))
        end(d);
}

static void on_stored(void *ctx, const struct err *err)
{
    struct inbox_drain *d = ctx;
    if (!err) {
        remove_rows(d);
        return;
    }
    if (err->kind != ERR_BUG) {
        end(d);
        return;
    }
    d->single = 0; /* one of them is at fault: each alone tells which */
    next_single(d);
}

/* One row into the next event of the batch. */
static bool read_row(struct inbox_drain *d, const struct inbox_row *row, struct err *err)
{
    size_t len = strlen(row->body);
    const char *at = row->body;
    struct arena *parse = arena_new(PARSE_ARENA_BYTES_MAX);
    const struct json_value *value = json_read(at, &at, row->body + len, parse, err);
    struct event *event = &d->batch.events[d->batch.count];
    struct native_config config = {d->ingest->scrub, row->project_id, row->received_ms};
    bool ok = value && native_event(value, &config, d->arena, &d->batch, event, err);
    arena_free(parse);
    if (!ok)
        return false;
    event->id = row->id;
    event->is_import = row->is_import;
    event->bytes = sizeof *event + len;
    /* the time of receipt is now: it decides the leaf, and that one exists */
    event->received_ms = clock_wall_ms();
    d->batch.count++;
    return true;
}

static void on_rows(void *ctx, const struct inbox_row *rows, size_t count, const struct err *err)
{
    struct inbox_drain *d = ctx;
    if (err || count == 0 || !d->ingest->writer) {
        end(d);
        return;
    }
    d->arena = arena_new(DRAIN_ARENA_BYTES_MAX);
    d->batch = (struct native_batch){0};
    d->batch.events = arena_alloc(d->arena, count * sizeof *d->batch.events);
    d->count = d->failed_count = 0;
    d->more = count == INBOX_ROWS_MAX;
    size_t bytes = 0;
    for (size_t i = 0; i < count && bytes < WRITER_BATCH_BYTES_MAX; i++) {
        struct err why = {0};
        bytes += strlen(rows[i].body);
        if (read_row(d, &rows[i], &why)) {
            d->ids[d->count++] = rows[i].id;
        } else {
            d->failed[d->failed_count++] = rows[i].id;
            snprintf(d->why, sizeof d->why, "%s", why.text);
        }
    }
    d->more = d->more || d->count + d->failed_count < count;
    struct err why = {0};
    if (d->batch.count == 0)
        remove_rows(d);
    else if (!store_writer_submit(d->ingest->writer, d->batch.events, d->batch.count,
                                  WRITER_JOB_SECONDS_MAX, on_stored, d, &why))
        end(d);
}

static void begin(struct inbox_drain *d)
{
    if (d->busy || !store_lease_is_held(d->lease) || !pg_is_up(d->pg) || !d->ingest->writer)
        return;
    d->busy = true;
    store_inbox_read(d->pg, on_rows, d);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    begin(timer->data);
}

struct inbox_drain *api_inbox_drain_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                                        struct ingest *ingest)
{
    struct inbox_drain *d = mem_alloc(sizeof *d);
    d->loop = loop;
    d->pg = pg;
    d->lease = lease;
    d->ingest = ingest;
    ev_timer_init(&d->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    d->tick.data = d;
    ev_timer_start(loop, &d->tick);
    return d;
}

void api_inbox_drain_free(struct inbox_drain *d)
{
    if (!d)
        return;
    ev_timer_stop(d->loop, &d->tick);
    arena_free(d->arena);
    free(d);
}
