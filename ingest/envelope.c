/* envelope.c -- one header, one payload after another. */
#include "ingest/envelope.h"

#include "core/limits.h"

#include <stdlib.h>
#include <string.h>

static bool fail(const struct envelope *e, struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "envelope: %s at byte %zu", what, (size_t)(e->at - e->start));
}

/* A JSON object, then "\n" (which is passed) or the end. */
static const struct json_value *read_headers(struct envelope *e, struct err *err)
{
    struct err why = {0};
    const struct json_value *headers = json_read(e->start, &e->at, e->end, e->arena, &why);
    if (!headers) {
        err_set(err, why.kind, "envelope: header: %s", why.text);
        return NULL;
    }
    if (headers->kind != JSON_OBJECT_V) {
        fail(e, err, "a header must be an object; the one");
        return NULL;
    }
    if (e->at < e->end && *e->at != '\n') {
        fail(e, err, "no newline behind a header");
        return NULL;
    }
    e->at += e->at < e->end;
    return headers;
}

bool envelope_open(struct envelope *e, const char *bytes, size_t len, struct arena *arena,
                   struct err *err)
{
    *e = (struct envelope){.start = bytes, .at = bytes, .end = bytes + len, .arena = arena};
    if (json_skip_blanks(e->at, e->end) == e->end)
        return err_set(err, ERR_INPUT, "the body is empty: an envelope is taken");
    e->headers = read_headers(e, err);
    return e->headers != NULL;
}

/* `length` of an item: a 32-bit unsigned number. */
static bool read_length(const struct json_value *v, size_t *length)
{
    char text[12];
    if (v->kind != JSON_NUMBER_V || v->len >= sizeof text)
        return false;
    memcpy(text, v->text, v->len);
    text[v->len] = '\0';
    char *end = NULL;
    unsigned long long n = strtoull(text, &end, 10);
    if (*end || text[0] == '-' || n > UINT32_MAX)
        return false;
    *length = (size_t)n;
    return true;
}

static bool read_payload(struct envelope *e, struct envelope_item *item, struct err *err)
{
    const struct json_value *length = json_find(item->headers, "length");
    size_t left = (size_t)(e->end - e->at);
    item->payload = e->at;
    if (!length || length->kind == JSON_NULL_V) {
        const char *line = memchr(e->at, '\n', left);
        item->payload_len = line ? (size_t)(line - e->at) : left;
    } else if (!read_length(length, &item->payload_len)) {
        return fail(e, err, "length of an item is no number of bytes, before the payload");
    }
    if (item->payload_len > left)
        return fail(e, err, "an item is longer than what is left");
    e->at += item->payload_len;
    if (e->at < e->end && *e->at != '\n')
        return fail(e, err, "no newline behind a payload");
    e->at += e->at < e->end;
    return true;
}

enum envelope_step envelope_next(struct envelope *e, struct envelope_item *item, struct err *err)
{
    if (json_skip_blanks(e->at, e->end) == e->end)
        return ENVELOPE_END;
    if (e->items++ == ENVELOPE_ITEMS_MAX) {
        err_set(err, ERR_LIMIT, "more than %d items in one envelope", ENVELOPE_ITEMS_MAX);
        return ENVELOPE_BAD;
    }
    *item = (struct envelope_item){.headers = read_headers(e, err), .type = ""};
    if (!item->headers)
        return ENVELOPE_BAD;
    const struct json_value *type = json_find(item->headers, "type");
    if (type && type->kind == JSON_STRING_V) {
        item->type = type->text;
        item->type_len = type->len;
    }
    return read_payload(e, item, err) ? ENVELOPE_ITEM : ENVELOPE_BAD;
}

bool envelope_item_is(const struct envelope_item *item, const char *type)
{
    return item->type_len == strlen(type) && memcmp(item->type, type, item->type_len) == 0;
}
