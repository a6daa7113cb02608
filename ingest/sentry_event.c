/* sentry_event.c -- scrub, trim, read, map, render, key: the order in which an event is made.
 *
 *     tree --scrub--> --trim--> stack --> origin, severity, ids --> texts --> payload --> key
 *
 * The hard thing: what people see (title, message, stack) must be made of what was scrubbed, and
 * nothing that the SDK sent may be lost: what no column shows goes to payload, and frame variables
 * with their source lines into `detail`. */
#include "ingest/sentry_event.h"

#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/forward.h"
#include "ingest/sentry_detail.h"
#include "ingest/sentry_key.h"
#include "ingest/sentry_map.h"
#include "ingest/sentry_render.h"
#include "ingest/sentry_scrub.h"
#include "ingest/sentry_security.h"
#include "ingest/sentry_trim.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    FUTURE_MS_MAX = 60 * 1000,
    SCRUBBED_BYTES_MAX = 4 * MIB, /* what is looked at for secrets; heavier events are cut before */
    PAYLOAD_BYTES_MAX = 4 * MIB,
    MESSAGE_PARAMS_MAX = 50,
    TAGS_MAX = 200
};

struct reading {
    struct json_value *root;
    const struct sentry_config *config;
    struct arena *scratch; /* gone with the tree */
    struct arena *arena;   /* what the event keeps */
    struct sentry_notes *notes;
    struct event *event;
    struct sentry_stack stack;
    const char *template;                  /* what a message is keyed by */
    const char *message;                   /* what people read */
    char report_key[SECURITY_TITLE_BYTES]; /* of a browser's report within an event */
    unsigned trimmed;
};

/* ---------------------------------------------------------------------------------------- message */

static const struct json_value *entry_of(const struct json_value *root)
{
    const struct json_value *v = sentry_get(root, "logentry");
    v = v ? v : sentry_get(root, "sentry.interfaces.Message");
    return v ? v : sentry_get(root, "message");
}

/* "%s", "%d", "%(name)s", "{}" and "{name}" replaced by what `params` holds, in order or by name. */
static const char *interpolate(struct part text, const struct json_value *params,
                               struct arena *arena)
{
    struct buf out;
    const struct json_value *next = sentry_list(params);
    size_t used = 0;
    buf_init(&out, INGEST_EVENT_BYTES_MAX);
    for (size_t i = 0; i < text.len;) {
        size_t n = 0;
        bool percent = text.at[i] == '%';
        if (percent && i + 1 < text.len && strchr("sdrifxu", text.at[i + 1]))
            n = 2;
        else if (text.at[i] == '{' && i + 1 < text.len && text.at[i + 1] == '}')
            n = 2;
        if (n == 0 || !next || params->kind != JSON_ARRAY_V || used == MESSAGE_PARAMS_MAX) {
            buf_add_char(&out, text.at[i++]);
            continue;
        }
        struct part value = sentry_any(next, arena);
        buf_add(&out, value.at, value.len);
        next = next->next;
        used++;
        i += n;
    }
    const char *done =
        sentry_text((struct part){buf_text(&out), out.len}, INGEST_EVENT_BYTES_MAX, arena);
    buf_fini(&out);
    return done;
}

static void read_message(struct reading *r)
{
    const struct json_value *entry = entry_of(r->root);
    struct part plain = {"", 0};
    if (!entry || entry->kind == JSON_FALSE_V)
        return;
    if (entry->kind != JSON_OBJECT_V) {
        plain = sentry_part(entry);
        r->notes->unreadable += entry->kind == JSON_ARRAY_V;
        r->template = r->message = sentry_text(plain, INGEST_EVENT_BYTES_MAX, r->arena);
        return;
    }
    struct part template = sentry_any(sentry_get(entry, "message"), r->scratch);
    struct part formatted = sentry_any(sentry_get(entry, "formatted"), r->scratch);
    const struct json_value *params = sentry_get(entry, "params");
    r->template =
        sentry_text(template.len ? template : formatted, INGEST_EVENT_BYTES_MAX, r->arena);
    if (formatted.len)
        r->message = sentry_text(formatted, INGEST_EVENT_BYTES_MAX, r->arena);
    else if (params)
        r->message = interpolate(template, params, r->arena);
    else
        r->message = r->template;
}

/* ------------------------------------------------------------------------------------------ title */

const char *sentry_title(const char *text, struct arena *arena)
{
    if (!text)
        return NULL;
    text += strspn(text, " \t\r\n");
    size_t len = strcspn(text, "\r\n");
    return len ? arena_str_dup_n(arena, text, utf8_cut(text, len, TITLE_BYTES_MAX)) : NULL;
}

/* "Type: value", "function: value" of a type that says nothing, or what there is of both. */
static const char *exception_title(struct reading *r, const struct sentry_exception *e)
{
    char text[TITLE_BYTES_MAX + NAME_BYTES_MAX];
    struct part type = e->synthetic ? (struct part){"", 0} : part_trim(e->type);
    struct part value = part_trim(e->value);
    if (!type.len && !value.len && e->frames_count) {
        const struct sentry_frame *f = &e->frames[e->frames_count - 1];
        type = f->function.len ? f->function : f->filename;
    }
    if (!type.len && !value.len)
        type = part_trim(e->type);
    snprintf(text, sizeof text, "%.*s%s%.*s", (int)utf8_cut(type.at, type.len, NAME_BYTES_MAX / 2),
             type.at, type.len && value.len ? ": " : "",
             (int)utf8_cut(value.at, value.len, TITLE_BYTES_MAX), value.at);
    return sentry_title(text, r->arena);
}

static const char *last_resort(struct reading *r)
{
    static const char *const PATHS[] = {"metadata.title", "title",       "template.filename",
                                        "culprit",        "transaction", "logger"};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        struct part p = sentry_part(sentry_get_path(r->root, PATHS[i]));
        const char *title =
            sentry_title(sentry_text(p, INGEST_EVENT_BYTES_MAX, r->arena), r->arena);
        if (title)
            return title;
    }
    return "<unlabeled event>";
}

static void make_texts(struct reading *r)
{
    struct event *e = r->event;
    char title[SECURITY_TITLE_BYTES];
    const struct sentry_exception *main = sentry_stack_main(&r->stack);
    const char *value = main ? sentry_text(main->value, INGEST_EVENT_BYTES_MAX, r->arena) : NULL;
    if (main)
        e->exception_type = sentry_text(main->type, NAME_BYTES_MAX, r->arena);
    e->title = main ? exception_title(r, main) : NULL;
    if (!e->title && sentry_security_title(r->root, title, r->report_key)) {
        e->title = sentry_title(title, r->arena);
        r->template = r->report_key;
    }
    if (!e->title)
        e->title = sentry_title(r->message, r->arena);
    if (!e->title && r->stack.has_loose)
        e->title = exception_title(r, &r->stack.loose);
    if (!e->title)
        e->title = last_resort(r);
    e->message = r->message ? r->message : value;
    e->culprit = e->handler;
    if (!r->template || main)
        r->template = value ? value : r->template;
    if (!r->template)
        r->template = sentry_text(sentry_part(sentry_get_path(r->root, "template.filename")),
                                  NAME_BYTES_MAX, r->arena);
}

static bool make_stack(struct reading *r)
{
    struct buf text;
    buf_init(&text, INGEST_EVENT_BYTES_MAX);
    sentry_render(&r->stack, &text);
    if (text.len && !text.full) {
        r->event->stacktrace = arena_str_dup_n(r->arena, buf_text(&text), text.len);
    } else if (text.full) { /* its beginning is better than nothing */
        size_t keep = utf8_cut(text.data, text.len, INGEST_EVENT_BYTES_MAX / 2);
        r->event->stacktrace = arena_str_dup_n(r->arena, text.data, keep);
    }
    bool ok = text.len == 0 || r->event->stacktrace;
    buf_fini(&text);
    return ok;
}

/* ------------------------------------------------------------------------------------------- JSON */

static const char *write_json(struct reading *r, const struct json_value *v)
{
    struct buf out;
    const char *text = NULL;
    buf_init(&out, PAYLOAD_BYTES_MAX);
    json_write(v, &out);
    if (!out.full)
        text = arena_str_dup_n(r->arena, buf_text(&out), out.len);
    r->notes->unreadable +=
        text == NULL; /* millions of small things: the event comes without them */
    buf_fini(&out);
    return text;
}

/* {"name": value, …} of tags in any shape; values that are no text are left out. */
static bool read_tags(struct reading *r)
{
    const struct json_value *tags = sentry_get(r->root, "tags");
    struct json_value object = {.kind = JSON_OBJECT_V};
    const struct json_value *at = NULL;
    const struct json_value *value = NULL;
    struct part name;
    size_t count = 0;
    while (sentry_pair_next(tags, &at, &name, &value) && count < TAGS_MAX) {
        struct part text = sentry_part(value);
        if (!text.len)
            continue;
        struct json_value *tag = arena_alloc(r->scratch, sizeof *tag);
        if (!tag)
            return false;
        *tag = (struct json_value){.kind = JSON_STRING_V,
                                   .text = text.at,
                                   .len = utf8_cut(text.at, text.len, NAME_BYTES_MAX),
                                   .key = name.at,
                                   .key_len = utf8_cut(name.at, name.len, NAME_BYTES_MAX)};
        *(object.last ? &object.last->next : &object.first) = tag;
        object.last = tag;
        count++;
    }
    r->notes->unreadable += tags && !object.first && tags->first;
    if (object.first)
        r->event->tags = write_json(r, &object);
    return true;
}

static bool read_breadcrumbs(struct reading *r)
{
    const struct json_value *list = sentry_get(r->root, "breadcrumbs");
    size_t skip = sentry_list_count(list);
    struct json_value array = {.kind = JSON_ARRAY_V};
    skip = skip > BREADCRUMBS_MAX ? skip - BREADCRUMBS_MAX : 0;
    for (const struct json_value *b = sentry_list(list); b; b = sentry_list_next(list, b)) {
        if (skip > 0) {
            skip--;
            continue;
        }
        struct json_value *copy = arena_alloc(r->scratch, sizeof *copy);
        if (!copy)
            return false;
        *copy = *b;
        copy->next = NULL;
        *(array.last ? &array.last->next : &array.first) = copy;
        array.last = copy;
    }
    if (array.first)
        r->event->breadcrumbs = write_json(r, &array);
    return true;
}

/* Members that have a column, a place in `detail`, or nothing to tell. */
static bool is_shown_elsewhere(const struct json_value *v)
{
    static const char *const NAMES[] = {"event_id",
                                        "timestamp",
                                        "level",
                                        "platform",
                                        "exception",
                                        "sentry.interfaces.Exception",
                                        "threads",
                                        "stacktrace",
                                        "sentry.interfaces.Stacktrace",
                                        "breadcrumbs",
                                        "tags",
                                        "fingerprint",
                                        "transaction",
                                        "environment",
                                        "release",
                                        "server_name",
                                        "modules",
                                        "debug_meta",
                                        "_meta",
                                        "errors",
                                        "received",
                                        "culprit",
                                        "metadata",
                                        "version",
                                        "project",
                                        "key_id",
                                        "type",
                                        "spans",
                                        "measurements",
                                        "location",
                                        "title",
                                        "start_timestamp",
                                        "transaction_info",
                                        "_metrics_summary",
                                        "datetime",
                                        NULL};
    if (v->kind == JSON_NULL_V ||
        ((v->kind == JSON_OBJECT_V || v->kind == JSON_ARRAY_V) && !v->first))
        return true;
    if (v->kind == JSON_STRING_V && v->len == 0)
        return true;
    for (const char *const *n = NAMES; *n; n++)
        if (v->key_len == strlen(*n) && memcmp(v->key, *n, v->key_len) == 0)
            return true;
    return false;
}

static void add_word(struct json_value *object, struct json_value *member, const char *key,
                     const char *text)
{
    *member = (struct json_value){.kind = JSON_STRING_V,
                                  .text = text,
                                  .len = strlen(text),
                                  .key = key,
                                  .key_len = strlen(key)};
    *(object->last ? &object->last->next : &object->first) = member;
    object->last = member;
}

/* Everything else: extra, contexts, request, user, sdk, and what nobody knows. */
static bool make_payload(struct reading *r)
{
    struct json_value payload = {.kind = JSON_OBJECT_V};
    struct json_value trimmed;
    struct json_value mechanism;
    const struct sentry_exception *main = sentry_stack_main(&r->stack);
    for (struct json_value *v = r->root->first; v; v = v->next) {
        if (is_shown_elsewhere(v))
            continue;
        struct json_value *copy = arena_alloc(r->scratch, sizeof *copy);
        if (!copy)
            return false;
        *copy = *v;
        copy->next = NULL;
        *(payload.last ? &payload.last->next : &payload.first) = copy;
        payload.last = copy;
    }
    if (main && main->mechanism.len && main->handled == 0)
        add_word(&payload, &mechanism, "unhandled_by",
                 arena_str_dup_n(r->scratch, main->mechanism.at, main->mechanism.len));
    if (r->trimmed) {
        const char *words = sentry_trim_words(r->trimmed);
        add_word(&payload, &trimmed, "trimmed", arena_str_dup_n(r->scratch, words, strlen(words)));
    }
    if (payload.first)
        r->event->payload = write_json(r, &payload);
    return true;
}

/* ------------------------------------------------------------------------------------------ whole */

static void read_time(struct reading *r)
{
    const struct json_value *v = sentry_get(r->root, "timestamp");
    int64_t ms = 0;
    if (!v)
        return;
    if (sentry_time(v, &ms) && ms <= r->config->now_ms + FUTURE_MS_MAX)
        r->event->occurred_ms = ms;
    else
        r->notes->unreadable++;
}

static void read_event_id(struct reading *r, const char *event_id)
{
    struct part own = sentry_get_part(r->root, "event_id");
    if (event_id[0])
        memcpy(r->event->event_id, event_id, RANDOM_HEX_BYTES);
    else if (!own.len || !hex32_parse(own.at, own.len, r->event->event_id))
        random_event_id(r->config->now_ms, r->event->event_id);
}

/* "{{auto}}": the SDK asks for the address that it can't know. */
static void fill_address(struct reading *r)
{
    struct json_value *ip = json_find(sentry_get(r->root, "user"), "ip_address");
    if (!ip || ip->kind != JSON_STRING_V || !part_equals(sentry_part(ip), "{{auto}}"))
        return;
    ip->text = r->config->address ? r->config->address : "";
    ip->len = strlen(ip->text);
}

/* The tree as it is now: scrubbed, and trimmed if it had to be. */
static bool keep_original(struct reading *r)
{
    struct buf text;
    buf_init(&text, FORWARD_BODY_BYTES_MAX);
    forward_original(r->root, &text);
    r->event->original = text.full ? NULL : arena_str_dup_n(r->arena, buf_text(&text), text.len);
    bool ok = text.full || r->event->original;
    buf_fini(&text);
    return ok;
}

bool sentry_event_read(struct json_value *root, const struct sentry_config *config,
                       const char *event_id, struct arena *scratch, struct arena *arena,
                       struct sentry_notes *notes, struct event *event, struct err *err)
{
    char culprit[SENTRY_CULPRIT_BYTES];
    struct reading r = {.root = root,
                        .config = config,
                        .scratch = scratch,
                        .arena = arena,
                        .notes = notes,
                        .event = event};
    *event = (struct event){.project_id = config->project_id,
                            .occurred_ms = config->now_ms,
                            .received_ms = config->now_ms};
    r.trimmed = sentry_trim(root, SCRUBBED_BYTES_MAX);
    notes->scrubbed += sentry_scrub(config->scrub, root, scratch);
    r.trimmed |= sentry_trim(root, INGEST_EVENT_BYTES_MAX);
    notes->trimmed += r.trimmed != 0;
    fill_address(&r);
    bool ok = sentry_stack_read(root, scratch, &r.stack);
    if (ok) {
        read_event_id(&r, event_id);
        read_time(&r);
        event->origin = sentry_map_origin(root, &r.stack, arena);
        event->severity = sentry_map_severity(root, &r.stack, config->unhandled);
        sentry_map_ids(root, &r.stack, arena, event);
        read_message(&r);
        make_texts(&r);
        ok = make_stack(&r) && read_tags(&r) && read_breadcrumbs(&r) && make_payload(&r) &&
             sentry_detail_make(root, &r.stack, arena, event);
    }
    if (ok && config->keeps_original)
        ok = keep_original(&r);
    if (!ok || !event->title || !event->origin)
        return err_set(err, ERR_LIMIT, "the event is too large to be read");
    sentry_key(root, &r.stack, r.template, scratch, culprit, sizeof culprit, event);
    if (!event->culprit && culprit[0])
        event->culprit = arena_str_dup_n(arena, culprit, strlen(culprit));
    return true;
}
