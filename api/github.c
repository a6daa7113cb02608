/* github.c -- see github.h.
 *
 *     signature of the raw body --> event --> deployment_status: a deploy of ?project= (the first, where none is named)
 *                                         --> issues closed, reopened: its error follows
 *                                         --> ping and all others: answered, and nothing else */
#include "api/github.h"

#include "api/deploys.h"
#include "ingest/deploy.h"
#include "net/sign.h"
#include "store/issue.h"

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

static void on_said(void *ctx, int64_t group_id, const struct err *err)
{
    struct http_reply *reply = ctx;
    char json[48];
    snprintf(json, sizeof json, "{\"id\":%lld}\n", (long long)group_id);
    if (err)
        http_reply_error(reply, 503, err->text);
    else
        http_reply_json(reply, 200, NULL, group_id ? json : "{\"ignored\":true}\n");
}

static void take_issue(const struct github_api *api, const json_t *json, struct http_reply *reply)
{
    const char *action = json_string_value(json_object_get(json, "action"));
    const char *repository =
        json_string_value(json_object_get(json_object_get(json, "repository"), "full_name"));
    const char *login =
        json_string_value(json_object_get(json_object_get(json, "sender"), "login"));
    json_int_t number =
        json_integer_value(json_object_get(json_object_get(json, "issue"), "number"));
    bool open = action && strcmp(action, "reopened") == 0;
    struct actor actor = {login ? login : "github", 0, "api"};
    if (!action || !repository || number <= 0)
        http_reply_error(reply, 400,
                         "an issues event has action, repository.full_name, issue.number");
    else if (!open && strcmp(action, "closed") != 0)
        http_reply_json(reply, 200, NULL, "{\"ignored\":true}\n");
    else if (!api->ingest->pg || !pg_is_up(api->ingest->pg))
        http_reply_error(reply, 503, "the database is away: GitHub may deliver it again");
    else
        store_issue_said(api->ingest->pg, repository, (int64_t)number, open, &actor, on_said,
                         reply);
}

void api_github(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    const struct github_api *api = ctx;
    json_t *json = is_signed(api, request, reply) ? api_json_body(request, reply) : NULL;
    if (!json)
        return;
    if (is_event(request, "deployment_status"))
        take_deployment(api, request, json, reply);
    else if (is_event(request, "issues"))
        take_issue(api, json, reply);
    else
        http_reply_json(reply, 200, NULL, "{\"ignored\":true}\n");
    json_decref(json);
}
