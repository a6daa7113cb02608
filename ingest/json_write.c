/* json_write.c -- a value that was read, written as strict JSON that jsonb accepts. */
#include "ingest/json_reader.h"

#include "core/json_out.h"

#include <stdlib.h>
#include <string.h>

/* jsonb keeps numbers as numeric: 131072 digits before the point. What is far from any real
 * quantity is kept as text instead. */
static void write_number(const struct json_value *v, struct buf *out)
{
    const char *e = memchr(v->text, 'e', v->len);
    if (!e)
        e = memchr(v->text, 'E', v->len);
    long exponent = 0;
    char digits[12] = {0};
    if (e) {
        size_t n = v->len - (size_t)(e + 1 - v->text);
        memcpy(digits, e + 1, n < sizeof digits - 1 ? n : sizeof digits - 1);
        exponent = n < sizeof digits - 1 ? strtol(digits, NULL, 10) : 999999;
    }
    if (v->len > 300 || exponent > 300 || exponent < -300)
        json_add_str_n(out, v->text, v->len > 300 ? 300 : v->len);
    else
        buf_add(out, v->text, v->len);
}

static void write_scalar(const struct json_value *v, struct buf *out)
{
    switch (v->kind) {
    case JSON_TRUE_V:
        buf_add_str(out, "true");
        break;
    case JSON_FALSE_V:
        buf_add_str(out, "false");
        break;
    case JSON_NUMBER_V:
        write_number(v, out);
        break;
    case JSON_STRING_V:
        json_add_str_n(out, v->text, v->len);
        break;
    default:
        buf_add_str(out, "null");
        break;
    }
}

/* Depth is bounded by the reader (JSON_DEPTH_MAX), so recursion is too. */
// NOLINTNEXTLINE(misc-no-recursion)
void json_write(const struct json_value *value, struct buf *out)
{
    if (value->kind != JSON_ARRAY_V && value->kind != JSON_OBJECT_V) {
        write_scalar(value, out);
        return;
    }
    bool object = value->kind == JSON_OBJECT_V;
    buf_add_char(out, object ? '{' : '[');
    for (const struct json_value *v = value->first; v; v = v->next) {
        if (v != value->first)
            buf_add_char(out, ',');
        if (object) {
            json_add_str_n(out, v->key, v->key_len);
            buf_add_char(out, ':');
        }
        json_write(v, out);
    }
    buf_add_char(out, object ? '}' : ']');
}
