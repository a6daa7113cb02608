/* writer_queue.h -- what waits for the writer: jobs in order, each with its deadline, counted for the metrics.
 *
 * A job is in the queue, or in a list that was taken from it and still counts; job_finish ends it. */
#ifndef NABAT_STORE_WRITER_QUEUE_H
#define NABAT_STORE_WRITER_QUEUE_H

#include "store/writer.h"

struct job {
    struct job *next;
    struct event *events; /* BORROWED until done */
    size_t count;
    size_t bytes;
    int64_t deadline_ms; /* monotonic */
    writer_done_fn *done;
    void *ctx;
};

struct job_queue {
    struct job *first;
    struct job *last;
    size_t bytes;  /* of all jobs that are not finished */
    size_t events; /* the same */
};

/* `job` is STOLEN. */
void job_queue_add(struct job_queue *queue, struct job *job);
/* Whole jobs up to `events_max` events and `bytes_max` bytes, at least one if there is any; *events: how many. */
struct job *job_queue_take(struct job_queue *queue, size_t events_max, size_t bytes_max,
                           size_t *events);
struct job *job_queue_take_all(struct job_queue *queue);
/* Those whose deadline is over, in order. */
struct job *job_queue_take_late(struct job_queue *queue, int64_t now_ms);
/* What was taken goes back to the front, in order. */
void job_queue_put_back(struct job_queue *queue, struct job *jobs);

size_t jobs_count(const struct job *jobs);
/* Ends each of them in order: `done` runs, what it submits waits behind. */
void jobs_finish(struct job_queue *queue, struct job *jobs, const struct err *err);

#endif
