/* sentry_scrub.c -- a walk that knows where it is. */
#include "ingest/sentry_scrub.h"

#include <stdint.h>
#include <string.h>

enum place { AT_ROOT, AT_STACK, AT_MESSAGE };

#define MEMBER(place, key, is)                                                                     \
    {                                                                                              \
        place, sizeof(key) - 1, key, is                                                            \
    }

/* In a place, what a member of that name is. */
static const struct {
    enum place place;
    uint8_t key_len;
    const char *key;
    enum { SKIP, NAMES, WORDS, TEXT, ALL, STACK, MESSAGE } is;
} MEMBERS[] = {
    MEMBER(AT_ROOT, "exception", STACK),
    MEMBER(AT_ROOT, "sentry.interfaces.Exception", STACK),
    MEMBER(AT_ROOT, "threads", STACK),
    MEMBER(AT_ROOT, "stacktrace", STACK),
    MEMBER(AT_ROOT, "sentry.interfaces.Stacktrace", STACK),
    MEMBER(AT_ROOT, "message", MESSAGE),
    MEMBER(AT_ROOT, "logentry", MESSAGE),
    MEMBER(AT_ROOT, "sentry.interfaces.Message", MESSAGE),
    MEMBER(AT_ROOT, "debug_meta", SKIP),
    MEMBER(AT_ROOT, "modules", NAMES),
    MEMBER(AT_ROOT, "event_id", SKIP),
    MEMBER(AT_ROOT, "timestamp", SKIP),
    MEMBER(AT_ROOT, "level", SKIP),
    MEMBER(AT_ROOT, "platform", SKIP),
    MEMBER(AT_ROOT, "type", WORDS),
    MEMBER(AT_ROOT, "transaction", WORDS),
    MEMBER(AT_ROOT, "culprit", WORDS),
    MEMBER(AT_ROOT, "logger", WORDS),
    MEMBER(AT_ROOT, "server_name", WORDS),
    MEMBER(AT_ROOT, "release", WORDS),
    MEMBER(AT_ROOT, "dist", WORDS),
    MEMBER(AT_ROOT, "environment", WORDS),
    MEMBER(AT_ROOT, "fingerprint", NAMES),
    MEMBER(AT_STACK, "type", WORDS),
    MEMBER(AT_STACK, "value", TEXT),
    MEMBER(AT_STACK, "vars", ALL),
    MEMBER(AT_STACK, "context_line", TEXT),
    MEMBER(AT_STACK, "pre_context", TEXT),
    MEMBER(AT_STACK, "post_context", TEXT),
    MEMBER(AT_STACK, "data", ALL),
    MEMBER(AT_MESSAGE, "params", ALL),
};

static int find_member(enum place place, const struct json_value *v)
{
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
        if (MEMBERS[i].place == place && v->key_len == MEMBERS[i].key_len &&
            memcmp(v->key, MEMBERS[i].key, v->key_len) == 0)
            return (int)MEMBERS[i].is;
    return place == AT_ROOT ? ALL : place == AT_STACK ? STACK : MESSAGE;
}

/* Depth is bounded by the reader (JSON_DEPTH_MAX), so recursion is too. */
// NOLINTNEXTLINE(misc-no-recursion)
static int walk(const struct scrub *s, enum place place, struct json_value *value,
                struct arena *arena)
{
    int count = 0;
    if (value->kind != JSON_ARRAY_V && value->kind != JSON_OBJECT_V)
        return scrub_value(s, place == AT_MESSAGE ? SCRUB_TEXT : SCRUB_NAMES, value, arena);
    for (struct json_value *v = value->first; v; v = v->next) {
        int is = value->kind == JSON_OBJECT_V ? find_member(place, v)
                 : place == AT_STACK          ? STACK
                                              : MESSAGE;
        if (is == WORDS && (v->kind == JSON_ARRAY_V || v->kind == JSON_OBJECT_V))
            is = ALL; /* no name: data like any other */
        switch (is) {
        case SKIP:
            break;
        case STACK:
            count += walk(s, AT_STACK, v, arena);
            break;
        case MESSAGE:
            count += walk(s, AT_MESSAGE, v, arena);
            break;
        case NAMES:
            count += scrub_tree(s, SCRUB_NAMES, v, arena);
            break;
        case TEXT:
            count += scrub_tree(s, SCRUB_TEXT, v, arena);
            break;
        case WORDS:
            count += scrub_value(s, SCRUB_WORDS, v, arena);
            break;
        default: {
            /* its own key may name a secret: looked at as a member, without its sisters */
            struct json_value one = *v;
            struct json_value wrapper = {.kind = JSON_OBJECT_V, .first = &one, .last = &one};
            one.next = NULL;
            count += scrub_tree(s, SCRUB_ALL, &wrapper, arena);
            one.next = v->next;
            *v = one;
        }
        }
    }
    return count;
}

int sentry_scrub(const struct scrub *s, struct json_value *event, struct arena *arena)
{
    return walk(s, AT_ROOT, event, arena);
}
