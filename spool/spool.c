/* spool.c -- requests that share a sync, files that are read back, and the lock that is waited for.
 *
 *     CLOSED --lock--> OPEN          spool_add: encode --> pending --(thread idle)--> written, synced --> done
 *        ^__tried every second__|    spool_take_oldest: file read --> owner --> removed
 *
 * The hard thing: one group is on its way to the disk while the next one gathers; each `done` belongs to
 * exactly one of the two. */
#include "spool/spool.h"

#include "core/helper.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "spool/disk.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double OPEN_AGAIN_SECONDS = 1.0;
static const char RANG_NAME[] = "rang";
static const char REFUSED_NAME[] = "refused";
static const char MIRROR_NAME[] = "mirror.json";

struct waiter {
    struct waiter *next;
    spool_done_fn *done;
    void *ctx;
    size_t events;
};

/* What goes to the disk together. */
struct group {
    struct buf records;
    struct waiter *first;
    struct waiter *last;
};

struct spool {
    struct ev_loop *loop;
    struct helper *thread;
    struct disk disk; /* the thread's; the loop looks at its `view` alone */
    struct spool_state state;
    ev_timer again;
    struct group pending;
    struct group writing;
    bool is_writing;
    struct err write_err;
    bool is_opening;
    struct err open_err;
    struct buf rang_file; /* as found at the start */
    struct buf mirror_file;
    char *mirror; /* on its way to the disk */
    struct err mirror_err;
    void (*opened)(void *ctx, const char *mirror);
    void *opened_ctx;
    struct rang *rangs;
    size_t rangs_count;
    /* the file that is read */
    struct buf read;
    struct err read_err;
    bool has_read;
    struct spool_file file;
    spool_file_fn *read_done;
    void *read_ctx;
    struct aside *asides;
    bool must_keep; /* an event of the file that is read could not be set aside */
    uint32_t salt;
    bool mirror_failed;
};

/* Records for a file beside the events; `name` is a literal. */
struct aside {
    struct aside *next; /* of those that are not written yet */
    struct spool *spool;
    const char *name;
    struct buf records;
    bool is_of_oldest; /* an event of the file that is read */
    bool is_written;   /* or was tried; the thread's until it ends */
    struct err err;
};

/* What the thread knows, as of the job that just ended. */
static void note_disk(struct spool *s)
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
    disk_read(&s->disk, RANG_NAME, &s->rang_file, &ignored);
    disk_read(&s->disk, MIRROR_NAME, &s->mirror_file, &ignored);
}

static void keep_rang(struct spool *s, const struct rang *rang)
{
    if (s->rangs_count == SPOOL_RANGS_MAX)
        return;
    if (s->rangs_count % 64 == 0)
        s->rangs = mem_realloc(s->rangs, (s->rangs_count + 64) * sizeof *s->rangs);
    s->rangs[s->rangs_count++] = *rang;
}

static void read_rangs(struct spool *s)
{
    uint32_t version = 0;
    size_t at = RECORD_FILE_HEAD_BYTES;
    size_t skipped = 0;
    struct record record;
    uint32_t salt = 0;
    if (record_file_is_ours(buf_text(&s->rang_file), s->rang_file.len, &version, &salt))
        for (;;) {
            struct rang rang;
            enum record_find found =
                record_next(s->rang_file.data, s->rang_file.len, salt, &at, &record, &skipped);
            if (found == RECORD_END || found == RECORD_TORN)
                break;
            if (found == RECORD_FOUND && record_read_rang(&record, &rang))
                keep_rang(s, &rang);
        }
    buf_fini(&s->rang_file);
    buf_init(&s->rang_file, SPOOL_READ_BYTES_MAX);
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
    read_rangs(s);
    note_disk(s);
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

static void finish_group(struct group *group, const struct err *err)
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

static void begin_write(struct spool *s);

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
    note_disk(s);
    begin_write(s);
}

/* The buffers change places: what comes from now on waits for the next sync. */
static void begin_write(struct spool *s)
{
    if (s->is_writing || !s->pending.first || !s->thread)
        return;
    struct group swap = s->writing;
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
    struct group *g = &s->pending;
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
    struct group *g = &s->pending;
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
    begin_write(s);
    return true;
}

static void aside_work(void *ctx)
{
    struct aside *a = ctx;
    struct disk *disk = &a->spool->disk;
    a->is_written = true;
    if (!disk_append_to(disk, a->name, &a->records, &a->err) && a->is_of_oldest)
        disk->must_keep = true; /* the file that it comes from is not removed, then */
}

static void aside_free(struct aside *a)
{
    if (a->err.kind != ERR_NONE)
        log_error("not written beside the spool", LOG_S("file", a->name),
                  LOG_S("error", a->err.text), LOG_END);
    buf_fini(&a->records);
    free(a);
}

static void aside_done(void *ctx)
{
    struct aside *a = ctx;
    struct aside **at = &a->spool->asides;
    while (*at != a)
        at = &(*at)->next;
    struct spool *s = a->spool;
    *at = a->next;
    aside_free(a);
    begin_write(s);
}

static struct aside *aside_new(struct spool *s, const char *name)
{
    struct aside *a = mem_alloc(sizeof *a);
    a->spool = s;
    a->name = name;
    buf_init(&a->records, SPOOL_PENDING_BYTES_MAX);
    a->next = s->asides;
    s->asides = a;
    return a;
}

static void aside_run(struct aside *a)
{
    struct spool *s = a->spool;
    if (s->state.is_open && helper_run(s->thread, aside_work, aside_done, a))
        return;
    err_set(&a->err, ERR_RETRY, "the spool is not open, or too much waits for the disk");
    s->must_keep = s->must_keep || a->is_of_oldest;
    aside_done(a);
}

void spool_refuse(struct spool *s, const struct event *event)
{
    struct aside *a = aside_new(s, REFUSED_NAME);
    metric_add(METRIC_SPOOL_REFUSED, 1);
    record_add_event(&a->records, RECORD_NO_SALT, event);
    a->is_of_oldest = true;
    aside_run(a);
}

void spool_add_rangs(struct spool *s, const struct rang *rangs, size_t count)
{
    struct aside *a = aside_new(s, RANG_NAME);
    for (size_t i = 0; i < count; i++) {
        keep_rang(s, &rangs[i]);
        record_add_rang(&a->records, RECORD_NO_SALT, &rangs[i]);
    }
    aside_run(a);
}

static void mirror_work(void *ctx)
{
    struct spool *s = ctx;
    s->mirror_err = (struct err){0};
    disk_replace(&s->disk, MIRROR_NAME, s->mirror, &s->mirror_err);
}

static void mirror_done(void *ctx)
{
    struct spool *s = ctx;
    if (s->mirror_err.kind != ERR_NONE)
        log_warn("the mirror beside the spool is not written", LOG_S("error", s->mirror_err.text),
                 LOG_END);
    s->mirror_failed = s->mirror_err.kind != ERR_NONE;
    free(s->mirror);
    s->mirror = NULL;
    begin_write(s);
}

bool spool_put_mirror(struct spool *s, char *text)
{
    if (s->state.is_open && !s->mirror) {
        s->mirror = text;
        if (helper_run(s->thread, mirror_work, mirror_done, s))
            return true;
        s->mirror = NULL;
    }
    free(text);
    return false;
}

bool spool_mirror_is_stale(const struct spool *s)
{
    return s->mirror_failed;
}

void spool_on_open(struct spool *s, void (*opened)(void *ctx, const char *mirror), void *ctx)
{
    s->opened = opened;
    s->opened_ctx = ctx;
}

const struct rang *spool_rangs(const struct spool *s, size_t *count)
{
    *count = s->rangs_count;
    return s->rangs;
}

/* ----------------------------------------------------------------------------------------- reading */

static void read_work(void *ctx)
{
    struct spool *s = ctx;
    s->read_err = (struct err){0};
    s->has_read = disk_read_oldest(&s->disk, &s->file.number, &s->read, &s->read_err);
}

static void let_go(struct spool *s)
{
    buf_fini(&s->read);
    buf_init(&s->read, SPOOL_READ_BYTES_MAX);
}

static void read_done(void *ctx)
{
    struct spool *s = ctx;
    note_disk(s);
    const struct err *err = s->read_err.kind == ERR_NONE ? NULL : &s->read_err;
    bool found = s->has_read;
    if (found) {
        struct spool_file *f = &s->file;
        bool has_head = s->read.len >= RECORD_FILE_HEAD_BYTES; /* a full disk leaves shorter ones */
        f->is_foreign =
            has_head && !record_file_is_ours(s->read.data, s->read.len, &f->version, &f->salt);
        /* one whose head alone is damaged is read all the same; one of another version is not */
        bool is_read = has_head && (!f->is_foreign || f->version == 0);
        f->data = is_read ? s->read.data + RECORD_FILE_HEAD_BYTES : "";
        f->len = is_read ? s->read.len - RECORD_FILE_HEAD_BYTES : 0;
        f->may_be_torn = f->number == s->disk.found_number;
    } else {
        let_go(s);
    }
    s->read_done(s->read_ctx, found ? &s->file : NULL, err);
}

bool spool_take_oldest(struct spool *s, spool_file_fn *done, void *ctx)
{
    s->read_done = done;
    s->read_ctx = ctx;
    return helper_run(s->thread, read_work, read_done, s);
}

static void remove_work(void *ctx)
{
    struct spool *s = ctx;
    disk_remove_oldest(&s->disk, false);
}

static void aside_oldest_work(void *ctx)
{
    struct spool *s = ctx;
    disk_remove_oldest(&s->disk, true);
}

static void job_done(void *ctx)
{
    struct spool *s = ctx;
    note_disk(s);
    begin_write(s);
}

void spool_drop(struct spool *s, enum spool_end end)
{
    let_go(s);
    if (s->must_keep)
        end = SPOOL_KEEP_ASIDE;
    s->must_keep = false;
    if (!helper_run(s->thread, end == SPOOL_KEEP_ASIDE ? aside_oldest_work : remove_work, job_done,
                    s))
        log_warn("a spool file is read once more: too much waits for the disk", LOG_END);
}

static void forget_work(void *ctx)
{
    struct spool *s = ctx;
    disk_remove(&s->disk, RANG_NAME);
}

void spool_is_idle(struct spool *s)
{
    s->state.trouble[0] = s->state.is_open ? '\0' : s->state.trouble[0];
    s->state.is_full = false;
}

void spool_forget_rangs(struct spool *s)
{
    s->rangs_count = 0;
    helper_run(s->thread, forget_work, job_done, s);
}

/* -------------------------------------------------------------------------------------------- life */

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
    for (struct aside *a = s->asides, *next; a; a = next) { /* what rang must not ring again */
        next = a->next;
        if (s->state.is_open && !a->is_written)
            aside_work(a);
        aside_free(a);
    }
    s->asides = NULL;
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
