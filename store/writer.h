/* writer.h -- the batch writer: events in, one transaction for many of them, then the word "kept".
 *
 * While its connection is busy the queue grows into the next batch; no lingering. A batch that
 * fails for a passing reason is run again until its jobs are too old, or, where there is a spool, given
 * back at once; repeats are dropped by (project, event_id), so that running again is harmless. */
#ifndef NABAT_STORE_WRITER_H
#define NABAT_STORE_WRITER_H

#include "core/event.h"
#include "store/pg.h"

struct writer;

/* An event as SENTRY_DSN takes it; false: it stays here. */
typedef bool forward_render_fn(const struct event *event, struct buf *out);

struct writer_config {
    enum severity ring_min;     /* facts about this and worse always go to alert_due */
    int64_t rows_a_minute;      /* of a group; beyond it events are only counted; 0: never */
    bool gives_back;            /* whoever submits has somewhere else to put them */
    forward_render_fn *forward; /* NULL: nothing is forwarded */
};

/* `pg` is BORROWED and the writer's alone: a transaction spans two of its batches. */
struct writer *store_writer_new(struct ev_loop *loop, struct pg *pg,
                                const struct writer_config *config);
/* From now on, or not any more, every event is only counted: the store is full. Imports are kept. */
void store_writer_count_only(struct writer *writer, bool count_only);
/* Jobs still waiting end with ERR_RETRY. */
void store_writer_free(struct writer *writer);

/* `err` NULL: committed. ERR_RETRY: not known to be kept. ERR_BUG: the database refuses them. */
typedef void writer_done_fn(void *ctx, const struct err *err);

/* Events stay BORROWED until `done`, which runs exactly once, from the loop, after `seconds_max` at the
 * latest (and the time of a statement, without a spool). False: the queue is full (ERR_LIMIT) or the
 * database is away (ERR_RETRY); nothing will be called. */
bool store_writer_submit(struct writer *writer, struct event *events, size_t count, int seconds_max,
                         writer_done_fn *done, void *ctx, struct err *err);

bool store_writer_is_up(const struct writer *writer);
/* `changed` runs when its connection came up or went down, after what waited was given back. */
void store_writer_on_connection(struct writer *writer, void (*changed)(void *ctx, bool up),
                                void *ctx);
/* Somebody else found that out. */
void store_writer_is_odd(struct writer *writer);
/* `odd` runs when the database is not as the migrations make it: an older backup was restored, say. */
void store_writer_on_schema(struct writer *writer, void (*odd)(void *ctx), void *ctx);
/* `due` runs after each commit that put something into alert_due. */
void store_writer_on_due(struct writer *writer, void (*due)(void *ctx), void *ctx);

#endif
