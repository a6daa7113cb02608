/* selftest.c -- nabat --selftest: one controlled critical error, all the way into the chat.
 *
 *     wait for the database --> record --> wait until somebody delivered it --> resolve --> print
 *
 * An instance of its own takes part: where a service runs, that one delivers; where none does, this
 * one wins the lease and delivers itself. */
#include "bot/tools.h"

#include "bot/service.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/random.h"
#include "store/group.h"
#include "store/project.h"
#include "store/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SELFTEST_SECONDS_MAX = 30 };

struct selftest {
    struct ev_loop *loop;
    const struct settings *settings;
    struct service *service;
    ev_timer tick;
    ev_timer limit;
    struct event event;
    char message[80];
    bool recorded;
    bool asking;
    bool committed;
    int64_t group_id;
    int64_t message_id;
    char why[ERR_TEXT_BYTES_MAX];
    int code;
};

static void on_stopped(void *ctx)
{
    struct selftest *t = ctx;
    ev_break(t->loop, EVBREAK_ALL);
}

static void end(struct selftest *t, int code)
{
    t->code = code;
    ev_timer_stop(t->loop, &t->tick);
    ev_timer_stop(t->loop, &t->limit);
    service_stop(t->service, on_stopped, t);
}

static void on_recorded(void *ctx, const struct err *err)
{
    struct selftest *t = ctx;
    t->committed = err == NULL;
    if (err) {
        snprintf(t->why, sizeof t->why, "not recorded: %s", err->text);
        end(t, 1);
    }
}

static void record(struct selftest *t)
{
    struct err err = {0};
    struct event *e = &t->event;
    snprintf(t->message, sizeof t->message, "Self-test: if you can read this, the alarm works");
    *e = (struct event){.project_id = 1,
                        .severity = SEV_CRITICAL,
                        .origin = "nabat_selftest",
                        .title = t->message,
                        .message = t->message,
                        .handler = "nabat --selftest",
                        .occurred_ms = clock_wall_ms(),
                        .received_ms = clock_wall_ms(),
                        .bytes = sizeof *e};
    random_hex32(e->event_id);
    random_hex32(e->fingerprint); /* new for each run: no cooldown in the way */
    t->recorded = store_writer_submit(service_writer(t->service), e, 1, WRITER_JOB_SECONDS_MAX,
                                      on_recorded, t, &err);
    snprintf(t->why, sizeof t->why, "%s", err.text);
}

static void on_resolved(void *ctx, const struct group *group, const struct err *err)
{
    struct selftest *t = ctx;
    (void)group;
    if (err)
        fprintf(stderr, "nabat: selftest: not resolved: %s\n", err->text);
    printf("event %s\nmessage %lld\n", t->event.event_id, (long long)t->message_id);
    end(t, 0);
}

static void on_outbox(void *ctx, const struct pg_reply *reply)
{
    struct selftest *t = ctx;
    t->asking = false;
    if (reply->err || PQntuples(reply->results[0]) == 0)
        return;
    const PGresult *row = reply->results[0];
    snprintf(t->why, sizeof t->why, "the alert is %s: %s", pg_get_text(row, 0, 0),
             pg_get_text(row, 0, 3) ? pg_get_text(row, 0, 3) : "not sent yet");
    if (strcmp(pg_get_text(row, 0, 0), "sent") != 0)
        return;
    t->message_id = pg_get_i64(row, 0, 1);
    t->group_id = pg_get_i64(row, 0, 2);
    t->asking = true; /* nothing more to ask */
    struct actor actor = {"nabat --selftest", 0, "service"};
    struct group_change resolve = {.kind = CHANGE_RESOLVE};
    store_group_change(service_pg(t->service), t->group_id, &resolve, &actor, on_resolved, t);
}

static void look(struct selftest *t)
{
    t->asking = true;
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT o.state, o.message_id, g.id, o.last_error FROM alert_outbox o "
                  "JOIN error_group g ON g.id = o.group_id WHERE g.fingerprint = $1 "
                  "ORDER BY o.id DESC LIMIT 1");
    pg_text(batch, t->event.fingerprint);
    pg_run(service_pg(t->service), batch, on_outbox, t);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct selftest *t = timer->data;
    struct projects *projects = service_projects(t->service);
    if (!t->recorded && service_writer(t->service) && projects &&
        store_projects_are_loaded(projects))
        record(t);
    else if (t->committed && !t->asking)
        look(t);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct selftest *t = timer->data;
    if (!t->why[0])
        snprintf(t->why, sizeof t->why, "%s",
                 t->committed ? "recorded, but nobody decided to ring" : "the database is away");
    end(t, 1);
}

static void on_failed(void *ctx, const struct err *err)
{
    struct selftest *t = ctx;
    snprintf(t->why, sizeof t->why, "%s", err->text);
    end(t, 1);
}

int tool_selftest(const struct settings *settings)
{
    struct selftest t = {.loop = ev_loop_new(EVFLAG_AUTO), .settings = settings, .code = 1};
    struct service_options options = {.listen = false};
    struct err err = {0};
    if (settings->telegram_bot_token && !settings->alert_chat_id) {
        fputs("nabat: selftest: ERROR_ALERT_CHAT_ID is not set: nothing can ring\n", stderr);
        ev_loop_destroy(t.loop);
        return 1;
    }
    t.service = service_new(t.loop, settings, &options, on_failed, &t, &err);
    ev_timer_init(&t.tick, on_tick, 0.1, 0.2);
    ev_timer_init(&t.limit, on_limit, SELFTEST_SECONDS_MAX, 0);
    t.tick.data = t.limit.data = &t;
    ev_timer_start(t.loop, &t.tick);
    ev_timer_start(t.loop, &t.limit);
    ev_run(t.loop, 0);
    if (t.code)
        fprintf(stderr, "nabat: selftest: not delivered within %d s: %s\n", SELFTEST_SECONDS_MAX,
                t.why);
    service_free(t.service);
    ev_loop_destroy(t.loop);
    return t.code;
}
