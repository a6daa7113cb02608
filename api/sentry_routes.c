/* sentry_routes.c -- from a request of an SDK to the word "kept".
 *
 *     path, key, rate --> body --> batch --+--> keeper (events, their files) --+
 *                                          +--> feedback, sessions, files -----+--> answer
 *                                          +--> monitors (check-ins) ----------+
 *
 * The answer is 200 once everything is committed (SDKs of Java take nothing else for success), and
 * tells the SDK which data not to send any more. */
#include "api/sentry_routes.h"

#include "api/sentry_auth.h"
#include "api/sentry_cron.h"
#include "api/sentry_upload.h"
#include "api/session_seen.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "ingest/sentry.h"
#include "monitors/monitors.h"
#include "store/companion.h"
#include "store/feedback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_ARENA_BYTES_MAX = 96 * MIB };

/* Never an empty list of categories: that would mean all. */
static const char NOT_KEPT_HEADER[] =
    "X-Sentry-Rate-Limits: 86400:transaction;span;profile;profile_chunk;profile_chunk_ui;replay;"
    "log_item;log_byte;trace_metric;metric_bucket:organization\r\n";
static const unsigned char GIF[] =
    "GIF89a\1\0\1\0\200\0\0\0\0\0\0\0\0!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1"
    "\0\0\2\1D\0;";

struct taking {
    const struct ingest *in;
    struct http_reply *reply;
    struct arena *arena;
    struct sentry_batch batch;
    enum sentry_endpoint endpoint;
    bool wants_gif;
    int32_t project_id;
    int pending; /* parts that are not committed yet */
    enum kept kept;
    struct err err;
};

/* ----------------------------------------------------------------------------------------- answers */

static void refuse(struct http_reply *reply, int status, const char *why)
{
    char header[ERR_TEXT_BYTES_MAX + 64];
    char safe[ERR_TEXT_BYTES_MAX];
    size_t n = 0;
    for (const char *p = why; *p && n + 1 < sizeof safe; p++)
        safe[n++] = (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e ? ' ' : *p;
    safe[n] = '\0';
    snprintf(header, sizeof header, "X-Sentry-Error: %s\r\n%s", safe,
             status == 503 ? "Retry-After: 5\r\n" : "");
    http_reply_error_with(reply, status, header, why);
}

static void answer_kept(struct taking *t)
{
    char json[64];
    char how[INTAKE_KEPT_BYTES];
    const char *id = t->batch.event_id;
    intake_kept(t->kept, t->batch.events, t->batch.count, how);
    switch (t->endpoint) {
    case SENTRY_STORE:
        if (t->wants_gif) {
            http_reply_send(t->reply, 200, "image/gif", how, (const char *)GIF, sizeof GIF - 1);
            return;
        }
        break;
    case SENTRY_SECURITY:
    case SENTRY_NOT_KEPT:
        http_reply_send(t->reply, 200, NULL, how, "", 0);
        return;
    case SENTRY_CRON:
        http_reply_send(t->reply, 202, NULL, NULL, "", 0);
        return;
    case SENTRY_ATTACHMENTS:
        http_reply_send(t->reply, 201, NULL, NULL, "", 0);
        return;
    case SENTRY_MINIDUMP:
        snprintf(json, sizeof json, "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16,
                 id + 20);
        http_reply_send(t->reply, 200, "text/plain", how, json, strlen(json));
        return;
    default:
        break;
    }
    if (id[0] && (t->batch.count || t->batch.feedback))
        snprintf(json, sizeof json, "{\"id\":\"%s\"}", id);
    else
        snprintf(json, sizeof json, "{}");
    char headers[sizeof NOT_KEPT_HEADER + INTAKE_KEPT_BYTES];
    snprintf(headers, sizeof headers, "%s%s", NOT_KEPT_HEADER, how);
    http_reply_json(t->reply, 200, headers, json);
}

static void taking_free(struct taking *t)
{
    arena_free(t->arena);
    free(t);
}

static void part_done(struct taking *t, const struct err *err)
{
    if (err && t->err.kind == ERR_NONE)
        t->err = *err;
    if (--t->pending > 0)
        return;
    if (t->err.kind == ERR_NONE)
        answer_kept(t);
    else
        refuse(t->reply, t->err.kind == ERR_BUG ? 500 : 503, t->err.text);
    taking_free(t);
}

/* ----------------------------------------------------------------------------------------- keeping */

static void on_events(void *ctx, enum kept kept, const struct err *err)
{
    struct taking *t = ctx;
    t->kept = kept;
    part_done(t, err);
}

static void on_checkins(void *ctx, const struct err *err)
{
    part_done(ctx, err);
}

static void on_companions(void *ctx, const struct pg_reply *reply)
{
    struct taking *t = ctx;
    if (reply->err)
        session_seen_forget(t->in->sessions, t->project_id, t->batch.sessions);
    part_done(t, reply->err);
}

static void keep_companions(struct taking *t, int32_t project_id)
{
    struct pg_batch *batch = pg_batch_new();
    t->project_id = project_id;
    session_seen_sift(t->in->sessions, project_id, t->batch.sessions);
    store_feedback_add(batch, project_id, t->batch.feedback);
    store_sessions_add(batch, project_id, t->batch.sessions);
    if (t->batch.event_id[0])
        store_attachments_add(batch, project_id, t->batch.event_id, t->batch.loose,
                              ATTACHMENTS_MAX);
    for (const struct feedback *f = t->batch.feedback; f; f = f->next)
        metric_add(METRIC_FEEDBACK, 1);
    for (const struct session_count *s = t->batch.sessions; s; s = s->next)
        metric_add(METRIC_SESSIONS, s->started);
    pg_run(t->in->pg, batch, on_companions, t);
}

static void note_metrics(const struct sentry_batch *b)
{
    metric_add(METRIC_SCRUBBED, b->notes.scrubbed);
    metric_add(METRIC_SDK_FIELDS_UNREADABLE, b->notes.unreadable);
    metric_add(METRIC_SDK_EVENTS_TRIMMED, b->notes.trimmed);
    metric_add(METRIC_SDK_ITEMS_NOT_KEPT, (int64_t)b->not_kept);
    metric_add(METRIC_SDK_ERRORS_DROPPED, b->discards.errors);
    metric_add(METRIC_SDK_OTHERS_DROPPED, b->discards.others);
}

/* Everything of the batch goes its way; the answer waits for the last part. */
static void keep(struct taking *t, const struct project *project)
{
    struct sentry_batch *b = &t->batch;
    struct err err = {0};
    int32_t project_id = project->id;
    note_metrics(b);
    for (size_t i = 0; i < b->count; i++)
        if (b->events[i].severity > project->severity_max)
            b->events[i].severity = project->severity_max;
    t->pending = 1; /* this function itself */
    bool companions = b->feedback || b->sessions || (b->loose && b->event_id[0]);
    if ((companions || b->checkins) && !t->in->pg)
        err_set(
            &t->err, ERR_RETRY,
            "the database was not reached yet: events are kept, check-ins, sessions and feedback "
            "are not");
    if (companions && t->in->pg) {
        t->pending++;
        keep_companions(t, project_id);
    }
    if (b->checkins && t->in->pg) {
        t->pending++;
        monitors_take(t->in->monitors, project_id, b->checkins, on_checkins, t);
    }
    if (b->count) {
        t->pending++;
        if (!store_keeper_take(t->in->keeper, b->events, b->count, on_events, t, &err)) {
            t->err = err;
            t->pending--;
        }
    }
    part_done(t, NULL);
}

/* ----------------------------------------------------------------------------------------- reading */

struct arrival {
    const struct http_request *request;
    struct sentry_path path;
    const char *body;
    size_t len;
    struct sentry_config config;
};

static bool is_json(const struct http_request *request)
{
    struct slice type = http_head_find(request->head, "content-type");
    return type.at && type.len >= 16 && strncasecmp(type.at, "application/json", 16) == 0;
}

/* One word of the query, scrubbed; NULL: it is not there. False: the arena is full. */
static bool query_text(struct taking *t, const struct arrival *a, const char *name,
                       const char **out)
{
    char text[NAME_BYTES_MAX];
    if (!http_query_find(a->request->head->query, name, text, sizeof text) || !text[0])
        return true;
    *out = sentry_name(text, strlen(text), SCRUB_WORDS, &a->config, t->arena, &t->batch.notes);
    return *out != NULL;
}

static bool read_store(struct taking *t, const struct arrival *a, struct err *err)
{
    static const char ENVELOPE[] = "application/x-sentry-envelope";
    struct sentry_limits limits = {t->in->attachment_bytes_max};
    struct slice type = http_head_find(a->request->head, "content-type");
    struct buf decoded;
    struct buf query;
    const char *body = a->body;
    size_t len = a->len;
    bool is_post = a->request->head->method == HTTP_POST;
    if (is_post && type.at && type.len >= sizeof ENVELOPE - 1 &&
        strncasecmp(type.at, ENVELOPE, sizeof ENVELOPE - 1) == 0)
        return sentry_read_envelope(body, len, &a->config, &limits, t->arena, &t->batch, err);
    buf_init(&decoded, INGEST_INFLATED_BYTES_MAX);
    buf_init(&query, HTTP_HEAD_BYTES_MAX + 1);
    if (!is_post) {
        t->wants_gif = true;
        if (buf_reserve(&query, HTTP_HEAD_BYTES_MAX) &&
            http_query_find(a->request->head->query, "sentry_data", query.data,
                            HTTP_HEAD_BYTES_MAX)) {
            body = query.data;
            len = strlen(query.data);
            for (char *p = query.data; *p; p++)
                *p = *p == ' ' ? '+' : *p; /* a plus that was not encoded */
        }
    }
    bool ok = len > 0 || err_set(err, ERR_INPUT, "the body is empty: an event is taken");
    ok = ok && sentry_store_open(&body, &len, &decoded, err) &&
         sentry_read_event(body, len, &a->config, t->arena, &t->batch, err);
    buf_fini(&query);
    buf_fini(&decoded);
    return ok;
}

/* What a report-uri says of the page that the browser does not: ?sentry_release=, ?sentry_environment=
 * (Relay's security endpoint). */
static bool name_reports(struct taking *t, const struct arrival *a, struct err *err)
{
    const char *release = NULL;
    const char *environment = NULL;
    bool ok = query_text(t, a, "sentry_release", &release) &&
              query_text(t, a, "sentry_environment", &environment);
    for (size_t i = 0; i < t->batch.count; i++) {
        t->batch.events[i].release = release;
        t->batch.events[i].environment = environment;
    }
    return ok || err_set(err, ERR_LIMIT, "the request is too large");
}

static bool read_batch(struct taking *t, const struct arrival *a, struct err *err)
{
    struct sentry_limits limits = {t->in->attachment_bytes_max};
    switch (a->path.endpoint) {
    case SENTRY_ENVELOPE:
        return sentry_read_envelope(a->body, a->len, &a->config, &limits, t->arena, &t->batch, err);
    case SENTRY_STORE:
        return read_store(t, a, err);
    case SENTRY_SECURITY:
        return sentry_read_security(a->body, a->len, &a->config, t->arena, &t->batch, err) &&
               name_reports(t, a, err);
    case SENTRY_CRON:
        return sentry_cron_read(a->request, &a->path, a->body, is_json(a->request) ? a->len : 0,
                                &a->config, t->arena, &t->batch, err);
    case SENTRY_MINIDUMP:
    case SENTRY_ATTACHMENTS:
        return sentry_upload_read(a->request, &a->path, a->body, a->len, &a->config, &limits,
                                  t->arena, &t->batch, err);
    default:
        t->batch.not_kept = 1;
        return true;
    }
}

static bool takes_method(const struct sentry_path *path, enum http_method method)
{
    bool get_too = path->endpoint == SENTRY_STORE || path->endpoint == SENTRY_CRON;
    return method == HTTP_POST || (get_too && method == HTTP_GET);
}

enum { STATUS_NO_KEY = 0 }; /* answered 401, like a wrong one */

/* NULL: *status and *why say what to answer. The envelope's own dsn counts when nothing else names a
 * key; then the body had to be opened first. */
static const struct project *find_project(const struct ingest *in,
                                          const struct http_request *request,
                                          const struct sentry_path *path, const char *body,
                                          size_t len, int *status, const char **why)
{
    char key[SENTRY_KEY_BYTES];
    int64_t project_id = path->project_id;
    *status = STATUS_NO_KEY;
    *why = "no key: send X-Sentry-Auth, ?sentry_key= or the dsn in the envelope";
    if (!sentry_auth_key(request->head, path, key) &&
        !(path->endpoint == SENTRY_ENVELOPE && body &&
          sentry_envelope_dsn(body, len, key, &project_id)))
        return NULL;
    const struct project *project = intake_project(in, key, status, why);
    if (!project)
        return NULL;
    if (path->project_id > 0 && path->project_id != project->id) {
        *status = 403;
        *why = "the key belongs to another project than the path names";
        return NULL;
    }
    return project;
}

/* Answers 429 when the key or the address is over its rate. */
static bool is_limited(const struct ingest *in, const struct project *project,
                       const struct sentry_path *path, const struct http_request *request,
                       struct http_reply *reply)
{
    static const char LIMITED[] = "X-Sentry-Rate-Limits: %lld:default;error;security;attachment;"
                                  "feedback;session:key\r\n";
    char limits[160];
    int64_t wait = intake_rate(in, project, request, 1);
    /* clients of these try again and again: Relay never answers them 429 either, but they count */
    if (wait <= 0 || path->endpoint == SENTRY_CRON || path->endpoint == SENTRY_MINIDUMP)
        return false;
    snprintf(limits, sizeof limits, LIMITED, (long long)wait);
    http_reply_too_many(reply, wait, limits);
    return true;
}

static void take(const struct ingest *in, const struct arrival *a, const struct project *project,
                 struct http_reply *reply)
{
    struct err err = {0};
    struct taking *t = mem_alloc(sizeof *t);
    t->in = in;
    t->reply = reply;
    t->endpoint = a->path.endpoint;
    t->arena = arena_new(REQUEST_ARENA_BYTES_MAX);
    if (!read_batch(t, a, &err)) {
        log_debug("request of an SDK refused", LOG_S("error", err.text), LOG_END);
        refuse(reply, err.kind == ERR_LIMIT ? 413 : 400, err.text);
        taking_free(t);
        return;
    }
    size_t count = t->batch.count;
    for (const struct checkin *c = t->batch.checkins; c; c = c->next)
        count++;
    if (count > 1)
        intake_rate(in, project, a->request, (int64_t)count - 1);
    http_reply_drop_body(reply);
    keep(t, project);
}

/* Called before the body is unpacked, so that a wrong key, or one over its rate, costs nothing; then
 * no project may be known yet: the envelope's own dsn names it, and this is called again. False:
 * answered. */
static bool admit(const struct ingest *in, const struct arrival *a, const struct project **project,
                  struct http_reply *reply)
{
    int status = 0;
    const char *why = NULL;
    *project = find_project(in, a->request, &a->path, a->body, a->len, &status, &why);
    if (*project)
        return !is_limited(in, *project, &a->path, a->request, reply);
    if (status == STATUS_NO_KEY && a->path.endpoint == SENTRY_ENVELOPE && !a->body)
        return true;
    refuse(reply, status == STATUS_NO_KEY ? 401 : status, why);
    return false;
}

void api_sentry(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct ingest *in = ctx;
    struct arrival a = {.request = request};
    const struct project *project = NULL;
    struct buf inflated;
    struct err err = {0};
    int status = 0;
    char address[CLIENT_BYTES];
    sentry_path_parse(request->head->path, &a.path);
    if (a.path.project_id < 0 || !takes_method(&a.path, request->head->method)) {
        bool method = a.path.project_id >= 0;
        refuse(reply, method ? 405 : 400,
               method ? "this endpoint takes POST" : "the project in the path is no number");
        return;
    }
    if (!admit(in, &a, &project, reply))
        return;
    buf_init(&inflated, INGEST_INFLATED_BYTES_MAX);
    if (!intake_body(request, reply, &inflated, &a.body, &a.len, &status, &err)) {
        refuse(reply, status, err.text);
    } else if (project || admit(in, &a, &project, reply)) {
        client_address(&in->proxies, request, address);
        a.config = (struct sentry_config){in->scrub,       in->unhandled, project->id,
                                          clock_wall_ms(), address,       in->keeps_original};
        take(in, &a, project, reply);
    }
    buf_fini(&inflated);
}
