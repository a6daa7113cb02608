/* writer_queue.c -- a list with two ends, and what its jobs weigh. */
#include "store/writer_queue.h"

#include "core/metric.h"

#include <stdlib.h>

static void tell(const struct job_queue *queue)
{
    metric_set(METRIC_WRITER_QUEUE_EVENTS, (int64_t)queue->events);
    metric_set(METRIC_WRITER_QUEUE_BYTES, (int64_t)queue->bytes);
}

void job_queue_add(struct job_queue *queue, struct job *job)
{
    job->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = job;
    queue->last = job;
    queue->bytes += job->bytes;
    queue->events += job->count;
    tell(queue);
}

struct job *job_queue_take(struct job_queue *queue, size_t events_max, size_t bytes_max,
                           size_t *events)
{
    struct job *taken = NULL;
    struct job **end = &taken;
    size_t bytes = 0;
    *events = 0;
    while (queue->first) {
        struct job *job = queue->first;
        if (taken && (*events + job->count > events_max || bytes + job->bytes > bytes_max))
            break;
        queue->first = job->next;
        job->next = NULL;
        *end = job;
        end = &job->next;
        *events += job->count;
        bytes += job->bytes;
    }
    if (!queue->first)
        queue->last = NULL;
    return taken;
}

struct job *job_queue_take_all(struct job_queue *queue)
{
    struct job *jobs = queue->first;
    queue->first = queue->last = NULL;
    return jobs;
}

struct job *job_queue_take_late(struct job_queue *queue, int64_t now_ms)
{
    struct job *late = NULL;
    struct job **end = &late;
    struct job **at = &queue->first;
    queue->last = NULL;
    while (*at) { /* some are patient, and wait before others that are not */
        struct job *job = *at;
        if (job->deadline_ms > now_ms) {
            queue->last = job;
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = NULL;
        *end = job;
        end = &job->next;
    }
    return late;
}

void job_queue_put_back(struct job_queue *queue, struct job *jobs)
{
    if (!jobs)
        return;
    struct job *tail = jobs;
    while (tail->next)
        tail = tail->next;
    tail->next = queue->first;
    if (!queue->first)
        queue->last = tail;
    queue->first = jobs;
}

size_t jobs_count(const struct job *jobs)
{
    size_t n = 0;
    for (; jobs; jobs = jobs->next)
        n++;
    return n;
}

void jobs_finish(struct job_queue *queue, struct job *jobs, const struct err *err)
{
    while (jobs) {
        struct job *job = jobs;
        jobs = job->next;
        queue->bytes -= job->bytes;
        queue->events -= job->count;
        tell(queue);
        job->done(job->ctx, err);
        free(job);
    }
}
