/* forward.c -- members one by one; tags of our own last, since they win. */
#include "ingest/forward.h"

#include "core/json_out.h"
#include "ingest/stack.h"

#include <inttypes.h>
#include <string.h>

/* Whoever receives it knows by this tag that it is not to be sent on. */
static const char FORWARDED_TAG[] = "nabat.forwarded";

static bool is_ours_to_write(const struct json_value *member)
{
    static const char *const NAMES[] = {"event_id", "tags"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (member->key_len == strlen(NAMES[i]) &&
            memcmp(member->key, NAMES[i], member->key_len) == 0)
            return true;
    return false;
}

void forward_original(const struct json_value *root, struct buf *out)
{
    for (const struct json_value *v = root->first; v; v = v->next) {
        if (is_ours_to_write(v))
            continue;
        json_add_str_n(out, v->key, v->key_len);
        buf_add_char(out, ':');
        json_write(v, out);
        buf_add_char(out, ',');
    }
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    buf_addf(out, "\"%s\":", name);
    json_add_str(out, text);
    buf_add_char(out, ',');
}

static void add_json(struct buf *out, const char *name, const char *json)
{
    if (json)
        buf_addf(out, "\"%s\":%s,", name, json);
}

/* Outermost first, as the protocol has them. */
static void add_frames(struct buf *out, const char *stacktrace)
{
    struct stack stack;
    if (!stacktrace || !stack_parse(stacktrace, &stack))
        return;
    buf_add_str(out, ",\"stacktrace\":{\"frames\":[");
    for (size_t i = stack.count; i-- > 0;) {
        const struct stack_frame *f = &stack.frames[i];
        buf_add_str(out, "{\"function\":");
        json_add_str(out, f->function[0] ? f->function : "?");
        if (f->file[0]) {
            buf_add_str(out, ",\"filename\":");
            json_add_str(out, f->file);
        }
        buf_addf(out, ",\"in_app\":%s}%s", f->in_app ? "true" : "false", i ? "," : "");
    }
    buf_add_str(out, "]}");
}

static void add_exception(struct buf *out, const struct event *e)
{
    buf_add_str(out, "\"exception\":{\"values\":[{\"type\":");
    json_add_str(out, e->exception_type ? e->exception_type : "Error");
    buf_add_str(out, ",\"value\":");
    json_add_str(out, e->message ? e->message : "");
    add_frames(out, e->stacktrace);
    buf_add_str(out, "}]},");
}

static void add_written(struct buf *out, const struct event *e)
{
    buf_addf(out,
             "\"platform\":\"other\",\"level\":\"%s\",\"timestamp\":%" PRId64 ".%03d,"
             "\"sdk\":{\"name\":\"nabat\",\"version\":\"" NABAT_VERSION "\"},",
             e->severity == SEV_CRITICAL ? "fatal" : severity_name(e->severity),
             e->occurred_ms / 1000, (int)(e->occurred_ms % 1000));
    add_text(out, "logger", e->origin);
    add_text(out, "transaction", e->handler);
    add_text(out, "environment", e->environment);
    add_text(out, "release", e->release);
    add_text(out, "server_name", e->server_name);
    if (e->user_id) {
        buf_add_str(out, "\"user\":{\"id\":");
        json_add_str(out, e->user_id);
        buf_add_str(out, "},");
    }
    if (e->exception_type || e->stacktrace)
        add_exception(out, e);
    else
        add_text(out, "message", e->message);
    add_json(out, "extra", e->payload);
    add_json(out, "breadcrumbs", e->breadcrumbs);
}

static void add_tag(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(out, ",\"%s\":", name);
    json_add_str(out, value);
}

/* `e->tags` is an object; what comes last wins. */
static void add_tags(struct buf *out, const struct event *e)
{
    size_t len = e->tags ? strlen(e->tags) : 0;
    buf_add_str(out, "\"tags\":");
    if (len > 2 && e->tags[0] == '{') {
        buf_add(out, e->tags, len - 1);
        buf_add_char(out, ',');
    } else {
        buf_add_char(out, '{');
    }
    buf_addf(out, "\"%s\":\"true\"", FORWARDED_TAG);
    add_tag(out, "origin", e->origin);
    add_tag(out, "gen_request_id", e->gen_request_id);
    if (!e->original) {
        add_tag(out, "request_id", e->request_id);
        add_tag(out, "session_id", e->session_id);
        add_tag(out, "trace_id", e->trace_id);
        if (e->has_chat_id)
            buf_addf(out, ",\"chat_id\":\"%" PRId64 "\"", e->chat_id);
    }
    buf_add_char(out, '}');
}

static bool stays_here(const struct event *e)
{
    return e->is_import || e->is_counted_only || strcmp(e->origin, "nabat_selftest") == 0 ||
           (e->tags && strstr(e->tags, FORWARDED_TAG));
}

bool forward_render(const struct event *e, struct buf *out)
{
    if (stays_here(e))
        return false;
    buf_add_char(out, '{');
    if (e->original)
        buf_add_str(out, e->original);
    else
        add_written(out, e);
    buf_addf(out, "\"event_id\":\"%s\",", e->event_id);
    add_tags(out, e);
    buf_add_char(out, '}');
    return !out->full;
}
