/* service_self.c -- how the service is, as it sees itself every few seconds. */
#include "bot/service_internal.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/metric.h"

#include <stdio.h>
#include <stdlib.h>

static const double LOOK_SECONDS = 2.0;

static void set(struct self_view *view, enum worry which, bool bad, const char *detail)
{
    view->bad[which] = bad;
    if (bad)
        snprintf(view->detail[which], sizeof view->detail[which], "%s", detail);
}

static void view_telegram(const struct service *s, struct self_view *view)
{
    enum listen_state state = s->listen ? listen_state(s->listen) : LISTEN_RUNNING;
    bool revoked = s->telegram && telegram_is_refused(s->telegram);
    const char *trouble = s->listen ? listen_trouble(s->listen) : "";
    set(view, WORRY_TOKEN, revoked, "401 Unauthorized");
    set(view, WORRY_POLLER, state == LISTEN_SEND_ONLY, trouble);
    set(view, WORRY_UPDATES, state == LISTEN_FAILING && !revoked, trouble);
}

/* The database's own disk where it can be seen, else the one we run on. */
static void view_disk(const struct service *s, struct self_view *view)
{
    char *detail = view->detail[WORRY_DISK];
    size_t size = sizeof view->detail[WORRY_DISK];
    view->bad[WORRY_DISK] =
        (s->data_directory && self_disk_is_full(s->data_directory, detail, size)) ||
        self_disk_is_full(s->spool ? s->settings->spool_dir : ".", detail, size);
}

/* Half of it is used while it grows, or it takes nothing at all. */
static void view_spool(const struct service *s, struct self_view *view)
{
    const struct spool_state *state = s->spool ? spool_state(s->spool) : NULL;
    char detail[ERR_TEXT_BYTES_MAX];
    if (!state)
        return;
    snprintf(detail, sizeof detail, "%s", state->trouble);
    if (!detail[0])
        snprintf(detail, sizeof detail, "%lld of %lld MiB", (long long)(state->bytes / MIB),
                 (long long)(state->bytes_max / MIB));
    set(view, WORRY_SPOOL, state->trouble[0] || state->bytes > state->bytes_max / 2, detail);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct service *s = timer->data;
    log_flush();
    struct self_view view = {.bad = {false}};
    bool up = s->pg_work && pg_is_up(s->pg_work) && pg_is_up(s->pg_write);
    if (up && s->lease && !store_lease_is_held(s->lease))
        s->was_holder = false; /* another instance speaks */
    int64_t queued = metric_get(METRIC_WRITER_QUEUE_BYTES);
    set(&view, WORRY_DATABASE, !up,
        !s->pg_work ? s->trouble : pg_trouble(pg_is_up(s->pg_work) ? s->pg_write : s->pg_work));
    set(&view, WORRY_QUEUE, queued >= WRITER_QUEUE_BYTES_MAX / 2, "");
    snprintf(view.detail[WORRY_QUEUE], sizeof view.detail[WORRY_QUEUE], "%lld MiB",
             (long long)(queued / MIB));
    view_telegram(s, &view);
    view_disk(s, &view);
    view_spool(s, &view);
    set(&view, WORRY_STORE, s->gauges.is_full, "");
    snprintf(view.detail[WORRY_STORE], sizeof view.detail[WORRY_STORE], "%lld MiB",
             (long long)(s->settings->store_bytes_max / MIB));
    view.bad[WORRY_CLOCK] =
        self_clock_jumped(&s->self, view.detail[WORRY_CLOCK], sizeof view.detail[WORRY_CLOCK]);
    self_alarm_look(&s->self, &view, s->was_holder || !s->lease);
}

/* Only some roles may see where it is, and only on the same machine does it say anything. */
static void on_data_directory(void *ctx, const struct pg_reply *reply)
{
    struct service *s = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    if (rows && PQntuples(rows) == 1 && !s->data_directory)
        s->data_directory = mem_str_dup(pg_get_text(rows, 0, 0));
}

void service_self_start(struct service *s)
{
    s->self = (struct self_alarm){.bot = &s->bot,
                                  .has_spool = s->settings->spool_bytes_max > 0,
                                  .thread_id = s->settings->alert_thread_id};
    ev_timer_init(&s->self_timer, on_look, LOOK_SECONDS, LOOK_SECONDS);
    s->self_timer.data = s;
    ev_timer_start(s->loop, &s->self_timer);
}

void service_self_know(struct service *s)
{
    struct pg_batch *batch = pg_batch_new();
    s->self.channels = s->channels;
    pg_add(batch, "SELECT setting FROM pg_settings WHERE name = 'data_directory'");
    pg_run(s->pg_work, batch, on_data_directory, s);
}

void service_self_stop(struct service *s)
{
    ev_timer_stop(s->loop, &s->self_timer);
    free(s->data_directory);
    s->data_directory = NULL;
}
