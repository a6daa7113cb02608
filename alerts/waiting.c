/* waiting.c -- who goes next, and who rests behind. */
#include "alerts/waiting.h"

#include "alerts/backoff.h"

#include <string.h>

enum { LOST_ONCE_MS = 5000 };

/* The first from `at` on that rests until after `now_ms`; line->count: none. Those are the last, by due_ms. */
static size_t first_at_rest(const struct waiting_line *line, size_t at, int64_t now_ms)
{
    while (at < line->count && (!line->items[at].lost_answers || line->items[at].due_ms <= now_ms))
        at++;
    return at;
}

static void insert(struct waiting_line *line, size_t at, const struct waiting *item)
{
    memmove(line->items + at + 1, line->items + at, (line->count - at) * sizeof *line->items);
    line->items[at] = *item;
    line->count++;
}

/* The first `count` of those on their way. */
static void take_out(struct waiting_line *line, size_t count)
{
    line->count -= count;
    line->sending -= count;
    memmove(line->items, line->items + count, line->count * sizeof *line->items);
}

bool waiting_add(struct waiting_line *line, struct cause *cause, int64_t received_ms,
                 int64_t now_ms)
{
    struct waiting item = {
        .cause = cause, .due_ms = now_ms + EMERGENCY_GRACE_MS, .received_ms = received_ms};
    for (size_t i = line->sending; i < line->count; i++)
        if (line->items[i].cause == cause) /* its rest is longer than its cooldown */
            return true;
    if (line->count == EMERGENCY_WAITING_MAX)
        return false;
    cause->waiting++;
    insert(line, first_at_rest(line, line->sending, now_ms), &item);
    return true;
}

size_t waiting_ready(const struct waiting_line *line, int64_t now_ms)
{
    return first_at_rest(line, 0, now_ms);
}

bool waiting_is_repeat(const struct waiting_line *line)
{
    bool any = false;
    for (size_t i = 0; i < line->sending; i++)
        any = any || line->items[i].lost_answers;
    return any;
}

void waiting_told(struct waiting_line *line)
{
    for (size_t i = 0; i < line->sending; i++)
        causes_told(line->items[i].cause);
    take_out(line, line->sending);
}

void waiting_lost(struct waiting_line *line, int64_t now_ms)
{
    while (line->sending) {
        struct waiting item = line->items[0];
        take_out(line, 1);
        int times = ++item.lost_answers;
        item.due_ms = now_ms + (times < LOST_ANSWERS_MAX ? LOST_ONCE_MS : lost_again_ms(times));
        insert(line, first_at_rest(line, line->sending, item.due_ms), &item);
    }
}

void waiting_drop(struct waiting_line *line, int64_t until_ms)
{
    size_t kept = line->sending;
    for (size_t i = line->sending; i < line->count; i++) {
        if (line->items[i].received_ms <= until_ms)
            causes_told(line->items[i].cause);
        else
            line->items[kept++] = line->items[i];
    }
    line->count = kept;
}
