/* sentry_value.c -- tolerant reading: text, numbers, lists, pairs, times. */
#include "ingest/sentry_value.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SECONDS_MAX = 253402300800.0; /* the year 10000 */

const struct json_value *sentry_get(const struct json_value *object, const char *key)
{
    const struct json_value *v = json_find(object, key);
    return v && v->kind != JSON_NULL_V ? v : NULL;
}

const struct json_value *sentry_get_path(const struct json_value *object, const char *path)
{
    char key[64];
    while (object && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        object = sentry_get(object, key);
        path += n + (path[n] == '.');
    }
    return object;
}

struct part sentry_part(const struct json_value *v)
{
    if (v && (v->kind == JSON_STRING_V || v->kind == JSON_NUMBER_V))
        return (struct part){v->text, v->len};
    if (v && v->kind == JSON_TRUE_V)
        return (struct part){"True", 4};
    if (v && v->kind == JSON_FALSE_V)
        return (struct part){"False", 5};
    return (struct part){"", 0};
}

struct part sentry_get_part(const struct json_value *object, const char *key)
{
    return sentry_part(sentry_get(object, key));
}

bool part_equals(struct part p, const char *text)
{
    return p.len == strlen(text) && memcmp(p.at, text, p.len) == 0;
}

const char *sentry_text(struct part p, size_t bytes_max, struct arena *arena)
{
    size_t blank = 0;
    while (blank < p.len && isspace((unsigned char)p.at[blank]))
        blank++;
    if (blank == p.len)
        return NULL;
    return arena_str_dup_n(arena, p.at, utf8_cut(p.at, p.len, bytes_max));
}

const char *sentry_text_clean(struct part p, size_t bytes_max, struct arena *arena)
{
    size_t len = p.len < bytes_max ? p.len : bytes_max;
    char *clean = arena_alloc(arena, 3 * len + 1);
    if (!clean)
        return NULL;
    size_t n = utf8_clean(p.at, len, clean);
    return sentry_text((struct part){clean, n}, bytes_max, arena);
}

struct part sentry_any(const struct json_value *v, struct arena *arena)
{
    if (!v || (v->kind != JSON_ARRAY_V && v->kind != JSON_OBJECT_V))
        return sentry_part(v);
    struct buf out;
    struct part p = {"", 0};
    buf_init(&out, INGEST_EVENT_BYTES_MAX);
    json_write(v, &out);
    char *copy = out.full ? NULL : arena_str_dup_n(arena, buf_text(&out), out.len);
    if (copy)
        p = (struct part){copy, out.len};
    buf_fini(&out);
    return p;
}

int sentry_bool(const struct json_value *v)
{
    return !v ? -1 : v->kind == JSON_TRUE_V ? 1 : v->kind == JSON_FALSE_V ? 0 : -1;
}

static bool read_double(const struct json_value *v, double *out)
{
    char text[64];
    if (!v || (v->kind != JSON_NUMBER_V && v->kind != JSON_STRING_V) || v->len == 0 ||
        v->len >= sizeof text)
        return false;
    memcpy(text, v->text, v->len);
    text[v->len] = '\0';
    char *end = NULL;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

bool sentry_int(const struct json_value *v, int64_t *out)
{
    double number = 0;
    char text[24];
    if (!v || (v->kind != JSON_NUMBER_V && v->kind != JSON_STRING_V) || v->len == 0)
        return false;
    if (v->len < sizeof text) { /* exact where it can be: ids go beyond 2^53 */
        memcpy(text, v->text, v->len);
        text[v->len] = '\0';
        char *end = NULL;
        long long n = strtoll(text, &end, 10);
        if (*end == '\0' && n != INT64_MAX && n != INT64_MIN) {
            *out = n;
            return true;
        }
    }
    if (!read_double(v, &number) || fabs(number) >= 9.2e18)
        return false;
    *out = (int64_t)number;
    return true;
}

static const struct json_value *list_of(const struct json_value *v)
{
    const struct json_value *values = sentry_get(v, "values");
    return values ? values : v;
}

const struct json_value *sentry_list(const struct json_value *v)
{
    const struct json_value *list = list_of(v);
    if (!list || list->kind == JSON_OBJECT_V)
        return list;
    return list->kind == JSON_ARRAY_V ? list->first : NULL;
}

const struct json_value *sentry_list_next(const struct json_value *list,
                                          const struct json_value *element)
{
    return list_of(list)->kind == JSON_ARRAY_V ? element->next : NULL;
}

size_t sentry_list_count(const struct json_value *v)
{
    size_t n = 0;
    for (const struct json_value *e = sentry_list(v); e; e = sentry_list_next(v, e))
        n++;
    return n;
}

bool sentry_pair_next(const struct json_value *pairs, const struct json_value **at,
                      struct part *name, const struct json_value **value)
{
    if (!pairs || (pairs->kind != JSON_OBJECT_V && pairs->kind != JSON_ARRAY_V))
        return false;
    for (const struct json_value *v = *at ? (*at)->next : pairs->first; v; v = v->next) {
        *at = v;
        *value = v;
        if (pairs->kind == JSON_OBJECT_V) {
            *name = (struct part){v->key, v->key_len};
        } else if (v->kind == JSON_ARRAY_V && v->first && v->first->next && !v->first->next->next) {
            *name = sentry_part(v->first);
            *value = v->first->next;
        } else if (v->kind == JSON_OBJECT_V) {
            *name = sentry_get_part(v, "key");
            *value = json_find(v, "value");
        } else {
            continue;
        }
        if (name->len && *value)
            return true;
    }
    return false;
}

const struct json_value *sentry_pair_find(const struct json_value *pairs, const char *wanted)
{
    const struct json_value *at = NULL;
    const struct json_value *value = NULL;
    const struct json_value *found = NULL;
    struct part name;
    while (sentry_pair_next(pairs, &at, &name, &value))
        if (value->kind != JSON_NULL_V && name.len == strlen(wanted) &&
            strncasecmp(name.at, wanted, name.len) == 0)
            found = value;
    return found;
}

bool sentry_time(const struct json_value *v, int64_t *out_ms)
{
    double seconds = 0;
    if (!v)
        return false;
    if (v->kind == JSON_STRING_V && clock_parse_rfc3339(v->text, v->len, out_ms))
        return *out_ms >= 0;
    if (!read_double(v, &seconds) || seconds < 0 || seconds >= SECONDS_MAX)
        return false;
    *out_ms = (int64_t)(seconds * 1000.0 + 0.5);
    return true;
}
