/* native_event.c -- one native object into one event: a table of fields, then title and key.
 *
 * A field is read by the reader of its row. What a reader can't take, what is cut, and what no row
 * names, is kept whole under payload; the hard thing is that payload then has members of its own,
 * the event's `payload` (or `details`), and left-overs, and none may push out another. */
#include "ingest/native_internal.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/scrub.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_BYTES_MAX = 8 * MIB, FUTURE_MS_MAX = 60 * 1000, LEFT_OVERS_MAX = 200 };

static bool warn(struct reading *r, const char *field, const char *detail)
{
    struct native_batch *b = r->batch;
    if (!b->warnings)
        b->warnings = arena_alloc(r->arena, INGEST_WARNINGS_MAX * sizeof *b->warnings);
    if (!b->warnings || b->warnings_count == INGEST_WARNINGS_MAX) {
        b->warnings_dropped++;
        return false;
    }
    size_t len = strlen(field);
    char *name = arena_str_dup_n(r->arena, field, len < 100 ? len : 100);
    b->warnings[b->warnings_count++] = (struct native_warning){b->count, name ? name : "?", detail};
    return false;
}

/* Text of a string or number, NUL-terminated, cut at `max`. *cut tells of a cut. */
static const char *text_of(struct reading *r, const struct json_value *v, size_t max, bool *cut)
{
    if (v->kind != JSON_STRING_V && v->kind != JSON_NUMBER_V)
        return NULL;
    size_t len = v->len;
    if (len > max) {
        len = utf8_cut(v->text, len, max);
        *cut = true;
    }
    char *copy = arena_str_dup_n(r->arena, v->text, len);
    if (!copy) {
        r->out_of_memory = true;
        return NULL;
    }
    return copy;
}

static bool key_is(const struct json_value *v, const char *name)
{
    return v->key_len == strlen(name) && memcmp(v->key, name, v->key_len) == 0;
}

/* A reader returns false when the value is to be kept under payload. */
typedef bool read_fn(struct reading *r, const struct json_value *v, const char **slot);

static bool read_text_up_to(struct reading *r, const struct json_value *v, const char **slot,
                            size_t max)
{
    bool cut = false;
    const char *text = text_of(r, v, max, &cut);
    if (!text)
        return r->out_of_memory || warn(r, v->key, "is not text: kept under payload");
    if (text[strspn(text, " \t\r\n")])
        *slot = text;
    return cut ? warn(r, v->key, "is too long: cut, and kept whole under payload") : true;
}

static bool read_name(struct reading *r, const struct json_value *v, const char **slot)
{
    return read_text_up_to(r, v, slot, NAME_BYTES_MAX);
}

static bool read_long(struct reading *r, const struct json_value *v, const char **slot)
{
    return read_text_up_to(r, v, slot, INGEST_EVENT_BYTES_MAX);
}

static bool read_event_id(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    if (v->kind == JSON_STRING_V && hex32_parse(v->text, v->len, r->event->event_id))
        return true;
    r->event->event_id[0] = '\0';
    return warn(r, v->key, "is not 32 hex digits or a UUID: a new one was made");
}

static bool number_of(const struct json_value *v, double *out)
{
    char text[64];
    if ((v->kind != JSON_NUMBER_V && v->kind != JSON_STRING_V) || v->len == 0 ||
        v->len >= sizeof text)
        return false;
    memcpy(text, v->text, v->len);
    text[v->len] = '\0';
    char *end = NULL;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static bool read_occurred_at(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    double seconds = 0;
    int64_t ms = 0;
    if (v->kind == JSON_STRING_V && clock_parse_rfc3339(v->text, v->len, &ms))
        ;
    else if (number_of(v, &seconds) && fabs(seconds) < 1e13)
        ms = (int64_t)(seconds * 1000.0);
    else
        return warn(r, v->key, "is neither RFC 3339 nor Unix seconds: time of receipt is used");
    if (ms > r->now_ms + FUTURE_MS_MAX)
        return warn(r, v->key, "is more than 60 s ahead: time of receipt is used");
    if (ms < 0)
        return warn(r, v->key, "is before 1970: time of receipt is used");
    r->event->occurred_ms = ms;
    return true;
}

static bool read_origin(struct reading *r, const struct json_value *v, const char **slot)
{
    bool cut = false;
    char *text = (char *)(uintptr_t)text_of(r, v, ORIGIN_BYTES_MAX, &cut);
    if (!text || !text[0])
        return r->out_of_memory || warn(r, v->key, "is not text: kept under payload");
    for (char *p = text; *p; p++) {
        char c = (char)tolower((unsigned char)*p);
        *p = isalnum((unsigned char)c) || strchr("_.-", c) ? c : '_';
    }
    *slot = text;
    return cut ? warn(r, v->key, "is over 64 bytes: cut, and kept whole under payload") : true;
}

static bool read_severity(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    enum severity severity = SEV_ERROR;
    bool known = (v->kind == JSON_STRING_V || v->kind == JSON_NUMBER_V) &&
                 severity_parse(v->text, v->len, &severity);
    /* `severity` beats its alias `level`, and what is known beats what is not */
    int rank = (known ? 2 : 0) + key_is(v, "severity");
    if (rank >= r->severity_rank) {
        r->event->severity = severity;
        r->severity_rank = rank;
    }
    return known || warn(r, v->key, "is unknown: error is used");
}

static bool read_status(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    if (v->kind == JSON_STRING_V && status_parse(v->text, v->len, &r->event->status))
        return true;
    return warn(r, v->key, "is none of new, in_progress, resolved: new is used");
}

static bool read_chat_id(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    char text[24];
    if ((v->kind == JSON_NUMBER_V || v->kind == JSON_STRING_V) && v->len > 0 &&
        v->len < sizeof text) {
        memcpy(text, v->text, v->len);
        text[v->len] = '\0';
        char *end = NULL;
        errno = 0;
        long long id = strtoll(text, &end, 10);
        if (*end == '\0' && errno == 0) {
            r->event->chat_id = id;
            r->event->has_chat_id = true;
            return true;
        }
    }
    return warn(r, v->key, "is not a 64-bit number: kept under payload");
}

static bool read_json_text(struct reading *r, const struct json_value *v, const char **slot)
{
    struct buf out;
    buf_init(&out, PAYLOAD_BYTES_MAX);
    json_write(v, &out);
    if (!out.full)
        *slot = arena_str_dup_n(r->arena, buf_text(&out), out.len);
    buf_fini(&out);
    r->out_of_memory = r->out_of_memory || !*slot;
    return true;
}

static bool read_tags(struct reading *r, const struct json_value *v, const char **slot)
{
    if (v->kind != JSON_OBJECT_V)
        return warn(r, v->key, "is not an object: kept under payload");
    return read_json_text(r, v, slot);
}

static bool read_breadcrumbs(struct reading *r, const struct json_value *v, const char **slot)
{
    if (v->kind != JSON_ARRAY_V)
        return warn(r, v->key, "is not an array: kept under payload");
    size_t count = 0;
    for (const struct json_value *b = v->first; b; b = b->next)
        count++;
    struct json_value last = *v;
    for (; count > BREADCRUMBS_MAX; count--)
        last.first = last.first->next;
    return read_json_text(r, &last, slot);
}

static bool read_payload(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    if (v->kind != JSON_OBJECT_V)
        return warn(r, v->key, "is not an object: kept inside payload");
    if (r->has_payload)
        return false; /* both payload and details: the second goes inside the first */
    r->payload = *v;
    r->has_payload = true;
    return true;
}

static bool read_fingerprint(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    const struct json_value *list = v->kind == JSON_ARRAY_V ? v->first : v;
    const char **parts = arena_alloc(r->arena, FINGERPRINT_PARTS_MAX * sizeof *parts);
    if (!parts)
        return !(r->out_of_memory = true);
    size_t count = 0;
    bool odd = v->kind == JSON_OBJECT_V;
    for (const struct json_value *p = odd ? NULL : list; p;
         p = v->kind == JSON_ARRAY_V ? p->next : NULL) {
        bool cut = false;
        const char *text =
            count < FINGERPRINT_PARTS_MAX ? text_of(r, p, FINGERPRINT_PART_BYTES_MAX, &cut) : NULL;
        odd = odd || !text || cut;
        if (text)
            parts[count++] = text;
    }
    r->fingerprint = (struct fingerprint_parts){parts, count};
    return !odd || warn(r, v->key, "has parts that are not text, too long or too many");
}

static bool read_exception(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    if (v->kind == JSON_STRING_V)
        return read_long(r, v, &r->exception_value);
    if (v->kind != JSON_OBJECT_V)
        return warn(r, v->key, "is not an object: kept under payload");
    bool all = true;
    for (const struct json_value *m = v->first; m; m = m->next) {
        struct json_value named = *m;
        if (m->kind == JSON_NULL_V)
            continue;
        if (key_is(m, "type")) {
            named.key = "exception.type";
            all = read_name(r, &named, &r->event->exception_type) && all;
        } else if (key_is(m, "value")) {
            named.key = "exception.value";
            all = read_long(r, &named, &r->exception_value) && all;
        } else if (key_is(m, "stacktrace")) {
            named.key = "exception.stacktrace";
            all = read_long(r, &named, &r->event->stacktrace) && all;
        } else {
            all = false;
        }
    }
    return all;
}

static bool read_type(struct reading *r, const struct json_value *v, const char **slot)
{
    (void)slot;
    return read_name(r, v, &r->type);
}

#define SLOT(field) offsetof(struct event, field)
#define NO_SLOT 0

#define FIELD(name) name, sizeof(name) - 1

static const struct field {
    const char *name;
    size_t name_len;
    read_fn *read;
    size_t slot;
    enum scrub_reach reach;
} FIELDS[] = {
    {FIELD("event_id"), read_event_id, NO_SLOT, SCRUB_NAMES},
    {FIELD("occurred_at"), read_occurred_at, NO_SLOT, SCRUB_NAMES},
    {FIELD("origin"), read_origin, SLOT(origin), SCRUB_NAMES},
    {FIELD("severity"), read_severity, NO_SLOT, SCRUB_NAMES},
    {FIELD("level"), read_severity, NO_SLOT, SCRUB_NAMES},
    {FIELD("status"), read_status, NO_SLOT, SCRUB_NAMES},
    {FIELD("handler"), read_name, SLOT(handler), SCRUB_NAMES},
    {FIELD("message"), read_long, SLOT(message), SCRUB_TEXT},
    {FIELD("exception"), read_exception, NO_SLOT, SCRUB_TEXT},
    {FIELD("type"), read_type, NO_SLOT, SCRUB_TEXT},
    {FIELD("stacktrace"), read_long, SLOT(stacktrace), SCRUB_TEXT},
    {FIELD("chat_id"), read_chat_id, NO_SLOT, SCRUB_NAMES},
    {FIELD("user_id"), read_name, SLOT(user_id), SCRUB_NAMES},
    {FIELD("gen_request_id"), read_name, SLOT(gen_request_id), SCRUB_NAMES},
    {FIELD("request_id"), read_name, SLOT(request_id), SCRUB_NAMES},
    {FIELD("session_id"), read_name, SLOT(session_id), SCRUB_NAMES},
    {FIELD("trace_id"), read_name, SLOT(trace_id), SCRUB_NAMES},
    {FIELD("environment"), read_name, SLOT(environment), SCRUB_NAMES},
    {FIELD("release"), read_name, SLOT(release), SCRUB_NAMES},
    {FIELD("server_name"), read_name, SLOT(server_name), SCRUB_NAMES},
    {FIELD("tags"), read_tags, SLOT(tags), SCRUB_ALL},
    {FIELD("breadcrumbs"), read_breadcrumbs, SLOT(breadcrumbs), SCRUB_ALL},
    {FIELD("payload"), read_payload, NO_SLOT, SCRUB_ALL},
    {FIELD("details"), read_payload, NO_SLOT, SCRUB_ALL},
    {FIELD("fingerprint"), read_fingerprint, NO_SLOT, SCRUB_NAMES},
};

static const struct field *find_field(const struct json_value *v)
{
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if (v->key_len == FIELDS[i].name_len && memcmp(v->key, FIELDS[i].name, v->key_len) == 0)
            return &FIELDS[i];
    return NULL;
}

static void add_rest(struct reading *r, struct json_value *all, struct json_value *first)
{
    struct json_value *rest = arena_alloc(r->arena, sizeof *rest);
    if (!rest) {
        r->out_of_memory = true;
        return;
    }
    *rest = (struct json_value){
        .kind = JSON_OBJECT_V, .first = first, .key = "event.more", .key_len = 10};
    *(all->last ? &all->last->next : &all->first) = rest;
    all->last = rest;
}

/* The payload column: the event's own payload, then left-overs; a name that is taken gets a mark. */
static void write_payload(struct reading *r, struct json_value *left_overs)
{
    struct json_value all = {.kind = JSON_OBJECT_V};
    struct json_value own = {.kind = JSON_OBJECT_V};
    if (r->has_payload)
        own = all = r->payload;
    int looked_up = 0;
    for (struct json_value *v = left_overs, *next; v; v = next) {
        next = v->next;
        if (++looked_up > LEFT_OVERS_MAX) { /* each costs a look-up: the rest stays together */
            add_rest(r, &all, v);
            break;
        }
        v->next = NULL;
        char *key = arena_alloc(r->arena, v->key_len + 7);
        if (!key) {
            r->out_of_memory = true;
            return;
        }
        memcpy(key, "event.", 6);
        memcpy(key + 6, v->key, v->key_len);
        key[v->key_len + 6] = '\0';
        if (own.first && json_find(&own, key + 6)) {
            v->key = key;
            v->key_len += 6;
        }
        *(all.last ? &all.last->next : &all.first) = v;
        all.last = v;
    }
    if (all.first)
        read_json_text(r, &all, &r->event->payload);
}

/* What nobody knows is data, and its key may name a secret. */
static void scrub_member(struct reading *r, const struct field *field, struct json_value *v)
{
    struct json_value one = *v;
    struct json_value wrapper = {.kind = JSON_OBJECT_V, .first = &one, .last = &one};
    one.next = NULL;
    if (field) {
        r->batch->scrubbed += scrub_tree(r->scrub, field->reach, v, r->arena);
        return;
    }
    r->batch->scrubbed += scrub_tree(r->scrub, SCRUB_ALL, &wrapper, r->arena);
    one.next = v->next;
    *v = one;
}

bool native_event(const struct json_value *object, const struct native_config *config,
                  struct arena *arena, struct native_batch *batch, struct event *event,
                  struct err *err)
{
    *event = (struct event){.project_id = config->project_id,
                            .severity = SEV_ERROR,
                            .occurred_ms = config->now_ms,
                            .received_ms = config->now_ms};
    struct reading r = {.arena = arena,
                        .batch = batch,
                        .event = event,
                        .scrub = config->scrub,
                        .now_ms = config->now_ms};
    struct json_value left = {.kind = JSON_OBJECT_V};
    for (struct json_value *v = object->first, *next; v; v = next) {
        next = v->next;
        const struct field *field = find_field(v);
        if (field && v->kind == JSON_NULL_V)
            continue;
        scrub_member(&r, field, v);
        /* readers name the field in warnings: keys of known fields are plain words */
        struct json_value named = *v;
        named.key = field ? field->name : v->key;
        const char *none = NULL;
        const char **slot =
            field && field->slot ? (const char **)(void *)((char *)event + field->slot) : &none;
        if (field && field->read(&r, &named, slot))
            continue;
        v->next = NULL;
        *(left.last ? &left.last->next : &left.first) = v;
        left.last = v;
    }
    write_payload(&r, left.first);
    if (r.out_of_memory)
        return err_set(err, ERR_LIMIT, "the request is too large");
    if (!native_make_title(&r, err))
        return false;
    native_finish(&r);
    event->is_import = event->status != STATUS_NEW;
    return event->title || err_set(err, ERR_LIMIT, "the request is too large");
}
