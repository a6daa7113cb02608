/* reports.c -- see reports.h.
 *
 *     POST: key --> JSON, scrubbed --> event and row in one transaction --> {"id", "code", "about"}
 *     GET:  key --> code --> {"state", "title"}                                                */
#include "api/reports.h"

#include "core/event_code.h"
#include "core/json_out.h"
#include "core/limits.h"
#include "core/mem.h"
#include "ingest/report.h"
#include "store/user_report.h"

#include <stdlib.h>

enum { ARENA_BYTES_MAX = 4 * MIB };

struct taking {
    struct http_reply *reply;
    struct arena *arena;
    struct user_report report;
};

static void on_added(void *ctx, int64_t id, const char *about, const struct err *err)
{
    struct taking *t = ctx;
    char code[EVENT_CODE_BYTES];
    struct buf json;
    (void)id;
    buf_init(&json, 4 * KIB);
    event_code(t->report.event_id, code);
    buf_addf(&json, "{\"id\":\"%s\",\"code\":\"%s\",\"about\":", t->report.event_id, code);
    if (*about)
        json_add_str(&json, about);
    else
        buf_add_str(&json, "null");
    buf_add_str(&json, "}\n");
    if (err)
        http_reply_error(t->reply, 503, err->text);
    else
        http_reply_json(t->reply, 200, NULL, buf_text(&json));
    buf_fini(&json);
    arena_free(t->arena);
    free(t);
}

static void take(const struct ingest *in, const struct project *project,
                 const struct http_request *request, struct http_reply *reply)
{
    struct err err = {0};
    struct buf inflated;
    const char *body = NULL;
    size_t len = 0;
    int status = 0;
    buf_init(&inflated, SMALL_BODY_BYTES_MAX);
    if (!intake_body(request, reply, &inflated, &body, &len, &status, &err)) {
        buf_fini(&inflated);
        http_reply_error(reply, status, err.text);
        return;
    }
    struct taking *t = mem_alloc(sizeof *t);
    *t = (struct taking){.reply = reply, .arena = arena_new(ARENA_BYTES_MAX)};
    bool ok = report_read(body, len, project->id, in->scrub, t->arena, &t->report, &err);
    buf_fini(&inflated);
    if (!ok) {
        http_reply_error(reply, err.kind == ERR_LIMIT ? 413 : 400, err.text);
        arena_free(t->arena);
        free(t);
        return;
    }
    store_user_report_add(in->pg, &t->report, on_added, t);
}

static void on_found(void *ctx, const char *state, const char *title, const struct err *err)
{
    struct http_reply *reply = ctx;
    struct buf json;
    if (err || !state) {
        http_reply_error(reply, err ? 503 : 404,
                         err ? err->text : "no report of the last seven days has this code");
        return;
    }
    buf_init(&json, 8 * KIB);
    buf_addf(&json, "{\"state\":\"%s\",\"title\":", state);
    json_add_str(&json, title);
    buf_add_str(&json, "}\n");
    http_reply_json(reply, 200, NULL, buf_text(&json));
    buf_fini(&json);
}

static void find(const struct ingest *in, const struct project *project,
                 const struct http_request *request, struct http_reply *reply)
{
    char code[32] = "";
    char low[RANDOM_HEX_BYTES];
    char high[RANDOM_HEX_BYTES];
    if (!http_query_find(request->head->query, "code", code, sizeof code) ||
        !event_code_range(code, low, high))
        http_reply_error(reply, 400,
                         "?code= takes the six characters that POST /api/reports answered");
    else
        store_user_report_find(in->pg, project->id, low, high, on_found, reply);
}

void api_reports(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    const struct ingest *in = ctx;
    const struct project *project = intake_sender(in, request, reply);
    if (!project)
        return;
    if (!in->pg || !pg_is_up(in->pg))
        http_reply_error_with(reply, 503, "Retry-After: 10\r\n",
                              "the database is away: send it again later");
    else if (request->head->method == HTTP_POST)
        take(in, project, request, reply);
    else
        find(in, project, request, reply);
}
