/* spool_internal.h -- what the files of the spool share; nobody else includes it. */
#ifndef NABAT_SPOOL_SPOOL_INTERNAL_H
#define NABAT_SPOOL_SPOOL_INTERNAL_H

#include "core/helper.h"
#include "spool/disk.h"
#include "spool/spool.h"

/* Beside the files of events. */
#define SPOOL_RANG_NAME "rang"
#define SPOOL_REFUSED_NAME "refused"
#define SPOOL_MIRROR_NAME "mirror.json"

struct waiter {
    struct waiter *next;
    spool_done_fn *done;
    void *ctx;
    size_t events;
};

/* What goes to the disk together. */
struct spool_group {
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
    struct spool_group pending;
    struct spool_group writing;
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

/* spool.c. What the thread knows, as of the job that just ended. */
void spool_note_disk(struct spool *spool);
/* Unless it writes already, or nothing waits. */
void spool_begin_write(struct spool *spool);
/* helper_fn: both, for a job that tells nobody. */
void spool_job_done(void *ctx);
/* spool_side.c. What rang, as found at the start. */
void spool_read_rangs(struct spool *spool);
/* The thread has ended: what it did not write is written now. */
void spool_side_close(struct spool *spool);

#endif
