/* stats.c -- see stats.h. One batch, one round trip; what is not added up yet is read along.
 *
 * Without a filter a chart reads project_hour (five rows an hour and project), with one event_hour (a row a kind). A group's
 * period is its days, and hours at both ends. */
#include "store/stats.h"

#include "core/clock.h"
#include "core/mem.h"
#include "store/stats_sql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000, DAY_HOURS_MS = 24 * HOUR_MS };

bool stats_filter_is_open(const struct stats_filter *filter)
{
    return !filter->severities && !filter->words[0];
}

/* ---------------------------------------------------------------------------------------- parameters */

/* $1 severities, $2 to $4 words; NULL: any. */
static void add_filter(struct pg_batch *batch, const struct stats_filter *filter)
{
    char list[128] = "{";
    size_t n = 1;
    for (int s = 0; s < SEVERITIES; s++)
        if (filter->severities & 1u << s)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n > 1 ? "," : "",
                                  severity_name((enum severity)s));
    snprintf(list + n, sizeof list - n, "}");
    pg_text(batch, filter->severities ? list : NULL);
    for (int i = 0; i < STATS_WORDS_MAX; i++)
        pg_text(batch, filter->words[i]);
}

/* $5, $6: whole hours; $7, $8: the days within, from and to (the same: none). Today is one of them where the period ends
 * now: nothing of it is behind the period. */
static void add_period(struct pg_batch *batch, int64_t from_ms, int64_t to_ms)
{
    int64_t first = (from_ms + DAY_HOURS_MS - 1) / DAY_HOURS_MS * DAY_HOURS_MS;
    int64_t last = to_ms >= clock_wall_ms() ? to_ms : to_ms / DAY_HOURS_MS * DAY_HOURS_MS;
    if (last < first)
        first = last = to_ms;
    pg_time(batch, from_ms);
    pg_time(batch, to_ms);
    pg_time(batch, first);
    pg_time(batch, last);
}

/* -------------------------------------------------------------------------------------------- users */

int64_t stats_users(const unsigned char registers[SKETCH_REGISTERS])
{
    double sum = 0;
    int empty = 0;
    const double m = SKETCH_REGISTERS;
    for (int i = 0; i < SKETCH_REGISTERS; i++) {
        sum += ldexp(1, -registers[i]);
        empty += registers[i] == 0;
    }
    double about = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (about <= 2.5 * m && empty > 0)
        about = m * log(m / empty); /* linear counting, where registers are still empty */
    return (int64_t)llround(about);
}

static int hex_of(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* Rows of registers, as PostgreSQL writes bytea: "\x00…". */
static int64_t users_of(const PGresult *rows)
{
    unsigned char most[SKETCH_REGISTERS] = {0};
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *hex = PQgetvalue(rows, row, 0);
        if (PQgetlength(rows, row, 0) != 2 + 2 * SKETCH_REGISTERS)
            continue;
        for (size_t i = 0; i < SKETCH_REGISTERS; i++) {
            int value = hex_of(hex[2 + 2 * i]) * 16 + hex_of(hex[3 + 2 * i]);
            if (value > most[i])
                most[i] = (unsigned char)value;
        }
    }
    return stats_users(most);
}

/* -------------------------------------------------------------------------------------------- period */

enum { RESULT_CELLS, RESULT_NOW, RESULT_ALERTS, RESULT_DEPLOYS, RESULT_WORST, RESULT_USERS };
enum { CELL_BUCKET, CELL_SEVERITY, CELL_EVENTS, CELL_MADE, CELL_REGRESSED, CELL_COUNTED };

struct stats_call {
    struct stats stats;
    int buckets;
    stats_fn *done;
    void *ctx;
};

static void take_cells(const PGresult *rows, int buckets, struct stats *s)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        int64_t bucket = pg_get_i64(rows, row, CELL_BUCKET);
        enum severity severity = SEV_ERROR;
        const char *name = pg_get_text(rows, row, CELL_SEVERITY);
        if (bucket < -buckets || bucket >= buckets ||
            !severity_parse(name, strlen(name), &severity))
            continue;
        if (bucket < 0) {
            s->before[bucket + buckets] += pg_get_i64(rows, row, CELL_EVENTS);
            s->before_made += pg_get_i64(rows, row, CELL_MADE);
            s->before_regressed += pg_get_i64(rows, row, CELL_REGRESSED);
            continue;
        }
        s->events[severity][bucket] += pg_get_i64(rows, row, CELL_EVENTS);
        s->made += pg_get_i64(rows, row, CELL_MADE);
        s->regressed += pg_get_i64(rows, row, CELL_REGRESSED);
        s->counted += pg_get_i64(rows, row, CELL_COUNTED);
    }
}

static void take_rest(const struct pg_reply *reply, int buckets, struct stats *s)
{
    const PGresult *now = reply->results[RESULT_NOW];
    const PGresult *alerts = reply->results[RESULT_ALERTS];
    const PGresult *deploys = reply->results[RESULT_DEPLOYS];
    s->open = pg_get_i64(now, 0, 0);
    s->open_critical = pg_get_i64(now, 0, 1);
    for (int row = 0; row < PQntuples(alerts); row++) {
        int64_t bucket = pg_get_i64(alerts, row, 0);
        if (bucket >= 0 && bucket < buckets)
            s->alerts[bucket] = pg_get_i64(alerts, row, 1);
    }
    for (int row = 0; row < PQntuples(deploys) && row < STATS_DEPLOYS_MAX; row++)
        s->deploys[s->deploys_count++] =
            (struct stats_deploy){pg_get_text(deploys, row, 0), pg_get_i64(deploys, row, 1)};
    const PGresult *worst = reply->count > RESULT_WORST ? reply->results[RESULT_WORST] : NULL;
    if (worst && PQntuples(worst) > 0) {
        s->worst_id = pg_get_i64(worst, 0, TOP_COL_GROUP);
        s->worst_title = pg_get_text(worst, 0, TOP_COL_NAME);
        s->worst_events = pg_get_i64(worst, 0, TOP_COL_EVENTS);
    }
    s->users = reply->count > RESULT_USERS ? users_of(reply->results[RESULT_USERS]) : -1;
}

static void on_stats(void *ctx, const struct pg_reply *reply)
{
    struct stats_call *call = ctx;
    if (!reply->err) {
        take_cells(reply->results[RESULT_CELLS], call->buckets, &call->stats);
        take_rest(reply, call->buckets, &call->stats);
    }
    call->done(call->ctx, reply->err ? NULL : &call->stats, reply->err);
    free(call);
}

/* $5 from, $6 width in seconds, $7 the period before begins, $8 the end. */
static void add_buckets(struct pg_batch *batch, const struct stats_ask *ask)
{
    int64_t span = ask->width_ms * ask->buckets;
    pg_time(batch, ask->from_ms);
    pg_i64(batch, ask->width_ms / 1000);
    pg_time(batch, ask->from_ms - span);
    pg_time(batch, ask->from_ms + span);
}

void store_stats(struct pg *pg, const struct stats_ask *ask, stats_fn *done, void *ctx)
{
    struct stats_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    bool open = stats_filter_is_open(&ask->filter);
    int64_t to_ms = ask->from_ms + ask->width_ms * ask->buckets;
    call->buckets = ask->buckets;
    call->done = done;
    call->ctx = ctx;
    pg_add(batch, open ? STATS_PROJECT_CELLS_SQL : STATS_KIND_CELLS_SQL);
    add_filter(batch, &ask->filter);
    add_buckets(batch, ask);
    pg_add(batch, STATS_NOW_SQL);
    add_filter(batch, &ask->filter);
    pg_add(batch, STATS_ALERTS_SQL);
    add_filter(batch, &ask->filter);
    add_buckets(batch, ask);
    pg_add(batch, STATS_DEPLOYS_SQL);
    add_filter(batch, &ask->filter);
    pg_time(batch, ask->from_ms);
    pg_time(batch, to_ms);
    pg_i64(batch, STATS_DEPLOYS_MAX);
    if (open) {
        pg_add(batch, STATS_TOP_SQL[TOP_ERRORS]);
        add_filter(batch, &ask->filter);
        add_period(batch, ask->from_ms, to_ms);
        pg_i64(batch, 1);
        pg_add(batch, STATS_USERS_SQL);
        add_filter(batch, &ask->filter);
        add_period(batch, ask->from_ms, to_ms);
    }
    pg_run(pg, batch, on_stats, call);
}

/* ----------------------------------------------------------------------------------------------- top */

struct top_call {
    stats_top_fn *done;
    void *ctx;
};

static void on_top(void *ctx, const struct pg_reply *reply)
{
    struct top_call *call = ctx;
    struct stats_line lines[STATS_TOP_MAX] = {{.name = NULL}};
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t count = 0;
    for (int row = 0; rows && row < PQntuples(rows) && row < STATS_TOP_MAX; row++) {
        struct stats_line *line = &lines[count++];
        const char *severity = pg_get_text(rows, row, TOP_COL_SEVERITY);
        *line = (struct stats_line){.name = pg_get_text(rows, row, TOP_COL_NAME),
                                    .group_id = pg_get_i64(rows, row, TOP_COL_GROUP),
                                    .events = pg_get_i64(rows, row, TOP_COL_EVENTS),
                                    .made = pg_get_i64(rows, row, TOP_COL_MADE),
                                    .regressed = pg_get_i64(rows, row, TOP_COL_REGRESSED)};
        if (severity)
            severity_parse(severity, strlen(severity), &line->severity);
    }
    call->done(call->ctx, lines, count, count ? pg_get_i64(rows, 0, TOP_COL_TOTAL) : 0, reply->err);
    free(call);
}

void store_stats_top(struct pg *pg, enum stats_top what, int64_t from_ms, int64_t to_ms,
                     const struct stats_filter *filter, stats_top_fn *done, void *ctx)
{
    struct top_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct top_call){done, ctx};
    pg_add(batch, STATS_TOP_SQL[what]);
    add_filter(batch, filter);
    add_period(batch, from_ms, to_ms);
    pg_i64(batch, STATS_TOP_MAX);
    pg_run(pg, batch, on_top, call);
}

/* ---------------------------------------------------------------------------------------------- life */

struct life_call {
    size_t count;
    stats_life_fn *done;
    void *ctx;
};

static void on_life(void *ctx, const struct pg_reply *reply)
{
    struct life_call *call = ctx;
    int64_t *events = mem_alloc(call->count * sizeof *events);
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    for (int row = 0; rows && row < PQntuples(rows); row++) {
        int64_t at = pg_get_i64(rows, row, 0);
        if (at >= 0 && at < (int64_t)call->count)
            events[at] += pg_get_i64(rows, row, 1);
    }
    call->done(call->ctx, events, rows && PQntuples(rows) ? call->count : 0, reply->err);
    free(events);
    free(call);
}

void store_stats_life(struct pg *pg, int64_t group_id, size_t count, stats_life_fn *done, void *ctx)
{
    struct life_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct life_call){count, done, ctx};
    pg_add(batch, STATS_LIFE_SQL);
    pg_i64(batch, group_id);
    pg_i64(batch, (int64_t)count);
    pg_run(pg, batch, on_life, call);
}
