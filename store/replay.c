/* replay.c -- the spool into the database.
 *
 *     tick --up, may begin--> PUSHING (what rang) --> READING (a file) --> WRITING (a chunk) --committed--+
 *          ^                                             ^   ^______ end of the file: dropped _____________|
 *          |____________ failed: again in a while _______|__________________________________________________|
 *
 * The hard thing: nothing of it may stop the rest. A chunk that the database finds too slow is halved; one
 * that it refuses is tried event by event, and the one at fault is set aside. What was rung without the
 * database is told to it before any event, so that no error rings twice. */
#include "store/replay.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "store/rang.h"

#include <stdlib.h>

enum replay_state { REPLAY_IDLE, REPLAY_PUSHING, REPLAY_READING, REPLAY_WRITING };
enum { READ_TRIES_MAX = 5, PUSH_TRIES_MAX = 20 };
enum { PAUSE_MS_MIN = 250, PAUSE_MS_MAX = 5000, CHUNK_ARENA_BYTES_MAX = 128 * MIB };
static const double TICK_SECONDS = 0.1;

struct replay {
    struct ev_loop *loop;
    struct spool *spool;
    struct writer *writer;
    struct pg *pg;
    struct replay_events events;
    enum replay_state state;
    ev_timer tick;
    int64_t pause_until_ms;
    int64_t pause_ms;
    size_t rangs_pushed; /* of the spool's list */
    size_t rangs_pushing;
    const struct spool_file *file; /* NULL: none in hand */
    size_t at;                     /* in it: behind the last chunk that is in the database */
    size_t chunk_end;
    size_t chunk_max; /* events; halved when they are too many at a time */
    size_t one_by_one;
    size_t damaged_bytes; /* of this file */
    struct arena *arena;
    struct event *chunk;
    size_t count;
    int64_t began_ms;
    int64_t replayed;
    int64_t replayed_ms; /* what was received until then is in the database */
    int read_failures;   /* of the oldest file, in a row */
    int push_failures;
};

static void go_on(struct replay *r);

static void put_off(struct replay *r, const char *what, const struct err *err)
{
    r->state = REPLAY_IDLE;
    r->pause_ms = r->pause_ms ? r->pause_ms * 2 : PAUSE_MS_MIN;
    if (r->pause_ms > PAUSE_MS_MAX)
        r->pause_ms = PAUSE_MS_MAX;
    r->pause_until_ms = clock_mono_ms() + r->pause_ms;
    log_info("the spool is replayed later", LOG_S("step", what), LOG_S("error", err->text),
             LOG_END);
}

/* ----------------------------------------------------------------------------------------- reading */

/* The next events of the file, up to the chunk's bounds. */
static void gather(struct replay *r)
{
    size_t bytes = 0;
    size_t max = r->one_by_one ? 1 : r->chunk_max;
    r->count = 0;
    r->chunk_end = r->at;
    while (r->count < max && bytes < SPOOL_CHUNK_BYTES_MAX) {
        struct record record;
        size_t at = r->chunk_end;
        size_t skipped = 0;
        enum record_find found =
            record_next(r->file->data, r->file->len, r->file->salt, &at, &record, &skipped);
        if (found == RECORD_END)
            break;
        if (found == RECORD_TORN && r->file->may_be_torn)
            log_warn("the end of a spool file is torn: nobody was told that it was kept",
                     LOG_I("file", r->file->number), LOG_I("bytes", skipped), LOG_END);
        else if (found == RECORD_TORN || found == RECORD_DAMAGED) {
            log_error("a spool file is damaged: it is kept aside", LOG_I("file", r->file->number),
                      LOG_I("at", r->chunk_end), LOG_I("bytes", skipped), LOG_END);
            r->damaged_bytes += skipped;
        } else if (record.type == RECORD_EVENT) {
            struct event *e = &r->chunk[r->count];
            if (record_read_event(&record, r->arena, e)) {
                bytes += e->bytes;
                r->count++;
            } else {
                r->damaged_bytes += record.len;
            }
        }
        metric_add(METRIC_SPOOL_DAMAGED_BYTES, (int64_t)skipped);
        r->chunk_end = at;
    }
}

static void end_file(struct replay *r)
{
    spool_drop(r->spool, r->damaged_bytes ? SPOOL_KEEP_ASIDE : SPOOL_REMOVE);
    r->file = NULL;
    r->state = REPLAY_IDLE;
}

static void on_written(void *ctx, const struct err *err)
{
    struct replay *r = ctx;
    r->state = REPLAY_IDLE;
    if (!err) {
        r->pause_ms = 0;
        r->at = r->chunk_end;
        r->replayed += (int64_t)r->count;
        metric_add(METRIC_SPOOL_REPLAYED, (int64_t)r->count);
        r->one_by_one -= r->one_by_one ? 1 : 0;
        if (!r->one_by_one)
            r->chunk_max = r->chunk_max * 2 < SPOOL_CHUNK_EVENTS_MAX ? r->chunk_max * 2
                                                                     : SPOOL_CHUNK_EVENTS_MAX;
        for (size_t i = 0; i < r->count; i++)
            if (r->chunk[i].received_ms > r->replayed_ms)
                r->replayed_ms = r->chunk[i].received_ms;
        if (spool_state(r->spool)->bytes < SPOOL_NEARLY_EMPTY_BYTES ||
            clock_mono_ms() - r->began_ms > (int64_t)SPOOL_CATCH_UP_SECONDS_MAX * 1000)
            r->events.caught_up(r->events.ctx);
    } else if (err->kind == ERR_BUG && r->count > 1) {
        r->one_by_one = r->count; /* one of them is at fault */
    } else if (err->kind == ERR_BUG) {
        log_error("the database refuses a spooled event: it is set aside in SPOOL_DIR/refused",
                  LOG_S("event_id", r->chunk[0].event_id), LOG_S("error", err->text), LOG_END);
        spool_refuse(r->spool, &r->chunk[0]);
        r->one_by_one -= r->one_by_one ? 1 : 0;
        r->at = r->chunk_end;
    } else {
        r->chunk_max = r->chunk_max > 1 ? r->chunk_max / 2 : 1;
        put_off(r, "write", err);
        r->events.failed(r->events.ctx);
        return;
    }
    go_on(r);
}

static void write_chunk(struct replay *r)
{
    struct err err = {0};
    arena_free(r->arena);
    r->arena = arena_new(CHUNK_ARENA_BYTES_MAX);
    gather(r);
    if (r->count == 0) {
        end_file(r);
        go_on(r);
        return;
    }
    r->state = REPLAY_WRITING;
    if (!store_writer_submit(r->writer, r->chunk, r->count, SPOOL_CHUNK_SECONDS_MAX, on_written, r,
                             &err))
        put_off(r, "write", &err);
}

static void on_file(void *ctx, const struct spool_file *file, const struct err *err)
{
    struct replay *r = ctx;
    r->state = REPLAY_IDLE;
    if (err && ++r->read_failures >= READ_TRIES_MAX) {
        log_error("a spool file can't be read: it is kept aside", LOG_S("error", err->text),
                  LOG_END);
        r->read_failures = 0;
        spool_drop(r->spool, SPOOL_KEEP_ASIDE);
    }
    if (err) {
        put_off(r, "read", err);
        return;
    }
    r->read_failures = 0;
    if (!file) {
        go_on(r);
        return;
    }
    r->file = file;
    r->at = r->damaged_bytes = r->one_by_one = 0;
    if (file->is_foreign) {
        log_error("a file in SPOOL_DIR is none that this version reads: it is kept aside",
                  LOG_I("file", file->number), LOG_I("version", file->version), LOG_END);
        r->damaged_bytes = 1; /* what can be read of it is, when its head alone is damaged */
    }
    go_on(r);
}

/* ------------------------------------------------------------------------------------- what rang */

static void on_pushed(void *ctx, const struct err *err)
{
    struct replay *r = ctx;
    r->state = REPLAY_IDLE;
    if (err && err->kind == ERR_BUG)
        store_writer_is_odd(r->writer); /* the table is missing: an older backup */
    if (err && ++r->push_failures < PUSH_TRIES_MAX) {
        put_off(r, "what rang", err);
        return;
    }
    if (err)
        log_error("what rang can't be told to the database: it may ring once more",
                  LOG_S("error", err->text), LOG_END);
    r->push_failures = 0;
    r->rangs_pushed = r->rangs_pushing;
    go_on(r);
}

/* ------------------------------------------------------------------------------------------ rounds */

/* Nothing waits: the way is open, and what rang is history. */
static void rest(struct replay *r)
{
    size_t rangs = 0;
    spool_rangs(r->spool, &rangs);
    if (rangs && rangs == r->rangs_pushed) {
        spool_forget_rangs(r->spool);
        r->rangs_pushed = 0;
    }
    if (r->replayed) {
        log_info("the spool is in the database", LOG_I("events", r->replayed),
                 LOG_I("ms", clock_mono_ms() - r->began_ms), LOG_END);
        arena_free(r->arena);
        r->arena = NULL;
        mem_give_back();
    }
    r->replayed = 0;
    spool_is_idle(r->spool);
    r->events.caught_up(r->events.ctx);
}

static void go_on(struct replay *r)
{
    size_t rangs = 0;
    const struct rang *list = spool_rangs(r->spool, &rangs);
    const struct spool_state *spool = spool_state(r->spool);
    if (r->state != REPLAY_IDLE || !pg_is_up(r->pg) || !store_writer_is_up(r->writer) ||
        clock_mono_ms() < r->pause_until_ms || !r->events.may_begin(r->events.ctx))
        return;
    if (!spool->is_open) { /* nothing of this process can be in it */
        r->events.caught_up(r->events.ctx);
        return;
    }
    if (r->rangs_pushed < rangs) {
        r->state = REPLAY_PUSHING;
        r->rangs_pushing = rangs;
        store_rang_push(r->pg, list + r->rangs_pushed, rangs - r->rangs_pushed, on_pushed, r);
    } else if (r->file) {
        write_chunk(r);
    } else if (spool->files > 0) {
        r->state = REPLAY_READING;
        if (!r->replayed)
            r->began_ms = clock_mono_ms();
        if (!spool_take_oldest(r->spool, on_file, r))
            r->state = REPLAY_IDLE;      /* the tick tries again */
    } else if (spool->on_its_way == 0) { /* else it is a file in a moment */
        rest(r);
    }
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    go_on(timer->data);
}

struct replay *store_replay_new(struct ev_loop *loop, struct spool *spool, struct writer *writer,
                                struct pg *pg, const struct replay_events *events)
{
    struct replay *r = mem_alloc(sizeof *r);
    r->loop = loop;
    r->spool = spool;
    r->writer = writer;
    r->pg = pg;
    r->events = *events;
    r->chunk_max = SPOOL_CHUNK_EVENTS_MAX;
    r->chunk = mem_alloc(SPOOL_CHUNK_EVENTS_MAX * sizeof *r->chunk);
    ev_timer_init(&r->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    r->tick.data = r;
    ev_timer_start(loop, &r->tick);
    return r;
}

void store_replay_free(struct replay *r)
{
    if (!r)
        return;
    ev_timer_stop(r->loop, &r->tick);
    arena_free(r->arena);
    free(r->chunk);
    free(r);
}

int64_t store_replay_until_ms(const struct replay *r)
{
    return r->replayed_ms;
}

void store_replay_poke(struct replay *r)
{
    go_on(r);
}
