/* ingest_routes.c -- from a request to the word "kept".
 *
 *     key --> inflate --> native_read --> cap severity --> keeper --committed or spooled--> 200
 *
 * The request's arena lives until the keeper is done; its raw bytes are let go before. */
#include "api/ingest_routes.h"

#include "core/clock.h"
#include "core/json_out.h"
#include "core/limits.h"
#include "core/mem.h"
#include "ingest/native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_ARENA_BYTES_MAX = 64 * MIB, ANSWER_BYTES_MAX = 1 * MIB };

struct taking {
    struct http_reply *reply;
    struct arena *arena;
    struct native_batch batch;
};

static void reply_bad(struct http_reply *reply, const struct native_batch *batch,
                      const struct err *err)
{
    struct buf json;
    bool limit = err->kind == ERR_LIMIT;
    buf_init(&json, 4 * KIB);
    buf_addf(&json, "{\"error\":\"%s\",\"detail\":", limit ? "too_large" : "bad_event");
    json_add_str(&json, err->text);
    if (batch->has_bad_index)
        buf_addf(&json, ",\"index\":%zu", batch->bad_index);
    buf_add_str(&json, "}\n");
    http_reply_json(reply, limit ? 413 : 400, NULL, json.data);
    buf_fini(&json);
}

static void taking_free(struct taking *t)
{
    arena_free(t->arena);
    free(t);
}

static void on_stored(void *ctx, enum kept kept, const struct err *err)
{
    struct taking *t = ctx;
    struct buf json;
    if (err) {
        http_reply_error(t->reply, err->kind == ERR_BUG ? 500 : 503, err->text);
        taking_free(t);
        return;
    }
    buf_init(&json, ANSWER_BYTES_MAX);
    native_answer(&t->batch, &json);
    char how[INTAKE_KEPT_BYTES];
    intake_kept(kept, t->batch.events, t->batch.count, how);
    http_reply_send(t->reply, 200, "application/json", how, json.data, json.len);
    buf_fini(&json);
    taking_free(t);
}

void api_events(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct ingest *in = ctx;
    struct err err = {0};
    struct buf inflated;
    const char *body = NULL;
    size_t len = 0;
    const struct project *project = intake_sender(in, request, reply);
    if (!project)
        return;
    buf_init(&inflated, INGEST_INFLATED_BYTES_MAX);
    int status = 0;
    if (!intake_body(request, reply, &inflated, &body, &len, &status, &err)) {
        buf_fini(&inflated);
        http_reply_error(reply, status, err.text);
        return;
    }
    struct taking *t = mem_alloc(sizeof *t);
    t->reply = reply;
    t->arena = arena_new(REQUEST_ARENA_BYTES_MAX);
    struct native_config config = {in->scrub, project->id, clock_wall_ms()};
    bool ok = native_read(body, len, &config, t->arena, &t->batch, &err);
    buf_fini(&inflated);
    for (size_t i = 0; i < t->batch.count; i++)
        if (t->batch.events[i].severity > project->severity_max)
            t->batch.events[i].severity = project->severity_max;
    if (ok && t->batch.count > 1)
        intake_rate(in, project, request, (int64_t)t->batch.count - 1);
    if (!ok) {
        reply_bad(reply, &t->batch, &err);
        taking_free(t);
        return;
    }
    http_reply_drop_body(reply);
    if (t->batch.count == 0) {
        http_reply_json(reply, 200, NULL, "{\"ids\":[]}\n");
        taking_free(t);
    } else if (!store_keeper_take(in->keeper, t->batch.events, t->batch.count, on_stored, t,
                                  &err)) {
        http_reply_error(reply, 503, err.text);
        taking_free(t);
    }
}
