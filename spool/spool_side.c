/* spool_side.c -- the files beside the events: what rang, what was refused, the mirror. */
#include "spool/spool_internal.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"

#include <stdlib.h>

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

static void keep_rang(struct spool *s, const struct rang *rang)
{
    if (s->rangs_count == SPOOL_RANGS_MAX)
        return;
    if (s->rangs_count % 64 == 0)
        s->rangs = mem_realloc(s->rangs, (s->rangs_count + 64) * sizeof *s->rangs);
    s->rangs[s->rangs_count++] = *rang;
}

void spool_read_rangs(struct spool *s)
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
    spool_begin_write(s);
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
    struct aside *a = aside_new(s, SPOOL_REFUSED_NAME);
    metric_add(METRIC_SPOOL_REFUSED, 1);
    record_add_event(&a->records, RECORD_NO_SALT, event);
    a->is_of_oldest = true;
    aside_run(a);
}

void spool_add_rangs(struct spool *s, const struct rang *rangs, size_t count)
{
    struct aside *a = aside_new(s, SPOOL_RANG_NAME);
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
    disk_replace(&s->disk, SPOOL_MIRROR_NAME, s->mirror, &s->mirror_err);
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
    spool_begin_write(s);
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

const struct rang *spool_rangs(const struct spool *s, size_t *count)
{
    *count = s->rangs_count;
    return s->rangs;
}

void spool_side_close(struct spool *s)
{
    for (struct aside *a = s->asides, *next; a; a = next) { /* what rang must not ring again */
        next = a->next;
        if (s->state.is_open && !a->is_written)
            aside_work(a);
        aside_free(a);
    }
    s->asides = NULL;
}

static void forget_work(void *ctx)
{
    struct spool *s = ctx;
    disk_remove(&s->disk, SPOOL_RANG_NAME);
}

void spool_forget_rangs(struct spool *s)
{
    s->rangs_count = 0;
    helper_run(s->thread, forget_work, spool_job_done, s);
}
