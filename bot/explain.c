/* explain.c -- nabat --explain: where an event would ring, by which rule, and what would hold it back.
 *
 *     file --native ingest--> event --rules, then its group--> the engine's own verdict, in words
 *
 * Nothing is recorded and nothing is sent. */
#include "bot/tools.h"

#include "alerts/engine.h"
#include "core/clock.h"
#include "core/helper.h"
#include "core/limits.h"
#include "ingest/native.h"

#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPLAIN_SECONDS_MAX = 15 };

struct explaining {
    struct ev_loop *loop;
    struct pg *pg;
    ev_timer limit;
    struct event *event;
    struct engine_config config;
    struct rules *rules;
    struct err err;
    bool done;
    bool asked;
};

static void end(struct explaining *x, const struct err *err)
{
    if (err)
        x->err = *err;
    x->done = err == NULL;
    ev_break(x->loop, EVBREAK_ALL);
}

static void say_event(const struct event *e)
{
    printf("event   %s \"%s\", origin %s, environment %s, handler %s\n", severity_name(e->severity),
           e->title, e->origin, e->environment ? e->environment : "-",
           e->handler ? e->handler : "-");
}

static void say_group(const struct fact *f, int64_t now_ms)
{
    if (f->is_new) {
        puts("group   a new error");
        return;
    }
    printf("group   #%" PRId64 " %s: %s, %" PRId64 " times\n", f->group_id, f->title,
           status_name(f->status), f->occurrences);
    if (f->muted_until_ms > now_ms ||
        (f->muted_until_count > 0 && f->occurrences < f->muted_until_count))
        puts("        muted: it does not ring anywhere");
    if (f->status == STATUS_RESOLVED)
        printf("        it would be reopened%s\n",
               f->resolved_by_person ? ", and ring as a regression whatever the cooldown" : "");
    if (f->status == STATUS_IN_PROGRESS)
        puts("        somebody is on it: cards are edited, nothing rings for a day");
}

static void say_ring(const struct ring *r, int64_t now_ms)
{
    char until[CLOCK_TEXT_BYTES];
    if (!r->chat_id) {
        puts("result  it would ring, but there is no chat: set ERROR_ALERT_CHAT_ID");
        return;
    }
    printf("result  chat %" PRId64, r->chat_id);
    if (r->thread_id)
        printf(", topic %" PRId64, r->thread_id);
    if (!r->rings) {
        if (r->last_ring_ms)
            printf(": held back, it rang %" PRId64 " s ago; the card counts it\n",
                   (now_ms - r->last_ring_ms) / 1000);
        else
            puts(": held back, somebody is on it; the card counts it");
        return;
    }
    if (r->rule_id)
        printf(", by rule %" PRId64, r->rule_id);
    printf(": rings%s%s\n", r->silent ? " without a sound" : "",
           *r->language ? (strcmp(r->language, "ru") == 0 ? ", in Russian" : ", in English") : "");
    if (r->hold) {
        clock_format_utc(r->hold_until_ms, until);
        printf("        but waits until %s: %s%s%s\n", until, r->hold,
               r->hold_about && *r->hold_about ? ", " : "", r->hold_about ? r->hold_about : "");
    }
}

static void on_fact(void *ctx, const struct fact *fact, size_t count, int64_t now_ms,
                    const struct err *err)
{
    struct explaining *x = ctx;
    const struct event *e = x->event;
    struct fact unknown = {
        .kind = FACT_EVENT,
        .n = 1,
        .severity = e->severity,
        .environment = e->environment,
        .is_new = true,
        .occurred_max_ms = now_ms,
        .created_ms = now_ms,
        .origin = e->origin,
        .handler = e->handler,
        .title = e->title,
        .project = "default",
    };
    if (err) {
        end(x, err);
        return;
    }
    const struct fact *f = count ? fact : &unknown;
    struct rings rings = {0};
    struct route routes[ROUTES_MAX];
    struct buf trace;
    struct verdict v = engine_decide(&x->config, f, 1, now_ms, &rings);
    struct subject subject = engine_subject(f, v.reopen && f->resolved_by_person, now_ms);
    buf_init(&trace, 256 * KIB);
    size_t routed = rules_route(x->rules, &x->config.root, &subject, routes, &trace);
    say_event(e);
    say_group(f, now_ms);
    printf("rules   %zu\n%s", x->rules->rules_count, buf_text(&trace));
    for (size_t i = 0; i < rings.count; i++)
        say_ring(&rings.rings[i], now_ms);
    if (rings.count == 0)
        printf("result  it does not ring, it is counted%s\n", routed ? "" : ": no route");
    buf_fini(&trace);
    store_rings_fini(&rings);
    end(x, NULL);
}

static void on_rules(void *ctx, struct rules *rules, const struct err *err)
{
    struct explaining *x = ctx;
    x->rules = rules;
    x->config.rules = rules;
    if (err)
        end(x, err);
    else
        store_facts_suppose(x->pg, x->event, on_fact, x);
}

static void on_connection(void *ctx, bool up)
{
    struct explaining *x = ctx;
    if (up && !x->asked)
        store_rules_load(x->pg, on_rules, x);
    x->asked = x->asked || up;
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct explaining *x = timer->data;
    struct err err = {0};
    err_set(&err, ERR_RETRY, "the database does not answer: %s", pg_trouble(x->pg));
    end(x, &err);
}

static bool ask(const struct settings *set, struct event *event, struct err *err)
{
    struct explaining x = {.loop = ev_loop_new(EVFLAG_AUTO), .event = event};
    x.config.root =
        (struct route_root){(enum severity)set->alert_min_severity, set->alert_cooldown_s * 1000,
                            set->alert_chat_id, set->alert_thread_id};
    struct helper *helper = helper_new(x.loop);
    struct pg_config config = {set->database_url, set->database_schema, "explain"};
    x.pg = pg_new(x.loop, helper, &config);
    ev_timer_init(&x.limit, on_limit, EXPLAIN_SECONDS_MAX, 0);
    x.limit.data = &x;
    ev_timer_start(x.loop, &x.limit);
    pg_watch(x.pg, on_connection, &x);
    ev_run(x.loop, 0);
    ev_timer_stop(x.loop, &x.limit);
    bool done = x.done;
    *err = x.err;
    pg_free(x.pg);
    store_rules_free(x.rules);
    helper_free(helper);
    ev_loop_destroy(x.loop);
    return done;
}

static bool read_file(const char *file, struct buf *out, struct err *err)
{
    char part[64 * 1024];
    size_t n;
    FILE *in = fopen(file, "rb");
    if (!in)
        return err_set(err, ERR_INPUT, "%s: there is no such file, or it can't be read", file);
    while ((n = fread(part, 1, sizeof part, in)) > 0)
        buf_add(out, part, n);
    fclose(in);
    if (out->full)
        return err_set(err, ERR_INPUT, "%s: larger than an event may be (1 MiB)", file);
    return true;
}

/* The first event of the file, as the service would take it. */
static bool read_event(const struct settings *set, const char *file, struct buf *body,
                       struct arena *arena, struct native_batch *batch, struct err *err)
{
    struct scrub *scrub = scrub_new(set->scrub_fields, set->scrub_off, err);
    struct native_config config = {scrub, 1, clock_wall_ms()};
    struct err why = {0};
    bool ok = scrub && read_file(file, body, err);
    if (ok && !native_read(buf_text(body), body->len, &config, arena, batch, &why))
        ok = err_set(err, ERR_INPUT, "%s: %s", file, why.text);
    scrub_free(scrub);
    return ok;
}

int tool_explain(const struct settings *settings, const char *file)
{
    struct err err = {0};
    struct buf body;
    struct native_batch batch = {0};
    struct arena *arena = arena_new(INGEST_INFLATED_BYTES_MAX);
    buf_init(&body, INGEST_EVENT_BYTES_MAX + 1);
    bool ok = read_event(settings, file, &body, arena, &batch, &err) &&
              ask(settings, &batch.events[0], &err);
    buf_fini(&body);
    arena_free(arena);
    return ok ? 0 : tool_fail("explain", &err);
}
