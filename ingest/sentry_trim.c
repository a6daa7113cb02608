/* sentry_trim.c -- one kind of weight after another goes overboard until the event floats. */
#include "ingest/sentry_trim.h"

#include "core/limits.h"
#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_KEPT = 8 * KIB, TEXT_BYTES_KEPT_LAST = 512, ROUNDS_MAX = 8 };

static bool key_is(const struct json_value *v, const char *name)
{
    return v->key_len == strlen(name) && memcmp(v->key, name, v->key_len) == 0;
}

/* What json_write makes of it, about: escapes count double. */
// NOLINTNEXTLINE(misc-no-recursion) -- depth is bounded by the reader
static size_t weight(const struct json_value *value)
{
    size_t n = value->len + value->key_len + 6;
    for (const struct json_value *v = value->first; v; v = v->next)
        n += weight(v);
    return n;
}

static void drop(struct json_value *v)
{
    v->kind = JSON_NULL_V;
    v->text = NULL;
    v->len = 0;
    v->first = v->last = NULL;
}

/* Members of one of these names, at any depth. */
// NOLINTNEXTLINE(misc-no-recursion)
static bool drop_members(struct json_value *value, const char *const *names)
{
    bool any = false;
    for (struct json_value *v = value->first; v; v = v->next) {
        bool named = false;
        for (const char *const *n = names; *n && value->kind == JSON_OBJECT_V; n++)
            named = named || key_is(v, *n);
        if (named && v->kind != JSON_NULL_V) {
            drop(v);
            any = true;
        } else {
            any = drop_members(v, names) || any;
        }
    }
    return any;
}

// NOLINTNEXTLINE(misc-no-recursion)
static bool cut_texts(struct json_value *value, size_t bytes_max)
{
    bool any = false;
    if (value->kind == JSON_STRING_V && value->len > bytes_max) {
        value->len = utf8_cut(value->text, value->len, bytes_max);
        any = true;
    }
    for (struct json_value *v = value->first; v; v = v->next)
        any = cut_texts(v, bytes_max) || any;
    return any;
}

/* Everything that is not the error itself, heaviest first. */
static bool drop_rest(struct json_value *event, size_t bytes_max)
{
    static const char *const KEPT[] = {"exception",   "message",     "logentry", "event_id",
                                       "timestamp",   "level",       "platform", "tags",
                                       "user",        "sdk",         "release",  "environment",
                                       "transaction", "fingerprint", "logger",   NULL};
    for (int round = 0;; round++) {
        struct json_value *heaviest = NULL;
        size_t most = 0;
        for (struct json_value *v = event->first; v; v = v->next) {
            bool kept = false;
            for (const char *const *k = KEPT; *k; k++)
                kept = kept || key_is(v, *k);
            if (!kept && round == ROUNDS_MAX) { /* many small ones: all of them go */
                drop(v);
                continue;
            }
            size_t w = kept ? 0 : weight(v);
            if (w > most && v->kind != JSON_NULL_V) {
                most = w;
                heaviest = v;
            }
        }
        if (!heaviest)
            return true;
        drop(heaviest);
        if (weight(event) <= bytes_max)
            return true;
    }
}

unsigned sentry_trim(struct json_value *event, size_t bytes_max)
{
    static const char *const VARS[] = {"vars", NULL};
    static const char *const BREADCRUMBS[] = {"breadcrumbs", NULL};
    static const char *const CONTEXT[] = {"pre_context", "post_context", "context_line", NULL};
    unsigned trimmed = 0;
    if (weight(event) <= bytes_max)
        return 0;
    trimmed |= drop_members(event, VARS) ? TRIMMED_VARS : 0;
    if (weight(event) > bytes_max && drop_members(event, BREADCRUMBS))
        trimmed |= TRIMMED_BREADCRUMBS;
    if (weight(event) > bytes_max && drop_members(event, CONTEXT))
        trimmed |= TRIMMED_CONTEXT;
    if (weight(event) > bytes_max && cut_texts(event, TEXT_BYTES_KEPT))
        trimmed |= TRIMMED_TEXTS;
    if (weight(event) > bytes_max && drop_rest(event, bytes_max))
        trimmed |= TRIMMED_REST;
    if (weight(event) > bytes_max && cut_texts(event, TEXT_BYTES_KEPT_LAST))
        trimmed |= TRIMMED_TEXTS;
    return trimmed;
}

const char *sentry_trim_words(unsigned trimmed)
{
    static char text[160];
    static const char *const WORDS[] = {"local variables", "breadcrumbs", "source context",
                                        "long texts", "what else was too large"};
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (trimmed & (1u << i))
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? ", " : "", WORDS[i]);
    return text;
}
