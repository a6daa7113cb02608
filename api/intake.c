/* intake.c -- the checks before anything is read. */
#include "api/intake.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/metric.h"
#include "ingest/body.h"

#include <stdio.h>
#include <string.h>

const struct project *intake_project(const struct ingest *in, const char *key, int *status,
                                     const char **why)
{
    if (!store_projects_are_loaded(in->projects)) {
        *status = 503;
        *why = "the database was not reached yet";
        return NULL;
    }
    const struct project *project = store_project_by_key(in->projects, key);
    if (project && project->enabled)
        return project;
    *status = project ? 403 : 401;
    *why = project ? "the project of this key is disabled" : "the key is not known";
    return NULL;
}

int64_t intake_rate(const struct ingest *in, const struct project *project,
                    const struct http_request *request, int64_t n)
{
    char name[CLIENT_BYTES + 8] = "a";
    int64_t now = clock_mono_ms();
    int64_t wait = 0;
    if (in->proxies.count > 0) { /* first: who is over his own limit uses up nobody else's */
        client_address(&in->proxies, request, name + 1);
        wait = rate_take(in->rates, name, in->rate_per_address, n, now);
    }
    if (wait == 0) {
        snprintf(name, sizeof name, "p%d", project->id);
        wait = rate_take(in->rates, name, project->rate_per_minute, n, now);
    }
    metric_add(METRIC_RATE_LIMITED, wait > 0);
    return wait;
}

static bool reserve(void *ctx, size_t bytes)
{
    return http_reply_reserve(ctx, bytes);
}

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

const struct project *intake_sender(const struct ingest *in, const struct http_request *request,
                                    struct http_reply *reply)
{
    char key[128];
    int status = 401;
    const char *why = "no key: send Authorization: Bearer KEY, X-Api-Key: KEY or ?key=KEY";
    const struct project *project = NULL;
    if (!key_of(request, key, sizeof key))
        key[0] = '\0';
    if (key[0] || !store_projects_are_loaded(in->projects))
        project = intake_project(in, key, &status, &why);
    int64_t wait = project ? intake_rate(in, project, request, 1) : 0;
    if (wait > 0) {
        http_reply_too_many(reply, wait, NULL);
        return NULL;
    }
    if (!project)
        http_reply_error(reply, status, why);
    return project;
}

bool intake_body(const struct http_request *request, struct http_reply *reply, struct buf *inflated,
                 const char **body, size_t *len, int *status, struct err *err)
{
    struct slice coding = http_head_find(request->head, "content-encoding");
    enum body_coding how = body_coding_of(coding.at, coding.len);
    *body = request->body ? request->body : "";
    *len = request->body_len;
    if (how == BODY_UNKNOWN) {
        *status = 415;
        return err_set(err, ERR_INPUT, "Content-Encoding takes " BODY_CODINGS);
    }
    if (how == BODY_IDENTITY)
        return true;
    if (!body_inflate(how, request->body, request->body_len, inflated, reserve, reply, err)) {
        *status = err->kind == ERR_LIMIT ? 413 : err->kind == ERR_RETRY ? 503 : 400;
        return false;
    }
    *body = buf_text(inflated);
    *len = inflated->len;
    return true;
}

const char *intake_kept(enum kept kept, const struct event *events, size_t count,
                        char out[INTAKE_KEPT_BYTES])
{
    size_t n = 0;
    if (kept == KEPT_SPOOLED) {
        snprintf(out, INTAKE_KEPT_BYTES, "X-Nabat-Spooled: 1\r\n");
        return out;
    }
    for (size_t i = 0; i < count; i++)
        n += events[i].is_counted_only;
    out[0] = '\0';
    if (n)
        snprintf(out, INTAKE_KEPT_BYTES, "X-Nabat-Counted: %zu\r\n", n);
    return out;
}
