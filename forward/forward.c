/* forward.c -- waves of a few rows.
 *
 *     tick --rows--> all of them sent side by side --each judged--> remove the done ones --> (more? next wave, else tick)
 *                                                        \__none taken__> wait: what they asked for, else ever longer
 *
 * The hard thing: a DSN of our own. Events would go round for ever: they carry a tag that stops that, but a service that talks to
 * itself is refused as soon as its keys are known. */
#include "forward/forward.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "store/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEND_SECONDS_MAX = 30, WAIT_SECONDS_MAX = 60, ENVELOPE_BYTES_MAX = 4 * MIB };
static const double TICK_SECONDS = 1.0;

struct sending {
    struct forward *forward;
    int64_t id;
    bool done;
    bool is_limited; /* 429: no fault of the event */
};

struct forward {
    struct ev_loop *loop;
    struct http_client *http;
    struct pg *pg;
    struct lease *lease;
    const struct projects *projects;
    struct forward_target target;
    ev_timer tick;
    bool busy;
    bool is_our_own;
    struct sending wave[FORWARD_ROWS_MAX];
    size_t count;
    size_t open; /* not answered yet */
    bool put_off;
    bool answered; /* in this wave, by anything but a limit */
    int wait_s;    /* what was asked for, in this wave */
    int failures;
    int64_t wait_until_ms; /* monotonic */
    char trouble[ERR_TEXT_BYTES_MAX];
};

static void begin(struct forward *f);

static void on_ended(void *ctx, int64_t given_up, const struct err *err)
{
    struct forward *f = ctx;
    f->busy = false;
    metric_add(METRIC_FORWARD_REFUSED, given_up);
    if (given_up)
        log_warn("SENTRY_DSN fails on an event again and again: it is not sent any more",
                 LOG_I("count", given_up), LOG_END);
    if (!err && f->count == FORWARD_ROWS_MAX && !f->put_off)
        begin(f);
}

static void on_turned(void *ctx, const struct err *err)
{
    struct forward *f = ctx;
    (void)err; /* the same wave comes again */
    f->busy = false;
}

/* Nothing was taken: the other side is away, or has enough. */
static void back_off(struct forward *f)
{
    f->failures++;
    int backoff = f->failures > 6 ? WAIT_SECONDS_MAX : 1 << f->failures;
    int wait = f->wait_s ? f->wait_s : backoff;
    f->wait_until_ms = clock_mono_ms() + (int64_t)wait * 1000;
    if (f->failures == 1)
        log_warn("events are not forwarded to SENTRY_DSN for now: they wait",
                 LOG_S("error", f->trouble), LOG_I("seconds", wait), LOG_END);
}

static void end_wave(struct forward *f)
{
    int64_t done[FORWARD_ROWS_MAX];
    int64_t odd[FORWARD_ROWS_MAX];
    size_t done_count = 0;
    size_t odd_count = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->wave[i].done)
            done[done_count++] = f->wave[i].id;
        else if (!f->wave[i].is_limited)
            odd[odd_count++] = f->wave[i].id;
    }
    f->put_off = done_count == 0 || done_count + odd_count < f->count;
    if (done_count == 0) {
        back_off(f);
        if (f->answered && odd_count)
            store_forward_turn(f->pg, odd, odd_count, on_turned, f);
        else
            f->busy = false;
        return;
    }
    f->failures = 0;
    f->wait_until_ms = f->wait_s ? clock_mono_ms() + (int64_t)f->wait_s * 1000 : 0;
    if (!f->put_off)
        f->trouble[0] = '\0';
    store_forward_end(f->pg, done, done_count, odd, odd_count, on_ended, f);
}

static void on_answer(void *ctx, const struct http_answer *answer)
{
    struct sending *s = ctx;
    struct forward *f = s->forward;
    struct forward_judgement j = forward_judge(answer->status, answer->retry_after_s,
                                               answer->rate_limits ? answer->rate_limits : "");
    s->done = j.verdict != FORWARD_LATER;
    metric_add(METRIC_FORWARDED, j.verdict == FORWARD_TAKEN);
    metric_add(METRIC_FORWARD_REFUSED, j.verdict == FORWARD_REFUSED);
    if (j.verdict == FORWARD_REFUSED)
        log_warn("SENTRY_DSN refuses an event: it is not sent again",
                 LOG_I("status", answer->status), LOG_END);
    if (j.verdict == FORWARD_LATER) {
        s->is_limited = answer->status == 429;
        f->answered = f->answered || (answer->status && !s->is_limited);
        if (answer->status)
            snprintf(f->trouble, sizeof f->trouble, "SENTRY_DSN answers %d", answer->status);
        else
            snprintf(f->trouble, sizeof f->trouble, "SENTRY_DSN: %.300s", answer->error);
    }
    if (j.wait_s > f->wait_s)
        f->wait_s = j.wait_s;
    if (--f->open == 0)
        end_wave(f);
}

static void send_row(struct forward *f, struct sending *s, const struct forward_row *row)
{
    static const char TYPE[] = "Content-Type: application/x-sentry-envelope";
    const char *const headers[] = {f->target.auth, TYPE};
    char at[CLOCK_TEXT_BYTES];
    struct buf body;
    *s = (struct sending){.forward = f, .id = row->id};
    clock_format_utc(clock_wall_ms(), at);
    buf_init(&body, ENVELOPE_BYTES_MAX);
    buf_addf(&body,
             "{\"event_id\":\"%s\",\"sent_at\":\"%s\"}\n"
             "{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":%zu}\n%s\n",
             row->event_id, at, strlen(row->body), row->body);
    http_client_post(f->http, f->target.url, headers, 2, buf_text(&body), SEND_SECONDS_MAX,
                     on_answer, s);
    buf_fini(&body);
}

static void on_rows(void *ctx, const struct forward_row *rows, size_t count, int64_t dropped,
                    const struct err *err)
{
    struct forward *f = ctx;
    if (dropped) {
        metric_add(METRIC_FORWARD_DROPPED, dropped);
        log_error("too many events wait for SENTRY_DSN: the oldest are not forwarded",
                  LOG_I("count", dropped), LOG_END);
    }
    if (err || count == 0) {
        f->busy = false;
        return;
    }
    f->count = f->open = count;
    f->put_off = f->answered = false;
    f->wait_s = 0;
    for (size_t i = 0; i < count; i++)
        send_row(f, &f->wave[i], &rows[i]);
}

static void begin(struct forward *f)
{
    if (f->busy || f->is_our_own || !store_lease_is_held(f->lease) || !pg_is_up(f->pg) ||
        clock_mono_ms() < f->wait_until_ms || !store_projects_are_loaded(f->projects))
        return;
    if (store_project_by_key(f->projects, f->target.key)) {
        f->is_our_own = true;
        snprintf(f->trouble, sizeof f->trouble,
                 "SENTRY_DSN holds one of our own keys: nothing is forwarded");
        log_error(f->trouble, LOG_END);
        return;
    }
    f->busy = true;
    store_forward_read(f->pg, on_rows, f);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    begin(timer->data);
}

struct forward *forward_new(struct ev_loop *loop, struct http_client *http, struct pg *pg,
                            struct lease *lease, const struct projects *projects,
                            const struct forward_target *target)
{
    struct forward *f = mem_alloc(sizeof *f);
    *f = (struct forward){.loop = loop,
                          .http = http,
                          .pg = pg,
                          .lease = lease,
                          .projects = projects,
                          .target = *target};
    ev_timer_init(&f->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    f->tick.data = f;
    ev_timer_start(loop, &f->tick);
    return f;
}

void forward_free(struct forward *f)
{
    if (!f)
        return;
    ev_timer_stop(f->loop, &f->tick);
    free(f);
}

const char *forward_trouble(const struct forward *f)
{
    return f->trouble;
}
