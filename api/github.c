/* github.c -- see github.h.
 *
 *     signature of the raw body --> event --> deployment_status: a deploy of ?project= (the first, where none is named)
 *                                         --> ping and all others: answered, and nothing else */
#include "api/github.h"

#include "api/deploys.h"
#include "ingest/deploy.h"
#include "net/sign.h"

#include <stdio.h>
#include <string.h>

static bool is_signed(const struct github_api *api, const struct http_request *request,
                      struct http_reply *reply)
{
    struct slice header = http_head_find(request->head, "x-hub-signature-256");
    if (!api->secret)
        http_reply_error(reply, 403, "GITHUB_WEBHOOK_SECRET is not set: no webhook is believed");
    else if (!header.at)
        http_reply_error(reply, 401, "X-Hub-Signature-256 is missing: set the webhook's secret");
    else if (!sign_github_fits(api->secret, request->body, request->body_len, header.at,
                               header.len))
        http_reply_error(reply, 401, "X-Hub-Signature-256 is not that of GITHUB_WEBHOOK_SECRET");
    else
        return true;
    return false;
}

static bool is_event(const struct http_request *request, const char *name)
{
    struct slice header = http_head_find(request->head, "x-github-event");
    return header.at && header.len == strlen(name) && memcmp(header.at, name, header.len) == 0;
}

/* 0: there is none of that slug, which is answered. */
static int32_t project_of(const struct github_api *api, const struct http_request *request,
                          struct http_reply *reply)
{
    char slug[80] = "";
    if (!http_query_find(request->head->query, "project", slug, sizeof slug))
        return 1;
    const struct project *project = store_project_by_slug(api->ingest->projects, slug);
    if (!project)
        http_reply_error(reply, 404, "?project= names no project: see nabat --project list");
    return project ? project->id : 0;
}

static void take_deployment(const struct github_api *api, const struct http_request *request,
                            const json_t *json, struct http_reply *reply)
{
    struct deploy deploy;
    struct err err = {0};
    enum deploy_read what = deploy_read_github(json, &deploy, &err);
    if (what == DEPLOY_WRONG) {
        http_reply_error(reply, 400, err.text);
    } else if (what == DEPLOY_IGNORED) {
        http_reply_json(reply, 200, NULL, "{\"ignored\":true}\n");
    } else {
        deploy.project_id = project_of(api, request, reply);
        if (deploy.project_id)
            api_deploy_store(api->ingest, &deploy, reply);
    }
}

void api_github(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    const struct github_api *api = ctx;
    json_t *json = is_signed(api, request, reply) ? api_json_body(request, reply) : NULL;
    if (!json)
        return;
    if (is_event(request, "deployment_status"))
        take_deployment(api, request, json, reply);
    else
        http_reply_json(reply, 200, NULL, "{\"ignored\":true}\n");
    json_decref(json);
}
