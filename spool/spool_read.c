/* spool_read.c -- files that are read back, one at a time, and dropped when all of them is elsewhere. */
#include "spool/spool_internal.h"

#include "core/limits.h"
#include "core/log.h"

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
    spool_note_disk(s);
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

void spool_drop(struct spool *s, enum spool_end end)
{
    let_go(s);
    if (s->must_keep)
        end = SPOOL_KEEP_ASIDE;
    s->must_keep = false;
    if (!helper_run(s->thread, end == SPOOL_KEEP_ASIDE ? aside_oldest_work : remove_work,
                    spool_job_done, s))
        log_warn("a spool file is read once more: too much waits for the disk", LOG_END);
}
