/* checks.c -- see checks.h.
 *
 *     tick --due, claimed--> probe --answer--> decide --> state, sample, news in one transaction
 *
 * Whatever is lost on the way (a crash, the database) is one answer: the next one comes after its time. */
#include "checks/checks.h"

#include "checks/machine.h"
#include "checks/words.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "net/http_client.h"
#include "store/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TICK_SECONDS = 1.0;
enum { UNDERWAY_MAX = 60 };

struct checks {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct http_client *http; /* its own */
    const char *setting;
    bool is_russian;
    bool claiming;
    bool closed;
    size_t under_way;
    ev_timer tick;
};

struct probing {
    struct checks *checks;
    int64_t id;
    struct check_spec spec;
    struct check_state state;
};

static void on_written(void *ctx, const struct err *err)
{
    (void)ctx;
    if (err)
        log_warn("an answer to a check is lost: the next one counts", LOG_S("error", err->text),
                 LOG_END);
}

static void write_down(const struct probing *p, const struct check_answer *answer,
                       const struct check_change *change, int64_t now_ms)
{
    char troubles[CHECK_STATE_BYTES];
    char failing[64];
    char name[CHECK_URL_BYTES];
    char ids[CHECK_TROUBLES][RANDOM_HEX_BYTES];
    char fingerprints[CHECK_TROUBLES][FINGERPRINT_BYTES];
    struct buf bodies[CHECK_TROUBLES];
    struct check_write w = {.id = p->id,
                            .troubles = troubles,
                            .failing = failing,
                            .ms = answer->ms,
                            .status = answer->status,
                            .error = answer->error,
                            .cert_expires_ms = answer->cert_expires_ms,
                            .ok = change->is_good};
    check_state_write(&p->state, troubles);
    check_failing(&p->state, failing);
    check_url_name(p->spec.url, name);
    for (int i = 0; i < CHECK_TROUBLES; i++) {
        buf_init(&bodies[i], 16 * KIB);
        if (!change->ring[i] && !change->over[i])
            continue;
        struct check_news *n = &w.news[w.news_count++];
        check_fingerprint(&p->spec, (enum check_trouble)i, fingerprints[i]);
        *n = (struct check_news){.fingerprint = fingerprints[i],
                                 .name = name,
                                 .minutes = change->lasted_ms[i] / 60000,
                                 .failures = change->failures[i]};
        if (!change->ring[i])
            continue;
        check_word_event(p->id, &p->spec, answer, (enum check_trouble)i, p->checks->is_russian,
                         now_ms, ids[i], &bodies[i]);
        n->event_id = ids[i];
        n->body = buf_text(&bodies[i]);
    }
    store_check_write(p->checks->pg, &w, on_written, NULL);
    for (int i = 0; i < CHECK_TROUBLES; i++)
        buf_fini(&bodies[i]);
}

static void on_probed(void *ctx, const struct http_probe *probe)
{
    struct probing *p = ctx;
    struct checks *c = p->checks;
    int64_t now = clock_wall_ms();
    struct check_answer answer = {probe->status, probe->error, probe->ms, probe->cert_expires_ms};
    struct check_change change;
    c->under_way--;
    if (!c->closed) {
        check_decide(&p->spec, &answer, now, &p->state, &change);
        write_down(p, &answer, &change, now);
    }
    free(p);
}

static void on_claimed(void *ctx, const struct check_row *rows, size_t count, const struct err *err)
{
    struct checks *c = ctx;
    c->claiming = false;
    for (size_t i = 0; !err && !c->closed && i < count; i++) {
        struct probing *p = mem_alloc(sizeof *p);
        *p = (struct probing){.checks = c, .id = rows[i].id, .spec = rows[i].spec};
        check_state_read(rows[i].troubles, &p->state);
        c->under_way++;
        http_client_probe(c->http, p->spec.url, (int)check_patience_s(&p->spec), on_probed, p);
    }
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct checks *c = timer->data;
    if (c->claiming || c->under_way + CHECKS_AT_ONCE_MAX > UNDERWAY_MAX ||
        !store_lease_is_held(c->lease) || !pg_is_up(c->pg))
        return;
    c->claiming = true;
    store_checks_claim(c->pg, on_claimed, c);
}

/* ------------------------------------------------------------------------------------------- CHECKS */

struct specs {
    struct check_spec list[CHECKS_MAX];
    size_t count;
};

static void add_spec(void *ctx, const struct check_spec *spec)
{
    struct specs *specs = ctx;
    specs->list[specs->count++] = *spec;
}

static void on_set(void *ctx, const struct err *err)
{
    (void)ctx;
    if (err)
        log_warn("CHECKS is not written down: it is when the lease is won again",
                 LOG_S("error", err->text), LOG_END);
}

void checks_begin(struct checks *c)
{
    struct err err = {0};
    struct specs *specs = mem_alloc(sizeof *specs);
    if (check_specs_parse(c->setting ? c->setting : "", add_spec, specs, &err))
        store_checks_set(c->pg, specs->list, specs->count, on_set, c);
    free(specs);
}

struct checks *checks_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                          const char *setting, bool is_russian)
{
    struct checks *c = mem_alloc(sizeof *c);
    *c = (struct checks){
        .loop = loop, .pg = pg, .lease = lease, .setting = setting, .is_russian = is_russian};
    c->http = http_client_new(loop, UNDERWAY_MAX); /* none waits for another */
    ev_timer_init(&c->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    c->tick.data = c;
    ev_timer_start(loop, &c->tick);
    return c;
}

void checks_close(struct checks *c)
{
    if (!c)
        return;
    c->closed = true;
    ev_timer_stop(c->loop, &c->tick);
    http_client_close(c->http);
}

void checks_free(struct checks *c)
{
    if (!c)
        return;
    checks_close(c);
    http_client_free(c->http);
    free(c);
}
