/* ask.c -- see ask.h.
 *
 *     facts --kept--> numbers --> report --> done                                              */
#include "stats/ask.h"

#include "core/mem.h"

#include <stdint.h>
#include <stdlib.h>

struct asked {
    struct pg *pg;
    struct stats_ask ask;
    struct look look;
    enum stats_period period;
    bool is_dark;
    struct report_facts facts; /* texts are owned */
    report_fn *done;
    void *ctx;
};

static const char *keep(const char *text)
{
    return text ? mem_str_dup(text) : NULL;
}

static void keep_error(struct report_error *e)
{
    e->title = keep(e->title);
    e->release = keep(e->release);
}

static void drop_error(struct report_error *e)
{
    free((char *)(uintptr_t)e->title);
    free((char *)(uintptr_t)e->release);
}

static void each_error(struct report_facts *f, void (*act)(struct report_error *e))
{
    act(&f->slowest);
    act(&f->oldest);
    for (size_t i = 0; i < REPORT_LISTED_MAX; i++) {
        act(&f->made[i]);
        act(&f->back[i]);
    }
}

static void finish(struct asked *a, const struct report *report, const struct err *err)
{
    a->done(a->ctx, report, err);
    each_error(&a->facts, drop_error);
    free((char *)(uintptr_t)a->facts.broke_release);
    for (size_t i = 0; i < a->facts.losses_count; i++)
        free((char *)(uintptr_t)a->facts.losses[i].kind);
    free(a);
}

static void on_stats(void *ctx, const struct stats *stats, const struct err *err)
{
    struct asked *a = ctx;
    struct report report = {{stats, &a->ask, a->period, &a->look, a->is_dark}, &a->facts};
    finish(a, err ? NULL : &report, err);
}

static void on_facts(void *ctx, const struct report_facts *facts, const struct err *err)
{
    struct asked *a = ctx;
    if (err) {
        finish(a, NULL, err);
        return;
    }
    a->facts = *facts;
    each_error(&a->facts, keep_error);
    a->facts.broke_release = keep(facts->broke_release);
    for (size_t i = 0; i < a->facts.losses_count; i++)
        a->facts.losses[i].kind = keep(a->facts.losses[i].kind);
    store_stats(a->pg, &a->ask, on_stats, a);
}

void stats_report(struct pg *pg, enum stats_period period, const struct look *look,
                  enum report_span span, bool is_dark, report_fn *done, void *ctx)
{
    struct asked *a = mem_alloc(sizeof *a);
    *a = (struct asked){
        .pg = pg, .look = *look, .period = period, .is_dark = is_dark, .done = done, .ctx = ctx};
    stats_period_ask(period, look->now_ms, look->zone, &a->ask);
    if (span == SPAN_WHOLE)
        stats_period_ask(period, look->now_ms - a->ask.width_ms, look->zone, &a->ask);
    store_report_facts(pg, a->ask.from_ms, a->ask.from_ms + a->ask.width_ms * a->ask.buckets,
                       on_facts, a);
}
