/* sentry_trim.c -- one kind of weight after another goes overboard until the event floats. */
#include "ingest/sentry_trim.h"

#include "core/limits.h"
#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_BYTES_KEPT = 8 * KIB,
    TEXT_BYTES_KEPT_LAST = 512,
    WORD_BYTES_MAX = 256, /* a text is cut before the word that would be cut, if it is no longer */
    ROUNDS_MAX = 8,
    MEMBERS_KEPT = 1000,
    MEMBERS_KEPT_LAST = 100,
};

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

/* Half of a word could be half of a secret that nobody knows for one any more. */
static size_t cut_at_word(const char *text, size_t len, size_t bytes_max)
{
    size_t n = utf8_cut(text, len, bytes_max);
    for (size_t back = 0; back < WORD_BYTES_MAX && back < n; back++)
        if (strchr(" \n\t", text[n - 1 - back]))
            return n - 1 - back;
    return n;
}

/* The first and the last of a list's members, at any depth: frames that matter are at an end. */
// NOLINTNEXTLINE(misc-no-recursion)
static bool cut_members(struct json_value *value, size_t count_max)
{
    bool any = false;
    size_t count = 0;
    struct json_value *v = NULL;
    for (v = value->first; v; v = v->next)
        count++;
    if (count > count_max) {
        size_t i = 0;
        struct json_value *gap = NULL;
        for (v = value->first; v; v = v->next, i++) {
            if (i + 1 == count_max / 2)
                gap = v;
            if (gap && i == count - (count_max - count_max / 2))
                gap->next = v;
        }
        any = true;
    }
    for (v = value->first; v; v = v->next)
        any = cut_members(v, count_max) || any;
    return any;
}

// NOLINTNEXTLINE(misc-no-recursion)
static bool cut_texts(struct json_value *value, size_t bytes_max)
{
    bool any = false;
    if (value->kind == JSON_STRING_V && value->len > bytes_max) {
        value->len = cut_at_word(value->text, value->len, bytes_max);
        any = true;
    }
    for (struct json_value *v = value->first; v; v = v->next)
        any = cut_texts(v, bytes_max) || any;
    return any;
}

static bool is_kept(const struct json_value *v)
{
    static const char *const KEPT[] = {"exception",   "message",     "logentry", "event_id",
                                       "timestamp",   "level",       "platform", "tags",
                                       "user",        "sdk",         "release",  "environment",
                                       "transaction", "fingerprint", "logger",   NULL};
    for (const char *const *k = KEPT; *k; k++)
        if (key_is(v, *k))
            return true;
    return false;
}

/* Members of the event that `gone` names: one of them, or all that are not the error itself. */
static void unlink_members(struct json_value *event, const struct json_value *gone)
{
    struct json_value **at = &event->first;
    event->last = NULL;
    while (*at) {
        if (gone ? *at == gone : !is_kept(*at)) {
            *at = (*at)->next;
            continue;
        }
        event->last = *at;
        at = &(*at)->next;
    }
}

/* Everything that is not the error itself, heaviest first; many small ones all at once. */
static bool drop_rest(struct json_value *event, size_t bytes_max)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct json_value *heaviest = NULL;
        size_t most = 0;
        for (struct json_value *v = event->first; v; v = v->next) {
            size_t w = is_kept(v) ? 0 : weight(v);
            if (w > most) {
                most = w;
                heaviest = v;
            }
        }
        if (!heaviest)
            return true;
        unlink_members(event, heaviest);
        if (weight(event) <= bytes_max)
            return true;
    }
    unlink_members(event, NULL);
    return true;
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
    if (weight(event) > bytes_max && cut_members(event, MEMBERS_KEPT))
        trimmed |= TRIMMED_REST;
    if (weight(event) > bytes_max && cut_texts(event, TEXT_BYTES_KEPT_LAST))
        trimmed |= TRIMMED_TEXTS;
    if (weight(event) > bytes_max && cut_members(event, MEMBERS_KEPT_LAST))
        trimmed |= TRIMMED_REST;
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
