/* spool.c -- requests that share a sync, files that are read back, and the lock that is waited for.
 *
 *     CLOSED --lock--> OPEN          spool_add: encode --> pending --(thread idle)--> written, synced --> done
 *        ^__tried every second__|    spool_take_oldest: file read --> owner --> removed
 *
 * The hard thing: one group is on its way to the disk while the next one gathers; each `done` belongs to
 * exactly one of the two. */
#include "spool/spool_internal.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double OPEN_AGAIN_SECONDS = 1.0;

/* What the thread knows, as of the job that just ended. */
void spool_note_disk(struct spool *s)
{
    struct spool_state *v = &s->state;
    struct disk_view *d = &s->disk.view;
    int64_t damaged = atomic_load(&d->damaged);
    v->on_its_way = (int64_t)(s->pending.records.len + s->writing.records.len);
    v->bytes = atomic_load(&d->bytes) + v->on_its_way;
    v->files = atomic_load(&d->files);
    v->warning[0] = '\0';
    if (atomic_load(&d->is_volatile))
        snprintf(v->warning, sizeof v->warning,
                 "SPOOL_DIR (%s) is lost at a restart of the machine or container: mount a volume",
                 s->disk.dir);
    else if (damaged)
        snprintf(v->warning, sizeof v->warning,
                 "%lld damaged files were kept in %s: what was whole is in the database; remove "
                 "them when you have looked at them",
                 (long long)damaged, s->disk.dir);
    metric_set(METRIC_SPOOL_BYTES, v->bytes);
    metric_set(METRIC_SPOOL_FILES, v->files);
}

/* ----------------------------------------------------------------------------------------- opening */

static void open_work(void *ctx)
{
    struct spool *s = ctx;
    struct err ignored = {0};
    s->open_err = (struct err){0};
    if (!disk_open(&s->disk, &s->open_err))
        return;
    disk_read(&s->disk, SPOOL_RANG_NAME, &s->rang_file, &ignored);
    disk_read(&s->disk, SPOOL_MIRROR_NAME, &s->mirror_file, &ignored);
}

static void open_again(struct spool *s)
{
    ev_timer_stop(s->loop, &s->again);
    ev_timer_set(&s->again, OPEN_AGAIN_SECONDS, 0);
    ev_timer_start(s->loop, &s->again);
}

static void open_done(void *ctx)
{
    struct spool *s = ctx;
    s->is_opening = false;
    if (s->open_err.kind != ERR_NONE) {
        if (strcmp(s->state.trouble, s->open_err.text) != 0)
            log_error("the spool can't be used: events are refused while the database is away",
                      LOG_S("error", s->open_err.text), LOG_END);
        snprintf(s->state.trouble, sizeof s->state.trouble, "%s", s->open_err.text);
        open_again(s);
        return;
    }
    s->state.is_open = true;
    s->state.trouble[0] = '\0';
    spool_read_rangs(s);
    spool_note_disk(s);
    if (s->state.warning[0])
        log_warn("spool", LOG_S("warning", s->state.warning), LOG_END);
    log_info("spool opened", LOG_S("dir", s->disk.dir), LOG_I("files", s->state.files),
             LOG_I("bytes", s->state.bytes), LOG_END);
    if (s->opened)
        s->opened(s->opened_ctx, s->mirror_file.len ? s->mirror_file.data : NULL);
    buf_fini(&s->mirror_file);
}

static void begin_open(struct spool *s)
{
    if (s->is_opening || s->state.is_open)
        return;
    s->is_opening = true;
    if (!helper_run(s->thread, open_work, open_done, s)) {
        s->is_opening = false;
        open_again(s);
    }
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    begin_open(timer->data);
}

/* ----------------------------------------------------------------------------------------- writing */

static void finish_group(struct spool_group *group, const struct err *err)
{
    struct waiter *w = group->first;
    size_t cap = group->records.cap;
    group->first = group->last = NULL;
    buf_clear(&group->records);
    if (cap > SPOOL_BUFFER_KEPT_BYTES) {
        size_t max = group->records.bytes_max;
        buf_fini(&group->records);
        buf_init(&group->records, max);
    }
    while (w) {
        struct waiter *next = w->next;
        if (!err)
            metric_add(METRIC_EVENTS_SPOOLED, (int64_t)w->events);
        w->done(w->ctx, err);
        free(w);
        w = next;
    }
}

static void write_work(void *ctx)
{
    struct spool *s = ctx;
    s->write_err = (struct err){0};
    disk_append(&s->disk, &s->writing.records, &s->write_err);
}

static void write_done(void *ctx)
{
    struct spool *s = ctx;
    struct err err = s->write_err;
    bool failed = err.kind != ERR_NONE;
    s->is_writing = false;
    metric_add(METRIC_SPOOL_SYNCS, 1);
    if (failed && !s->state.trouble[0])
        log_error("events can't be spooled: they are refused", LOG_S("error", err.text), LOG_END);
    if (!failed && s->state.trouble[0])
        log_info("events can be spooled again", LOG_END);
    snprintf(s->state.trouble, sizeof s->state.trouble, "%s", failed ? err.text : "");
    finish_group(&s->writing, failed ? &err : NULL);
    spool_note_disk(s);
    spool_begin_write(s);
}

/* The buffers change places: what comes from now on waits for the next sync. */
void spool_begin_write(struct spool *s)
{
    if (s->is_writing || !s->pending.first || !s->thread)
        return;
    struct spool_group swap = s->writing;
    s->writing = s->pending;
    s->pending = swap;
    s->is_writing = helper_run(s->thread, write_work, write_done, s);
    if (s->is_writing)
        return;
    s->pending = s->writing; /* too much waits for the disk: the next job that ends tries again */
    s->writing = swap;
}

static bool has_room(struct spool *s, size_t before, struct err *err)
{
    struct spool_group *g = &s->pending;
    int64_t more = (int64_t)(g->records.len - before);
    s->state.is_full = s->state.bytes + more > s->state.bytes_max;
    if (!s->state.is_full) {
        s->state.bytes += more;
        s->state.on_its_way += more;
        return true;
    }
    g->records.len = before;
    return err_set(err, ERR_LIMIT,
                   "the database is away and the spool is full (SPOOL_MAX_BYTES); the events were "
                   "not kept");
}

bool spool_add(struct spool *s, const struct event *events, size_t count, spool_done_fn *done,
               void *ctx, struct err *err)
{
    struct spool_group *g = &s->pending;
    size_t before = g->records.len;
    if (!s->state.is_open)
        return err_set(err, ERR_RETRY, "the database is away and so is the spool: %s",
                       s->state.trouble[0] ? s->state.trouble : "it is being opened");
    for (size_t i = 0; i < count; i++)
        if (!record_add_event(&g->records, s->salt, &events[i])) {
            g->records.len = before;
            return err_set(err, ERR_LIMIT, "too much waits for the disk; the events were not kept");
        }
    if (!has_room(s, before, err))
        return false;
    struct waiter *w = mem_alloc(sizeof *w);
    *w = (struct waiter){.done = done, .ctx = ctx, .events = count};
    if (g->last)
        g->last->next = w;
    else
        g->first = w;
    g->last = w;
    spool_begin_write(s);
    return true;
}

void spool_job_done(void *ctx)
{
    struct spool *s = ctx;
    spool_note_disk(s);
    spool_begin_write(s);
}

/* -------------------------------------------------------------------------------------------- life */

void spool_on_open(struct spool *s, void (*opened)(void *ctx, const char *mirror), void *ctx)
{
    s->opened = opened;
    s->opened_ctx = ctx;
}

void spool_is_idle(struct spool *s)
{
    s->state.trouble[0] = s->state.is_open ? '\0' : s->state.trouble[0];
    s->state.is_full = false;
}

const struct spool_state *spool_state(const struct spool *s)
{
    return &s->state;
}

struct spool *spool_new(struct ev_loop *loop, const char *dir, int64_t bytes_max)
{
    struct spool *s = mem_alloc(sizeof *s);
    s->loop = loop;
    s->thread = helper_new(loop);
    s->state.bytes_max = bytes_max;
    disk_init(&s->disk, dir);
    s->salt = s->disk.salt;
    buf_init(&s->pending.records, SPOOL_PENDING_BYTES_MAX);
    buf_init(&s->writing.records, SPOOL_PENDING_BYTES_MAX);
    buf_init(&s->read, SPOOL_READ_BYTES_MAX);
    buf_init(&s->rang_file, SPOOL_READ_BYTES_MAX);
    buf_init(&s->mirror_file, MIRROR_BYTES_MAX);
    ev_timer_init(&s->again, on_again, 0.0, 0.0);
    s->again.data = s;
    begin_open(s);
    return s;
}

void spool_close(struct spool *s)
{
    struct err err = {0};
    if (!s || !s->thread)
        return;
    err_set(&err, ERR_RETRY, "the service is stopping");
    ev_timer_stop(s->loop, &s->again);
    helper_free(s->thread);
    s->thread = NULL;
    spool_side_close(s);
    s->state.is_open = false;
    finish_group(&s->writing, &err);
    finish_group(&s->pending, &err);
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    spool_close(s);
    buf_fini(&s->pending.records);
    buf_fini(&s->writing.records);
    buf_fini(&s->read);
    buf_fini(&s->rang_file);
    buf_fini(&s->mirror_file);
    free(s->mirror);
    disk_fini(&s->disk);
    free(s->rangs);
    free(s);
}
