/* spool.h -- where events wait on disk while the database is away: a folder of files, each synced before
 * anybody is told "kept".
 *
 * One process a folder (a lock says so). Events go to the end of the newest file and leave with the
 * oldest; what was rung meanwhile stands in a file of its own. Everything that can block (opening,
 * writing, fdatasync, reading) runs on the spool's own thread: the helper may be waiting for a
 * resolver when the network is what broke. */
#ifndef NABAT_SPOOL_SPOOL_H
#define NABAT_SPOOL_SPOOL_H

#include "core/err.h"
#include "spool/record.h"

#include <ev.h>

struct spool;

/* `dir` is made if it is not there. Never fails: what is wrong is said by spool_state and tried again. */
struct spool *spool_new(struct ev_loop *loop, const char *dir, int64_t bytes_max);
/* What waits to be written ends with ERR_RETRY, now; nothing is taken any more. */
void spool_close(struct spool *spool);
void spool_free(struct spool *spool);

struct spool_state {
    bool is_open;                     /* events can be added */
    bool is_full;                     /* the last one did not fit into `bytes_max` */
    char trouble[ERR_TEXT_BYTES_MAX]; /* why it is not open, or the last write failed; "" */
    char warning[ERR_TEXT_BYTES_MAX]; /* it works, but: lost at a restart, damaged files; "" */
    int64_t bytes;                    /* on disk and on their way there */
    int64_t bytes_max;
    int64_t files;      /* of events, without what is on its way */
    int64_t on_its_way; /* bytes that are not on disk yet */
};
const struct spool_state *spool_state(const struct spool *spool);

/* `err` NULL: on disk. ERR_RETRY: not. */
typedef void spool_done_fn(void *ctx, const struct err *err);
/* Events are copied at once. Requests that come while the disk is busy share the next fdatasync. False:
 * ERR_LIMIT full, ERR_RETRY not open; nothing will be called. Else `done` runs exactly once, from the loop. */
bool spool_add(struct spool *spool, const struct event *events, size_t count, spool_done_fn *done,
               void *ctx, struct err *err);

/* ---- reading back ---- */
/* A whole file. BORROWED from the spool until spool_drop. */
struct spool_file {
    int64_t number;
    const char *data; /* behind its head */
    size_t len;
    uint32_t salt;
    bool is_foreign; /* not a spool file of this version: `version` is what it says, 0 for none */
    uint32_t version;
    bool may_be_torn; /* it was written last when the process before this one ended */
};
/* `file` NULL: there is none, or it can't be read (`err`). */
typedef void spool_file_fn(void *ctx, const struct spool_file *file, const struct err *err);
/* One at a time. False: too much waits for the disk; nothing will be called. */
bool spool_take_oldest(struct spool *spool, spool_file_fn *done, void *ctx);
/* All of it is in the database. `keep_aside`: there was damage in it, a person may want to look. */
enum spool_end { SPOOL_REMOVE, SPOOL_KEEP_ASIDE };
void spool_drop(struct spool *spool, enum spool_end end);
/* Nothing waits, and the database takes events: troubles of before are over until there is a new one. */
void spool_is_idle(struct spool *spool);
/* An event that the database will never take goes to "refused", so that the others can go on. */
void spool_refuse(struct spool *spool, const struct event *event);

/* ---- a copy of what the database knows ---- */
/* Runs once, when the spool is open: `mirror` is what was put there last, by this process or an older one;
 * NULL: nothing. */
void spool_on_open(struct spool *spool, void (*opened)(void *ctx, const char *mirror), void *ctx);
/* STEALS `text`. The old one stays until the new one is on disk. False: it was not taken now. */
bool spool_put_mirror(struct spool *spool, char *text);
/* The last one that was put did not get there. */
bool spool_mirror_is_stale(const struct spool *spool);

/* ---- what rang meanwhile ---- */
void spool_add_rangs(struct spool *spool, const struct rang *rangs, size_t count);
/* Those of this process and of the ones before it. BORROWED until the next is added. */
const struct rang *spool_rangs(const struct spool *spool, size_t *count);
/* The database knows them, and no event waits any more. */
void spool_forget_rangs(struct spool *spool);

#endif
