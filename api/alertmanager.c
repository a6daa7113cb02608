/* alertmanager.c -- what fires becomes events, what is over resolves its group; then the answer.
 *
 *     key --> inflate --> alertmanager_read --> keeper (what fires) --committed--> recovery (what is over) --> 200
 *
 * While the database is away what fires is spooled, but what is over can't be: 503, and Alertmanager sends all of it
 * again. What was kept is known by its ids then. */
#include "api/alertmanager.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "ingest/alertmanager.h"
#include "store/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_ARENA_BYTES_MAX = 64 * MIB };

struct taking {
    const struct ingest *in;
    int32_t project_id;
    struct http_reply *reply;
    struct arena *arena;
    struct alertmanager_batch batch;
};

static void finish(struct taking *t, int status, const char *why)
{
    char json[96];
    if (status == 200) {
        snprintf(json, sizeof json, "{\"firing\":%zu,\"resolved\":%zu}\n", t->batch.firing.count,
                 t->batch.over_count);
        http_reply_json(t->reply, 200, NULL, json);
    } else {
        http_reply_error(t->reply, status, why);
    }
    arena_free(t->arena);
    free(t);
}

static void on_over(void *ctx, const struct err *err)
{
    struct taking *t = ctx;
    if (err)
        finish(t, 503, err->text);
    else
        finish(t, 200, NULL);
}

static void resolve(struct taking *t)
{
    const struct alertmanager_batch *b = &t->batch;
    if (!b->over_count) {
        finish(t, 200, NULL);
        return;
    }
    if (!t->in->pg || !store_keeper_is_direct(t->in->keeper)) {
        finish(t, 503,
               "the database is away: what is resolved can't be kept until it is back; what fires "
               "is kept");
        return;
    }
    struct recovery *list = mem_alloc(b->over_count * sizeof *list);
    for (size_t i = 0; i < b->over_count; i++)
        list[i] = (struct recovery){b->over[i].fingerprint, b->over[i].name, b->over[i].minutes, 0};
    struct pg_batch *batch = pg_batch_new();
    store_recovery_add(batch, t->project_id, "alertmanager", list, b->over_count);
    free(list);
    pg_run_outcome(t->in->pg, batch, on_over, t);
}

static void on_kept(void *ctx, enum kept kept, const struct err *err)
{
    struct taking *t = ctx;
    (void)kept; /* what is over finds out by itself whether the database is there */
    if (err)
        finish(t, err->kind == ERR_BUG ? 500 : 503, err->text);
    else
        resolve(t);
}

static void take(struct taking *t, const struct project *project)
{
    struct native_batch *firing = &t->batch.firing;
    struct err err = {0};
    for (size_t i = 0; i < firing->count; i++)
        if (firing->events[i].severity > project->severity_max)
            firing->events[i].severity = project->severity_max;
    if (t->batch.has_left_out)
        log_warn("Alertmanager left alerts out: max_alerts of its webhook_config is too low",
                 LOG_END);
    if (firing->count == 0)
        resolve(t);
    else if (!store_keeper_take(t->in->keeper, firing->events, firing->count, on_kept, t, &err))
        finish(t, 503, err.text);
}

void api_alertmanager(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct ingest *in = ctx;
    struct err err = {0};
    struct buf inflated;
    const char *body = NULL;
    size_t len = 0;
    int status = 0;
    const struct project *project = intake_sender(in, request, reply);
    if (!project)
        return;
    buf_init(&inflated, INGEST_INFLATED_BYTES_MAX);
    if (!intake_body(request, reply, &inflated, &body, &len, &status, &err)) {
        buf_fini(&inflated);
        http_reply_error(reply, status, err.text);
        return;
    }
    struct taking *t = mem_alloc(sizeof *t);
    *t = (struct taking){.in = in, .project_id = project->id, .reply = reply};
    t->arena = arena_new(REQUEST_ARENA_BYTES_MAX);
    struct native_config config = {in->scrub, project->id, clock_wall_ms()};
    bool ok = alertmanager_read(body, len, &config, t->arena, &t->batch, &err);
    buf_fini(&inflated);
    if (!ok) {
        finish(t, err.kind == ERR_LIMIT ? 413 : 400, err.text);
        return;
    }
    if (t->batch.firing.count > 1)
        intake_rate(in, project, request, (int64_t)t->batch.firing.count - 1);
    http_reply_drop_body(reply);
    take(t, project);
}
