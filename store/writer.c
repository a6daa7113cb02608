/* writer.c -- the queue before the database, and one transaction at a time.
 *
 *     IDLE --jobs, all their groups known-----------------> STORING --committed--> IDLE
 *      \----jobs--> LOOKING_UP --rows--> [MAKING groups] --/     |
 *                        \___error___________\_________________\--> ROLLING_BACK --> IDLE (jobs back)
 *
 * The hard thing: what an error means for whom. A broken connection or a lost race concerns nobody
 * in particular: the jobs go back and are run again until they are too old. Anything else is one
 * job's fault: then jobs are run one by one, so that only that one is told. */
#include "store/writer.h"

#include "core/clock.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/metric_labels.h"
#include "store/row_meter.h"
#include "store/writer_batch.h"
#include "store/writer_fault.h"
#include "store/writer_queue.h"

#include <stdlib.h>
#include <string.h>

enum { DAYS_MAX = 16, CAREFUL_MS = 5000, SURPRISES_MS = 1000 };
enum writer_state {
    WRITER_IDLE,
    WRITER_LOOKING_UP,
    WRITER_MAKING,
    WRITER_STORING,
    WRITER_ROLLING_BACK
};

struct writer {
    struct ev_loop *loop;
    struct pg *pg;
    struct writer_config config;
    enum writer_state state;
    struct job_queue queue;
    struct job *running; /* of the batch at work; taken from the queue */
    struct write_batch batch;
    double began; /* the batch at work: ev_time() */
    struct writer_cache *cache;
    int64_t
        careful_until_ms;  /* something was not as remembered: batches are looked up for a while */
    int64_t tell_until_ms; /* until then every fact goes along: somebody holds a group */
    int64_t surprised_ms;  /* when something was not as remembered */
    struct row_meter *meter;   /* NULL: every event is kept */
    bool counts_only;          /* the store is full: none is */
    int repeats;               /* the same jobs, run again at once */
    int one_by_one;            /* jobs still to be run alone, to find the one that is refused */
    bool make_days;            /* a day has no leaf: make it before the next look-up */
    int64_t days_ms[DAYS_MAX]; /* of the batch that lacked one: old ones, when it was spooled */
    size_t days_count;
    bool days_failed;       /* they could not be made */
    int64_t pause_until_ms; /* the database is there and says "not now": no hammering */
    ev_timer tick;
    void (*due)(void *ctx);
    void *due_ctx;
    void (*odd)(void *ctx);
    void *odd_ctx;
    void (*connection)(void *ctx, bool up);
    void *connection_ctx;
};

static void start(struct writer *w);

static void give_back_waiting(struct writer *w, const struct err *err)
{
    /* one after the other: what `done` submits meanwhile is given back, too */
    for (struct job *jobs; (jobs = job_queue_take_all(&w->queue));)
        jobs_finish(&w->queue, jobs, err);
}

static void expire(struct writer *w)
{
    struct err err = {0};
    err_set(&err, ERR_RETRY, "the database did not take the events in time; they were not kept");
    jobs_finish(&w->queue, job_queue_take_late(&w->queue, clock_mono_ms()), &err);
}

/* The jobs of the batch at work, in order, back to the front. */
static void requeue(struct writer *w)
{
    if (!w->running)
        return;
    job_queue_put_back(&w->queue, w->running);
    w->running = NULL;
    metric_add(METRIC_WRITER_RETRIES, 1);
}

static struct job *take_running(struct writer *w)
{
    struct job *jobs = w->running;
    w->running = NULL;
    return jobs;
}

static void to_idle(struct writer *w)
{
    write_batch_fini(&w->batch);
    w->state = WRITER_IDLE;
    start(w);
}

static void on_rolled_back(void *ctx, const struct pg_reply *reply)
{
    (void)reply; /* a connection that broke has rolled back by itself */
    to_idle(ctx);
}

static void roll_back(struct writer *w)
{
    struct pg_batch *pg = pg_batch_new();
    pg_batch_continue(pg);
    pg_add(pg, "ROLLBACK");
    w->state = WRITER_ROLLING_BACK;
    pg_run(w->pg, pg, on_rolled_back, w);
}

static void note_days(struct writer *w)
{
    w->make_days = true;
    w->days_count = 0;
    for (size_t i = 0; i < w->batch.count && w->days_count < DAYS_MAX; i++) {
        int64_t day = w->batch.events[i]->received_ms / DAY_MS * DAY_MS;
        size_t k = 0;
        while (k < w->days_count && w->days_ms[k] != day)
            k++;
        w->days_ms[k] = day;
        w->days_count += k == w->days_count;
    }
}

/* Memory was wrong. Once is nothing; again and again (a row that is held, repeats that keep coming) it is
 * cheaper to ask. */
static void note_surprise(struct writer *w)
{
    int64_t now = clock_mono_ms();
    if (now - w->surprised_ms < SURPRISES_MS)
        w->careful_until_ms = now + CAREFUL_MS;
    w->surprised_ms = now;
}

/* What a fault teaches, whatever becomes of the batch. */
static void learn(struct writer *w, enum writer_fault fault, const struct err *err)
{
    writer_cache_forget_stacks(w->cache); /* some of them were only on their way */
    if (w->batch.is_direct)
        note_surprise(w);
    if (fault == FAULT_STALE)
        w->tell_until_ms = clock_mono_ms() + CAREFUL_MS;
    if (fault == FAULT_DAY)
        note_days(w);
    if (fault == FAULT_SCHEMA) {
        log_error("the database is not as Nabat's migrations make it", LOG_S("error", err->text),
                  LOG_END);
        writer_cache_forget(w->cache); /* another state of it may be restored */
        store_writer_is_odd(w);
    }
}

/* The events are refused: those of one request finally, of many to find out which. */
static void refuse(struct writer *w, struct err *err)
{
    w->repeats = 0;
    w->pause_until_ms = 0;
    if (jobs_count(w->running) > 1) {
        log_warn("batch refused: its requests are tried one by one", LOG_S("error", err->text),
                 LOG_END);
        w->one_by_one = (int)jobs_count(w->running);
        requeue(w);
        return;
    }
    log_error("events refused by the database", LOG_S("error", err->text), LOG_END);
    err->kind = ERR_BUG;
    jobs_finish(&w->queue, take_running(w), err);
}

static void on_error(struct writer *w, const struct pg_reply *reply)
{
    struct err err = *reply->err;
    enum writer_fault fault = writer_fault(reply, w->batch.is_direct);
    bool again = writer_fault_passes(fault) && ++w->repeats <= WRITER_REPEATS_MAX;
    /* a day that can be made is the event's fault if it was not made in the end: it is no day of ours */
    bool refused = fault == FAULT_EVENTS || (fault == FAULT_DAY && !w->days_failed);
    learn(w, fault, &err);
    if (!again && !reply->unknown)
        w->pause_until_ms = clock_mono_ms() + 500;
    if (!refused)
        err.kind = ERR_RETRY; /* nobody's fault, however often it is lost */
    if (again || (!refused && !w->config.gives_back)) {
        log_debug("batch goes back to the queue", LOG_S("error", err.text), LOG_END);
        requeue(w);
    } else if (!refused) {
        log_debug("batch is given back", LOG_S("error", err.text), LOG_END);
        w->repeats = 0;
        jobs_finish(&w->queue, take_running(w), &err);
    } else {
        refuse(w, &err);
    }
    if (reply->unknown || !pg_is_up(w->pg) || w->batch.is_direct)
        to_idle(w); /* a direct batch has no transaction open */
    else
        roll_back(w);
}

static void on_stored(void *ctx, const struct pg_reply *reply)
{
    struct writer *w = ctx;
    if (reply->err) {
        on_error(w, reply);
        return;
    }
    metric_add(METRIC_WRITER_BATCHES, 1);
    histogram_observe(HISTOGRAM_COMMIT_SECONDS, ev_time() - w->began);
    histogram_observe(HISTOGRAM_BATCH_EVENTS, (double)w->batch.count);
    metric_add(METRIC_WRITER_DIRECT, w->batch.is_direct);
    metric_add(METRIC_EVENTS_REPEATED, (int64_t)w->batch.repeated);
    metric_add(METRIC_EVENTS_ACCEPTED, (int64_t)w->batch.count);
    for (size_t i = 0; i < w->batch.count; i++) {
        metric_event(w->batch.events[i]->origin, (int)w->batch.events[i]->severity);
        metric_add(METRIC_EVENTS_COUNTED, w->batch.events[i]->is_counted_only);
    }
    w->repeats = 0;
    write_batch_remember(&w->batch, reply, w->cache);
    bool has_due = w->batch.has_due;
    struct job *stored = take_running(w);
    to_idle(w); /* the database gets its next batch before people get their answers */
    jobs_finish(&w->queue, stored, NULL);
    if (has_due && w->due)
        w->due(w->due_ctx);
}

static void store(struct writer *w)
{
    w->state = WRITER_STORING;
    write_batch_store(&w->batch, w->cache, w->pg, on_stored, w);
}

static void on_made(void *ctx, const struct pg_reply *reply)
{
    struct writer *w = ctx;
    if (reply->err) {
        on_error(w, reply);
        return;
    }
    write_batch_take_groups(&w->batch, reply);
    store(w);
}

static void on_looked_up(void *ctx, const struct pg_reply *reply)
{
    struct writer *w = ctx;
    if (reply->err) {
        on_error(w, reply);
        return;
    }
    write_batch_take(&w->batch, reply, w->cache, w->config.ring_min, w->meter, w->counts_only);
    struct pg_batch *groups = write_batch_make_groups(&w->batch);
    if (groups) {
        w->state = WRITER_MAKING;
        pg_run(w->pg, groups, on_made, w);
    } else {
        store(w);
    }
}

static void on_days_made(void *ctx, const struct pg_reply *reply)
{
    struct writer *w = ctx;
    w->days_failed = reply->err != NULL;
    if (reply->err)
        log_error("can't make the day's tables", LOG_S("error", reply->err->text), LOG_END);
    to_idle(w);
}

/* Those about today, and those of what lacked one. */
static void make_days(struct writer *w)
{
    struct pg_batch *pg = pg_batch_new();
    pg_add(pg, "SELECT nabat_make_day(day::date) FROM (SELECT (now() AT TIME ZONE 'UTC')::date + n "
               "AS day FROM generate_series(-1, 3) AS n UNION SELECT (t AT TIME ZONE 'UTC')::date "
               "FROM unnest($1::timestamptz[]) AS t) d");
    struct pg_array days;
    pg_array_init(&days, PG_TIME_ARRAY, MIB);
    for (size_t i = 0; i < w->days_count; i++)
        pg_array_time(&days, w->days_ms[i]);
    pg_array_param(pg, &days);
    w->make_days = false;
    w->state = WRITER_ROLLING_BACK;
    pg_run(w->pg, pg, on_days_made, w);
}

/* Whole jobs until the batch is large enough; always at least one. */
static void take_jobs(struct writer *w)
{
    size_t events = 0;
    size_t events_max = w->one_by_one > 0 ? 0 : WRITER_BATCH_EVENTS_MAX;
    w->running = job_queue_take(&w->queue, events_max, WRITER_BATCH_BYTES_MAX, &events);
    if (w->one_by_one > 0)
        w->one_by_one--;
    w->began = ev_time();
    write_batch_init(&w->batch, events);
    w->batch.forward = w->config.forward;
    for (struct job *job = w->running; job; job = job->next)
        for (size_t i = 0; i < job->count; i++)
            write_batch_add(&w->batch, &job->events[i]);
}

static void start(struct writer *w)
{
    if (w->state != WRITER_IDLE || !pg_is_up(w->pg))
        return;
    expire(w);
    if (clock_mono_ms() < w->pause_until_ms)
        return;
    if (w->make_days) {
        make_days(w);
        return;
    }
    if (!w->queue.first)
        return;
    take_jobs(w);
    w->batch.tells_all = clock_mono_ms() < w->tell_until_ms;
    /* what is metered must be known to be no repeat first */
    bool careful =
        w->repeats > 0 || w->meter || w->counts_only || clock_mono_ms() < w->careful_until_ms;
    if (!careful &&
        write_batch_is_direct(&w->batch, w->cache, clock_wall_ms(), w->config.ring_min)) {
        store(w);
        return;
    }
    w->state = WRITER_LOOKING_UP;
    pg_run(w->pg, write_batch_look_up(&w->batch, clock_wall_ms()), on_looked_up, w);
}

/* The batch at work has somebody in it who waits for too long: its connection is given up, and what
 * became of it is not known. */
static bool is_stuck(const struct writer *w)
{
    int64_t now = clock_mono_ms();
    for (const struct job *job = w->config.gives_back ? w->running : NULL; job; job = job->next)
        if (job->deadline_ms <= now)
            return true;
    return false;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct writer *w = timer->data;
    expire(w);
    if (is_stuck(w))
        pg_give_up(w->pg, "a batch took too long");
    else
        start(w);
}

static void on_connection(void *ctx, bool up)
{
    struct writer *w = ctx;
    struct err err = {0};
    if (up) {
        writer_cache_forget(w->cache); /* another server, maybe, or an older state of it */
        start(w);
    } else if (w->config.gives_back) {
        err_set(&err, ERR_RETRY, "the database is away");
        give_back_waiting(w, &err);
    }
    if (w->connection)
        w->connection(w->connection_ctx, up);
}

struct writer *store_writer_new(struct ev_loop *loop, struct pg *pg,
                                const struct writer_config *config)
{
    struct writer *w = mem_alloc(sizeof *w);
    w->loop = loop;
    w->pg = pg;
    w->config = *config;
    w->cache = writer_cache_new();
    if (config->rows_a_minute > 0)
        w->meter = row_meter_new(config->rows_a_minute);
    ev_timer_init(&w->tick, on_tick, 0.5, 0.5);
    w->tick.data = w;
    ev_timer_start(loop, &w->tick);
    pg_watch(pg, on_connection, w);
    return w;
}

void store_writer_free(struct writer *w)
{
    if (!w)
        return;
    struct err err = {0};
    err_set(&err, ERR_RETRY, "the service is stopping");
    ev_timer_stop(w->loop, &w->tick);
    requeue(w);
    give_back_waiting(w, &err);
    write_batch_fini(&w->batch);
    row_meter_free(w->meter);
    writer_cache_free(w->cache);
    free(w);
}

bool store_writer_submit(struct writer *w, struct event *events, size_t count, int seconds_max,
                         writer_done_fn *done, void *ctx, struct err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += events[i].bytes;
    if (!pg_is_up(w->pg))
        return err_set(err, ERR_RETRY, "the database is away; the events were not kept");
    if (w->queue.bytes && w->queue.bytes + bytes > WRITER_QUEUE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the queue before the database is full");
    struct job *job = mem_alloc(sizeof *job);
    *job = (struct job){.events = events, .count = count, .bytes = bytes, .done = done, .ctx = ctx};
    job->deadline_ms = clock_mono_ms() + (int64_t)seconds_max * 1000;
    job_queue_add(&w->queue, job);
    start(w);
    return true;
}

void store_writer_count_only(struct writer *w, bool count_only)
{
    w->counts_only = count_only;
}

void store_writer_on_connection(struct writer *w, void (*changed)(void *ctx, bool up), void *ctx)
{
    w->connection = changed;
    w->connection_ctx = ctx;
}

bool store_writer_is_up(const struct writer *w)
{
    return pg_is_up(w->pg);
}

void store_writer_is_odd(struct writer *w)
{
    if (w->odd)
        w->odd(w->odd_ctx);
}

void store_writer_on_schema(struct writer *w, void (*odd)(void *ctx), void *ctx)
{
    w->odd = odd;
    w->odd_ctx = ctx;
}

void store_writer_on_due(struct writer *w, void (*due)(void *ctx), void *ctx)
{
    w->due = due;
    w->due_ctx = ctx;
}
