/* monitors.c -- check-ins taken one after another, and a watch over those that do not come.
 *
 *     take --> its turn? --> find --none, configured--> make --> find
 *                \--row--> decide --> write --0 moved: somebody was faster--> find (bounded)
 *                                        \--moved--> the next of the list --> done
 *
 *     tick --> due? --row--> decide --> write --> due? …
 *
 * The hard thing: silence. When nobody watched for a while (the service or the database was away),
 * check-ins could not come in either: what fell due in that gap is forgiven, and said in the log. */
#include "monitors/monitors.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/zone.h"
#include "monitors/machine.h"
#include "monitors/schedule.h"
#include "monitors/words.h"
#include "store/monitor.h"

#include <stdlib.h>
#include <string.h>

static const double TICK_SECONDS = 2.0;
enum { TRIES_MAX = 5, GAP_MS_MAX = 120 * 1000, ROUND_MAX = 200, EVENT_BYTES_MAX = 32 * KIB };

struct monitors {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    ev_timer tick;
    bool watching; /* a round is under way */
    int round;
    int64_t forgiven_until_ms; /* what fell due before is not held against anybody */
    struct taking *takings;    /* the oldest first: of one monitor, the oldest alone is at work */
};

/* One decision being written: strings of the row are gone by then, so what is needed later is here. */
struct taking {
    struct monitors *m;
    int32_t project_id;
    const struct checkin *at; /* the rest of the list, this one first */
    monitors_done_fn *done;
    void *ctx;
    int tries;
    bool made;
    struct taking *next;
};

/* ---------------------------------------------------------------------------------------- deciding */

static struct monitor_state state_of(const struct monitor_row *row, const struct monitor_config *c)
{
    return (struct monitor_state){
        .margin_ms = c->margin_min * 60000,
        .max_runtime_ms = c->max_runtime_min * 60000,
        .failure_threshold = c->failure_threshold,
        .recovery_threshold = c->recovery_threshold,
        .last_status = run_status_parse(row->last_status),
        .last_ok_ms = row->last_ok_ms,
        .bad_streak = row->bad_streak,
        .good_streak = row->good_streak,
        .incident_since_ms = row->incident_since_ms,
    };
}

static struct run run_of(const struct monitor_row *row)
{
    return (struct run){.status = run_status_parse(row->run_status),
                        .started_ms = row->run_started_ms,
                        .duration_ms = row->run_duration_ms,
                        .timeout_ms = row->run_timeout_ms};
}

static int64_t next_expected(const struct monitor_config *c, int64_t now_ms)
{
    struct schedule schedule;
    struct err err = {0};
    if (!schedule_parse(c->schedule, c->is_interval, &schedule, &err))
        return 0;
    return schedule_next(&schedule, c->timezone, now_ms);
}

static bool is_usable(const struct monitor_config *c, struct err *err)
{
    struct schedule schedule;
    if (c->timezone && !zone_is_known(c->timezone))
        return err_set(err, ERR_INPUT, "timezone \"%.40s\" is not in the tz database", c->timezone);
    return schedule_parse(c->schedule, c->is_interval, &schedule, err);
}

struct decision {
    const struct monitor_row *row;
    struct monitor_config config;
    struct monitor_state state;
    struct run run;
    struct monitor_change change;
    const char *run_id;
    const char *release;
    bool checked_in;
    int64_t next_ms;
};

static void write_decision(struct monitors *m, const struct decision *d, monitor_done_fn *done,
                           void *ctx)
{
    char event_id[RANDOM_HEX_BYTES] = "";
    char fingerprint[FINGERPRINT_BYTES];
    struct buf event;
    struct buf recovered;
    int64_t now = clock_wall_ms();
    buf_init(&event, EVENT_BYTES_MAX);
    buf_init(&recovered, KIB);
    monitor_fingerprint(d->row, fingerprint);
    if (d->change.say == SAY_FAILED)
        monitor_word_failed(d->row, &d->config, &d->state, &d->run, d->run.status, d->release,
                            d->change.failures, now, event_id, &event);
    if (d->change.say == SAY_RECOVERED)
        monitor_word_recovered(&d->change, &recovered);
    struct monitor_write w = {
        .row = d->row,
        .config = d->config,
        .last_status = d->state.last_status ? run_status_name(d->state.last_status) : NULL,
        .last_ok_ms = d->state.last_ok_ms,
        .next_ms = d->next_ms,
        .bad_streak = d->state.bad_streak,
        .good_streak = d->state.good_streak,
        .incident_since_ms = d->state.incident_since_ms,
        .checked_in = d->checked_in,
        .run_id = d->change.store_run ? d->run_id : NULL,
        .run_status = run_status_name(d->run.status),
        .run_started_ms = d->run.started_ms,
        .run_finished_ms = d->run.finished_ms,
        .run_duration_ms = d->run.duration_ms,
        .run_timeout_ms = d->run.timeout_ms,
        .release = d->release,
        .event = event.len ? event.data : NULL,
        .event_id = event_id,
        .fingerprint = fingerprint,
        .recovered = recovered.len ? recovered.data : NULL,
    };
    store_monitor_write(m->pg, &w, done, ctx);
    buf_fini(&event);
    buf_fini(&recovered);
}

/* --------------------------------------------------------------------------------------- check-ins */

static void find(struct taking *t);

static const char *environment_of(const struct checkin *c)
{
    return c->environment ? c->environment : "production";
}

static bool same_monitor(const struct taking *a, const struct taking *b)
{
    return a->project_id == b->project_id && strcmp(a->at->slug, b->at->slug) == 0 &&
           strcmp(environment_of(a->at), environment_of(b->at)) == 0;
}

/* Check-ins of one monitor that come at once go one after another: decided side by side, all but
 * one would be decided again, and again. */
static bool is_its_turn(const struct taking *t)
{
    for (const struct taking *other = t->m->takings; other != t; other = other->next)
        if (same_monitor(other, t))
            return false;
    return true;
}

static void take_out(struct taking *t)
{
    struct taking **at = &t->m->takings;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->next = NULL;
}

/* Waits at the end of the line, and is found again by whoever leaves. */
static void line_up(struct taking *t)
{
    struct taking **at = &t->m->takings;
    while (*at)
        at = &(*at)->next;
    *at = t;
    if (is_its_turn(t))
        find(t);
}

/* Out of the line; the next of the same monitor begins. */
static void leave(struct taking *t)
{
    struct taking *next = t->next;
    take_out(t);
    while (next && !same_monitor(next, t))
        next = next->next;
    if (next)
        find(next);
}

static void end(struct taking *t, const struct err *err)
{
    leave(t);
    t->done(t->ctx, err);
    free(t);
}

static void next_checkin(struct taking *t)
{
    if (!t->at->next) {
        end(t, NULL);
        return;
    }
    leave(t);
    t->at = t->at->next;
    t->tries = 0;
    t->made = false;
    line_up(t);
}

static void refuse(struct taking *t, const char *why)
{
    metric_add(METRIC_CHECKINS_REFUSED, 1);
    log_warn("check-in refused", LOG_S("monitor", t->at->slug), LOG_S("why", why), LOG_END);
    next_checkin(t);
}

static void on_written(void *ctx, int64_t moved, const struct err *err)
{
    struct taking *t = ctx;
    struct err why = {0};
    if (err) {
        end(t, err);
    } else if (moved) {
        metric_add(METRIC_CHECKINS, 1);
        next_checkin(t);
    } else if (++t->tries < TRIES_MAX) {
        find(t);
    } else {
        err_set(&why, ERR_RETRY, "too many check-ins of one monitor at once");
        end(t, &why);
    }
}

static void decide(struct taking *t, const struct monitor_row *row)
{
    char made_id[RANDOM_HEX_BYTES];
    struct err why = {0};
    const struct checkin *c = t->at;
    int64_t now = clock_wall_ms();
    struct decision d = {.row = row, .config = row->config, .release = c->release};
    if (c->has_config && is_usable(&c->config, &why))
        d.config = c->config;
    else if (c->has_config)
        log_warn("a monitor keeps its schedule: the new one is wrong", LOG_S("monitor", c->slug),
                 LOG_S("why", why.text), LOG_END);
    d.state = state_of(row, &d.config);
    d.run = run_of(row);
    d.change = machine_checkin(&d.state, &d.run, c->status, c->duration_ms, now);
    random_hex32(made_id);
    d.run_id = row->run_id ? row->run_id : c->id[0] ? c->id : made_id;
    d.checked_in = true;
    d.next_ms = d.change.expects_next || d.config.schedule != row->config.schedule
                    ? next_expected(&d.config, now)
                    : row->next_ms;
    write_decision(t->m, &d, on_written, t);
}

static void on_made(void *ctx, int64_t moved, const struct err *err)
{
    struct taking *t = ctx;
    (void)moved; /* 0: somebody else made it, or there are too many: the next look tells */
    if (err) {
        end(t, err);
        return;
    }
    t->made = true;
    find(t);
}

static void on_found(void *ctx, const struct monitor_row *row, const struct err *err)
{
    struct taking *t = ctx;
    struct err why = {0};
    const struct checkin *c = t->at;
    if (err)
        end(t, err);
    else if (row && !row->enabled)
        next_checkin(t);
    else if (row && row->recent >= CHECKINS_PER_MINUTE && !row->run_id)
        refuse(t, "more than six new ones a minute");
    else if (row)
        decide(t, row);
    else if (t->made)
        refuse(t, "its project has as many monitors as it may");
    else if (!c->has_config)
        refuse(t, "nobody configured this monitor: send monitor_config, or upsert it in an SDK");
    else if (!is_usable(&c->config, &why))
        refuse(t, why.text);
    else
        store_monitor_make(t->m->pg, t->project_id, c->slug, environment_of(c), &c->config, on_made,
                           t);
}

static void find(struct taking *t)
{
    store_monitor_find(t->m->pg, t->project_id, t->at->slug, environment_of(t->at), t->at->id,
                       on_found, t);
}

void monitors_take(struct monitors *m, int32_t project_id, const struct checkin *list,
                   monitors_done_fn *done, void *ctx)
{
    struct taking *t = mem_alloc(sizeof *t);
    *t = (struct taking){.m = m, .project_id = project_id, .at = list, .done = done, .ctx = ctx};
    line_up(t);
}

/* ------------------------------------------------------------------------------------------- watch */

static void look(struct monitors *m);

static void on_watched(void *ctx, int64_t moved, const struct err *err)
{
    struct monitors *m = ctx;
    (void)moved; /* 0: a check-in came in this moment; the next look sees what it left */
    if (err || ++m->round >= ROUND_MAX) {
        m->watching = false;
        return;
    }
    look(m);
}

static void on_due(void *ctx, const struct monitor_row *row, const struct err *err)
{
    struct monitors *m = ctx;
    char made_id[RANDOM_HEX_BYTES];
    int64_t now = clock_wall_ms();
    if (err || !row || !store_lease_is_held(m->lease)) {
        m->watching = false;
        return;
    }
    struct decision d = {.row = row, .config = row->config, .next_ms = row->next_ms};
    d.state = state_of(row, &row->config);
    d.run = run_of(row);
    d.run_id = row->run_id;
    random_hex32(made_id);
    int64_t due_ms = row->run_id ? row->run_timeout_ms : row->next_ms + d.state.margin_ms;
    bool forgiven = due_ms <= m->forgiven_until_ms || due_ms <= row->watched_from_ms;
    if (row->run_id && forgiven) {
        d.run.timeout_ms = now + d.state.max_runtime_ms;
        d.change.store_run = true;
    } else if (row->run_id) {
        d.change = machine_timeout(&d.state, &d.run, row->run_has_newer, now);
    } else if (forgiven) {
        d.change.expects_next = true;
    } else {
        d.run_id = made_id;
        d.change = machine_missed(&d.state, &d.run, row->next_ms);
    }
    if (d.change.expects_next)
        d.next_ms = next_expected(&d.config, now);
    if (forgiven)
        log_info("nobody watched when this monitor fell due: not held against it",
                 LOG_S("monitor", row->slug), LOG_END);
    write_decision(m, &d, on_watched, m);
}

static void look(struct monitors *m)
{
    store_monitor_due(m->pg, on_due, m);
}

static void on_ticked(void *ctx, int64_t last_ms, const struct err *err)
{
    struct monitors *m = ctx;
    int64_t now = clock_wall_ms();
    if (err || !store_lease_is_held(m->lease)) {
        m->watching = false;
        return;
    }
    if (last_ms && now - last_ms > GAP_MS_MAX)
        m->forgiven_until_ms = now;
    m->round = 0;
    look(m);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct monitors *m = timer->data;
    if (m->watching || !store_lease_is_held(m->lease) || !pg_is_up(m->pg))
        return;
    m->watching = true;
    store_monitor_tick(m->pg, on_ticked, m);
}

struct monitors *monitors_new(struct ev_loop *loop, struct pg *pg, struct lease *lease)
{
    struct monitors *m = mem_alloc(sizeof *m);
    m->loop = loop;
    m->pg = pg;
    m->lease = lease;
    ev_timer_init(&m->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    m->tick.data = m;
    ev_timer_start(loop, &m->tick);
    return m;
}

void monitors_free(struct monitors *m)
{
    if (!m)
        return;
    ev_timer_stop(m->loop, &m->tick);
    free(m);
}
