/* write_cost.c -- the batch writer without HTTP and reading: how fast events that are there already get into the store.
 *
 *     write_cost DATABASE_URL REQUESTS SECONDS
 *
 * REQUESTS is a file of bench/events.py. Its events are read once; then jobs of a thousand, each event with a new id, are
 * submitted, two at a time: one is stored while the next waits. */
#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"
#include "ingest/native.h"
#include "store/writer.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 20000, JOB_EVENTS = 1000, JOBS_WAITING = 2, JOB_SECONDS_MAX = 60 };

struct bench {
    struct ev_loop *loop;
    struct writer *writer;
    struct event *events;
    size_t count;
    size_t next;
    size_t stored;
    int waiting;
    double began;
    double ends;
};

struct job {
    struct bench *bench;
    struct event events[JOB_EVENTS];
};

static void submit(struct bench *b);

static void on_stored(void *ctx, const struct err *err)
{
    struct job *job = ctx;
    struct bench *b = job->bench;
    if (err) {
        fprintf(stderr, "write_cost: %s\n", err->text);
        exit(1);
    }
    b->stored += JOB_EVENTS;
    b->waiting--;
    free(job);
    if (ev_time() < b->ends)
        submit(b);
    else if (!b->waiting)
        ev_break(b->loop, EVBREAK_ALL);
}

static void submit(struct bench *b)
{
    struct err err = {0};
    struct job *job = mem_alloc(sizeof *job);
    job->bench = b;
    for (size_t i = 0; i < JOB_EVENTS; i++) {
        struct event *e = &job->events[i];
        *e = b->events[b->next++ % b->count];
        e->received_ms = e->occurred_ms = clock_wall_ms();
        random_event_id(e->received_ms, e->event_id);
    }
    b->waiting++;
    if (!store_writer_submit(b->writer, job->events, JOB_EVENTS, JOB_SECONDS_MAX, on_stored, job, &err)) {
        fprintf(stderr, "write_cost: %s\n", err.text);
        exit(1);
    }
}

static void on_connection(void *ctx, bool up)
{
    struct bench *b = ctx;
    if (!up || b->began > 0)
        return;
    b->ends += b->began = ev_time();
    for (int i = 0; i < JOBS_WAITING; i++)
        submit(b);
}

/* The events of all requests; they live as long as the program. */
static void read_events(struct bench *b, const char *path)
{
    struct err err = {0};
    struct scrub *scrub = scrub_new(NULL, NULL, &err);
    struct arena *arena = arena_new((size_t)1 << 30);
    FILE *in = fopen(path, "rb");
    uint32_t len = 0;
    b->events = mem_alloc(EVENTS_MAX * sizeof *b->events);
    while (in && scrub && b->count < EVENTS_MAX && fread(&len, sizeof len, 1, in) == 1) {
        struct native_config config = {scrub, 1, clock_wall_ms()};
        struct native_batch batch;
        char *request = mem_alloc((size_t)len + 1);
        if (fread(request, 1, len, in) != len)
            break;
        const char *body = strstr(request, "\r\n\r\n");
        if (!body || !native_read(body + 4, len - (size_t)(body + 4 - request), &config, arena, &batch, &err)) {
            fprintf(stderr, "write_cost: %s: %s\n", path, body ? err.text : "not a request");
            exit(1);
        }
        b->events[b->count++] = batch.events[0];
        free(request);
    }
    if (!b->count) {
        fprintf(stderr, "write_cost: %s: no events\n", path);
        exit(1);
    }
    fclose(in);
}

int main(int argc, char **argv)
{
    struct bench b = {.loop = ev_default_loop(EVFLAG_AUTO)};
    if (argc != 4) {
        fprintf(stderr, "usage: write_cost DATABASE_URL REQUESTS SECONDS\n");
        return 2;
    }
    read_events(&b, argv[2]);
    b.ends = strtod(argv[3], NULL);
    struct pg_config config = {argv[1], "public", "bench"};
    struct writer_config write = {SEV_CRITICAL, 0, false};
    b.writer = store_writer_new(b.loop, pg_new(b.loop, NULL, &config), &write);
    store_writer_on_connection(b.writer, on_connection, &b);
    ev_run(b.loop, 0);
    double seconds = ev_time() - b.began;
    printf("{\"events\": %zu, \"seconds\": %.3f}\n", b.stored, seconds);
    return 0;
}
