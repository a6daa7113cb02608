/* native.c -- a request's body cut into elements, and the answer to it.
 *
 * Each element is parsed into an arena of its own that is gone before the next one: what a request
 * holds grows with its events, not with its punctuation. */
#include "ingest/native.h"

#include "core/event_code.h"
#include "core/json_out.h"
#include "core/limits.h"
#include "core/metric.h"

#include <string.h>

enum { PARSE_ARENA_BYTES_MAX = 48 * MIB }; /* the worst legal event: a number every two bytes */

struct cursor {
    const char *start;
    const char *at;
    const char *end;
    bool in_array;
};

static bool bad_element(struct native_batch *batch, size_t index)
{
    batch->bad_index = index;
    batch->has_bad_index = true;
    return false;
}

/* Reads the element at the cursor into the next event of the batch. */
static bool read_element(struct cursor *c, const struct native_config *config, struct arena *arena,
                         struct native_batch *batch, struct err *err)
{
    if (batch->count == INGEST_EVENTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d events in one request", INGEST_EVENTS_MAX);
    struct arena *parse = arena_new(PARSE_ARENA_BYTES_MAX);
    const char *from = c->at;
    const struct json_value *value = json_read(c->start, &c->at, c->end, parse, err);
    bool ok = value != NULL;
    if (!ok && err->kind == ERR_LIMIT)
        err_set(err, ERR_LIMIT, "an event is over the limit of %d bytes", INGEST_EVENT_BYTES_MAX);
    if (ok && c->at - from > INGEST_EVENT_BYTES_MAX)
        ok = err_set(err, ERR_LIMIT, "an event of %zu bytes is over the limit of %d",
                     (size_t)(c->at - from), INGEST_EVENT_BYTES_MAX);
    if (ok && value->kind != JSON_OBJECT_V)
        ok = err_set(err, ERR_INPUT, "element %zu is not an object", batch->count);
    struct event *event = &batch->events[batch->count];
    ok = ok && native_event(value, config, arena, batch, event, err);
    arena_free(parse);
    if (!ok)
        return bad_element(batch, batch->count);
    /* escapes can make the payload six times what was sent */
    event->bytes =
        sizeof *event + (size_t)(c->at - from) + (event->payload ? strlen(event->payload) : 0);
    batch->count++;
    return true;
}

/* Behind an element of an array: *more, or the bracket and then nothing. */
static bool read_comma(struct cursor *c, struct err *err, bool *more)
{
    c->at = json_skip_blanks(c->at, c->end);
    if (c->at < c->end && *c->at == ',') {
        c->at++;
        *more = true;
        return true;
    }
    if (c->at == c->end || *c->at != ']')
        return err_set(err, ERR_INPUT, "expected a comma or ] at byte %zu",
                       (size_t)(c->at - c->start));
    c->at = json_skip_blanks(c->at + 1, c->end);
    *more = false;
    if (c->at != c->end)
        return err_set(err, ERR_INPUT, "something follows the array at byte %zu",
                       (size_t)(c->at - c->start));
    return true;
}

static bool read_all(struct cursor *c, const struct native_config *config, struct arena *arena,
                     struct native_batch *batch, struct err *err)
{
    c->at = json_skip_blanks(c->at, c->end);
    if (c->at == c->end)
        return err_set(err, ERR_INPUT, "the body is empty: an event, an array or NDJSON is taken");
    if (*c->at == '[') {
        c->in_array = true;
        c->at = json_skip_blanks(c->at + 1, c->end);
        if (c->at < c->end && *c->at == ']') {
            c->at = json_skip_blanks(c->at + 1, c->end);
            return c->at == c->end || err_set(err, ERR_INPUT, "something follows the array");
        }
    }
    bool more = true;
    while (more) {
        if (!read_element(c, config, arena, batch, err))
            return false;
        if (c->in_array) {
            if (!read_comma(c, err, &more))
                return bad_element(batch, batch->count);
        } else {
            c->at = json_skip_blanks(c->at, c->end);
            more = c->at < c->end;
        }
    }
    return true;
}

/* How many events the body can hold at most, so that their array is made once. */
static size_t count_max(const char *body, size_t len)
{
    size_t n = 0;
    const char *end = body + len;
    for (const char *p = body; n <= INGEST_EVENTS_MAX && (p = memchr(p, '}', (size_t)(end - p)));
         p++)
        n++;
    return n < INGEST_EVENTS_MAX ? n + 1 : INGEST_EVENTS_MAX + 1;
}

bool native_read(const char *body, size_t len, const struct native_config *config,
                 struct arena *arena, struct native_batch *batch, struct err *err)
{
    *batch = (struct native_batch){0};
    batch->events = arena_alloc(arena, count_max(body, len) * sizeof *batch->events);
    if (!batch->events)
        return err_set(err, ERR_LIMIT, "the request is too large");
    struct cursor c = {body, body, body + len, false};
    bool ok = read_all(&c, config, arena, batch, err);
    metric_add(METRIC_SCRUBBED, batch->scrubbed);
    return ok;
}

void native_answer(const struct native_batch *batch, struct buf *out)
{
    buf_add_str(out, "{\"ids\":[");
    for (size_t i = 0; i < batch->count; i++) {
        buf_add_str(out, i ? ",\"" : "\"");
        buf_add_str(out, batch->events[i].event_id);
        buf_add_char(out, '"');
    }
    buf_add_str(out, "],\"codes\":[");
    for (size_t i = 0; i < batch->count; i++) {
        char code[EVENT_CODE_BYTES];
        event_code(batch->events[i].event_id, code);
        buf_addf(out, "%s\"%s\"", i ? "," : "", code);
    }
    buf_add_char(out, ']');
    for (size_t i = 0; i < batch->warnings_count; i++) {
        const struct native_warning *w = &batch->warnings[i];
        buf_addf(out, "%s{\"index\":%zu,\"field\":", i ? "," : ",\"warnings\":[", w->index);
        json_add_str(out, w->field);
        buf_addf(out, ",\"detail\":\"%s\"}", w->detail);
    }
    if (batch->warnings_count)
        buf_add_char(out, ']');
    if (batch->warnings_dropped)
        buf_addf(out, ",\"warnings_dropped\":%zu", batch->warnings_dropped);
    buf_add_str(out, "}\n");
}
