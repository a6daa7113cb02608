/* ingest_routes.c -- from a request to the word "kept".
 *
 *     key --> inflate --> native_read --> cap severity --> writer --committed--> 200
 *
 * The request's arena lives until the writer is done; its raw bytes are let go before. */
#include "api/ingest_routes.h"

#include "core/clock.h"
#include "core/json_out.h"
#include "core/limits.h"
#include "core/mem.h"
#include "ingest/body.h"
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

static bool key_of(const struct http_request *request, char *out, size_t size)
{
    static const char BEARER[] = "bearer ";
    struct slice value = http_head_find(request->head, "authorization");
    if (value.at && value.len > sizeof BEARER - 1 &&
        slice_equal_nocase((struct slice){value.at, sizeof BEARER - 1}, BEARER)) {
        value.at += sizeof BEARER - 1;
        value.len -= sizeof BEARER - 1;
    } else {
        value = http_head_find(request->head, "x-api-key");
    }
    if (!value.at)
        return http_query_find(request->head->query, "key", out, size);
    while (value.len && *value.at == ' ') {
        value.at++;
        value.len--;
    }
    if (value.len >= size)
        return false;
    memcpy(out, value.at, value.len);
    out[value.len] = '\0';
    return true;
}

/* NULL: the refusal is sent. */
static const struct project *authorize(const struct ingest *in, const struct http_request *request,
                                       struct http_reply *reply)
{
    char key[128];
    const struct project *project = NULL;
    if (!in->writer || !store_projects_are_loaded(in->projects)) {
        http_reply_error(reply, 503, "the database was not reached yet");
        return NULL;
    }
    if (!key_of(request, key, sizeof key))
        http_reply_error(reply, 401,
                         "no key: send Authorization: Bearer KEY, X-Api-Key: KEY or ?key=KEY");
    else if (!(project = store_project_by_key(in->projects, key)))
        http_reply_error(reply, 401, "the key is not known");
    else if (!project->enabled)
        http_reply_error(reply, 403, "the project of this key is disabled");
    else
        return project;
    return NULL;
}

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

static void on_stored(void *ctx, const struct err *err)
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
    http_reply_send(t->reply, 200, "application/json", NULL, json.data, json.len);
    buf_fini(&json);
    taking_free(t);
}

static bool reserve(void *ctx, size_t bytes)
{
    return http_reply_reserve(ctx, bytes);
}

/* The body as it was meant: `inflated` holds it when it was compressed. */
static bool open_body(const struct http_request *request, struct http_reply *reply,
                      struct buf *inflated, const char **body, size_t *len)
{
    struct err err = {0};
    struct slice coding = http_head_find(request->head, "content-encoding");
    enum body_coding how = body_coding_of(coding.at, coding.len);
    *body = request->body;
    *len = request->body_len;
    if (how == BODY_UNKNOWN) {
        http_reply_error(reply, 415, "Content-Encoding takes " BODY_CODINGS);
        return false;
    }
    if (how == BODY_IDENTITY)
        return true;
    if (!body_inflate(how, request->body, request->body_len, inflated, reserve, reply, &err)) {
        http_reply_error(reply,
                         err.kind == ERR_LIMIT   ? 413
                         : err.kind == ERR_RETRY ? 503
                                                 : 400,
                         err.text);
        return false;
    }
    *body = buf_text(inflated);
    *len = inflated->len;
    return true;
}

void api_events(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct ingest *in = ctx;
    struct err err = {0};
    struct buf inflated;
    const char *body = NULL;
    size_t len = 0;
    const struct project *project = authorize(in, request, reply);
    if (!project)
        return;
    buf_init(&inflated, INGEST_INFLATED_BYTES_MAX);
    if (!open_body(request, reply, &inflated, &body, &len)) {
        buf_fini(&inflated);
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
    if (!ok) {
        reply_bad(reply, &t->batch, &err);
        taking_free(t);
        return;
    }
    http_reply_drop_body(reply);
    if (t->batch.count == 0) {
        http_reply_json(reply, 200, NULL, "{\"ids\":[]}\n");
        taking_free(t);
    } else if (!store_writer_submit(in->writer, t->batch.events, t->batch.count, on_stored, t,
                                    &err)) {
        http_reply_error(reply, 503, err.text);
        taking_free(t);
    }
}
