/* native_title.c -- what a native event is called, and its grouping key. */
#include "ingest/native_internal.h"

#include "core/limits.h"
#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

static const char *first_line(struct reading *r, const char *text, size_t max)
{
    text += strspn(text, " \t\r\n");
    size_t len = strcspn(text, "\r\n");
    return arena_str_dup_n(r->arena, text, utf8_cut(text, len, max));
}

/* Of a stack alone: Python says what happened in its last line, the others in their first. */
static const char *telling_line(const char *stack)
{
    const char *line = stack;
    if (!strstr(stack, "Traceback (most recent"))
        return stack;
    for (const char *at = stack; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (at[strspn(at, " \t\r")] != '\n' && at[strspn(at, " \t\r")] != '\0')
            line = at;
    return line;
}

bool native_make_title(struct reading *r, struct err *err)
{
    struct event *e = r->event;
    char joined[TITLE_BYTES_MAX + NAME_BYTES_MAX + 8];
    const char *title = e->message;
    if (!title && (e->exception_type || r->exception_value)) {
        const char *value = r->exception_value ? r->exception_value : "";
        snprintf(joined, sizeof joined, "%s%s%.*s", e->exception_type ? e->exception_type : "",
                 e->exception_type && *value ? ": " : "",
                 (int)utf8_cut(value, strlen(value), TITLE_BYTES_MAX), value);
        title = joined;
    }
    if (!title)
        title = r->type;
    if (!title && e->stacktrace)
        title = telling_line(e->stacktrace);
    if (!title)
        return err_set(err, ERR_INPUT,
                       "element %zu has nothing to show: one of message, exception, type is needed",
                       r->batch->count);
    e->title = first_line(r, title, TITLE_BYTES_MAX);
    if (!e->exception_type)
        e->exception_type = r->type;
    return true;
}

void native_finish(struct reading *r)
{
    struct event *e = r->event;
    char frame[2 * NAME_BYTES_MAX];
    if (!e->event_id[0])
        random_event_id(r->now_ms, e->event_id);
    if (!e->origin)
        e->origin = "other";
    fingerprint_event(e, r->exception_value, &r->fingerprint, frame, sizeof frame);
    if (!e->message)
        e->message = r->exception_value;
    if (e->handler)
        e->culprit = e->handler;
    else if (frame[0])
        e->culprit = first_line(r, frame, NAME_BYTES_MAX);
}
