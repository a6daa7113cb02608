/* deploys.c -- see deploys.h.
 *
 *     key --> JSON --ingest/deploy--> row of deploy --> {"id": 7}
 *                        \__ puts nothing out __> {"ignored": true} */
#include "api/deploys.h"

#include "core/limits.h"
#include "core/mem.h"
#include "ingest/deploy.h"
#include "store/deploy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

json_t *api_json_body(const struct http_request *request, struct http_reply *reply)
{
    struct buf inflated;
    struct err err = {0};
    const char *body = NULL;
    size_t len = 0;
    int status = 0;
    json_error_t why;
    json_t *json = NULL;
    buf_init(&inflated, SMALL_BODY_BYTES_MAX);
    if (!intake_body(request, reply, &inflated, &body, &len, &status, &err)) {
        http_reply_error(reply, status, err.text);
    } else {
        json = json_loadb(body, len, 0, &why);
        if (!json) {
            char text[ERR_TEXT_BYTES_MAX];
            snprintf(text, sizeof text, "the body is no JSON: %.120s, line %d", why.text, why.line);
            http_reply_error(reply, 400, text);
        }
    }
    buf_fini(&inflated);
    return json;
}

static void on_added(void *ctx, int64_t id, const struct err *err)
{
    struct http_reply *reply = ctx;
    char json[48];
    if (err) {
        http_reply_error(reply, err->kind == ERR_INPUT ? 400 : 503, err->text);
        return;
    }
    snprintf(json, sizeof json, "{\"id\":%" PRId64 "}\n", id);
    http_reply_json(reply, 200, NULL, json);
}

void api_deploy_store(const struct ingest *in, const struct deploy *deploy,
                      struct http_reply *reply)
{
    if (in->pg && pg_is_up(in->pg))
        store_deploy_add(in->pg, deploy, on_added, reply);
    else
        http_reply_error(reply, 503, "the database is away: tell it again later");
}

typedef enum deploy_read reader_fn(const json_t *json, struct deploy *deploy, struct err *err);

static void take(struct ingest *in, const struct http_request *request, struct http_reply *reply,
                 reader_fn *read)
{
    struct deploy deploy;
    struct err err = {0};
    const struct project *project = intake_sender(in, request, reply);
    json_t *json = project ? api_json_body(request, reply) : NULL;
    if (!json)
        return;
    enum deploy_read what = read(json, &deploy, &err);
    deploy.project_id = project->id;
    if (what == DEPLOY_WRONG)
        http_reply_error(reply, 400, err.text);
    else if (what == DEPLOY_IGNORED)
        http_reply_json(reply, 200, NULL, "{\"ignored\":true}\n");
    else
        api_deploy_store(in, &deploy, reply);
    json_decref(json);
}

void api_deploys(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    take(ctx, request, reply, deploy_read_native);
}

void api_railway(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    take(ctx, request, reply, deploy_read_railway);
}
