/* service_gauges.c -- what is looked at every 15 s: is the store full; for /metrics, the outbox and the database's size. And the
 * loop's turns. */
#include "bot/service_internal.h"

#include "core/histogram.h"
#include "core/log.h"
#include "core/metric.h"
#include "core/metric_labels.h"
#include "store/report.h"

static const double ASK_SECONDS = 15.0;
enum { SIZE_EVERY = 4 }; /* each file of the database is looked at */

static const char OUTBOX_SQL[] =
    "SELECT count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'sending'), "
    "count(*) FILTER (WHERE state = 'uncertain') FROM alert_outbox "
    "WHERE state IN ('pending', 'sending', 'uncertain')";
static const char FULL_SQL[] =
    "SELECT EXISTS (SELECT 1 FROM service_setting WHERE name = 'store_full')";
/* The holder of the lease finds out, the others read what it found. */
static const char IS_FULL_SQL[] = "SELECT nabat_store_is_full(nullif($1::bigint, 0))";
static const char SIZE_SQL[] = "SELECT pg_database_size(current_database())";

/* What has waited since the loop woke up waited for what it did since then. */
static void on_turn(struct ev_loop *loop, ev_prepare *w, int events)
{
    (void)w;
    (void)events;
    double turn = ev_time() - ev_now(loop);
    histogram_observe(HISTOGRAM_LOOP_SECONDS, turn > 0 ? turn : 0);
}

static void on_asked(void *ctx, const struct pg_reply *reply)
{
    struct service *s = ctx;
    s->gauges.busy = false;
    if (reply->err)
        return;
    bool full = pg_get_bool(reply->results[0], 0, 0);
    if (full != s->gauges.is_full)
        log_warn(full ? "the store is full: events are only counted"
                      : "the store has room again: events are kept",
                 LOG_END);
    s->gauges.is_full = full;
    store_writer_count_only(s->ingest.writer, full);
    if (reply->count > 1)
        for (int i = 0; i < OUTBOX_GAUGES; i++)
            metric_outbox((enum outbox_gauge)i, pg_get_i64(reply->results[1], 0, i));
    if (reply->count > 2)
        metric_set(METRIC_DATABASE_BYTES, pg_get_i64(reply->results[2], 0, 0));
}

/* What did not become an event since the last look, for the report; of this process. */
static void write_losses(struct service *s)
{
    static const struct {
        const char *kind;
        enum metric metric;
    } KINDS[LOSSES] = {{"sdk", METRIC_SDK_ERRORS_DROPPED},
                       {"refused", METRIC_EVENTS_REFUSED},
                       {"rate_limited", METRIC_RATE_LIMITED},
                       {"forward", METRIC_FORWARD_DROPPED}};
    struct report_loss losses[LOSSES];
    size_t count = 0;
    for (size_t i = 0; i < LOSSES; i++) {
        int64_t now = metric_get(KINDS[i].metric);
        if (now > s->gauges.lost[i])
            losses[count++] = (struct report_loss){KINDS[i].kind, now - s->gauges.lost[i]};
        s->gauges.lost[i] = now;
    }
    if (count)
        store_loss_add(s->pg_work, losses, count);
}

static void on_ask(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct service *s = timer->data;
    bool holds = s->lease && store_lease_is_held(s->lease);
    bool looks = holds && s->gauges.asked++ % SIZE_EVERY == 0;
    for (int i = 0; !holds && i < OUTBOX_GAUGES; i++)
        metric_outbox((enum outbox_gauge)i, 0); /* the holder's to show, and nobody else's */
    if (s->gauges.busy || !s->lease || !pg_is_up(s->pg_work))
        return;
    write_losses(s);
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, looks ? IS_FULL_SQL : FULL_SQL);
    if (looks)
        pg_i64(batch, s->settings->store_bytes_max);
    if (holds)
        pg_add(batch, OUTBOX_SQL);
    if (looks)
        pg_add(batch, SIZE_SQL);
    s->gauges.busy = true;
    pg_run(s->pg_work, batch, on_asked, s);
}

void service_gauges_start(struct service *s)
{
    ev_prepare_init(&s->gauges.turn, on_turn);
    ev_prepare_start(s->loop, &s->gauges.turn);
    ev_unref(s->loop); /* it keeps no loop alive */
    ev_timer_init(&s->gauges.ask, on_ask, 1.0, ASK_SECONDS);
    s->gauges.ask.data = s;
    ev_timer_start(s->loop, &s->gauges.ask);
}

void service_gauges_stop(struct service *s)
{
    if (ev_is_active(&s->gauges.turn)) {
        ev_ref(s->loop);
        ev_prepare_stop(s->loop, &s->gauges.turn);
    }
    ev_timer_stop(s->loop, &s->gauges.ask);
}
