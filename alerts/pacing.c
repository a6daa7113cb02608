/* pacing.c -- sliding windows over the moments of messages. */
#include "alerts/pacing.h"

#include "core/limits.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * 1000 };

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Until fewer than `max` of the noted messages are younger than a minute. */
static int64_t wait_for(const struct window *w, unsigned max, int64_t now_ms)
{
    /* the one that must have left the window: `max` places back */
    unsigned back = (w->next + PACING_WINDOW_MAX - max) % PACING_WINDOW_MAX;
    int64_t at = w->at_ms[back];
    return at && now_ms - at < MINUTE_MS ? MINUTE_MS - (now_ms - at) : 0;
}

static void note(struct window *w, int64_t now_ms)
{
    w->at_ms[w->next] = now_ms;
    w->next = (w->next + 1) % PACING_WINDOW_MAX;
}

int64_t pacing_wait(const struct pacing *p, bool is_group, enum pace what, int64_t now_ms)
{
    int64_t wait = p->paused_until_ms > now_ms ? p->paused_until_ms - now_ms : 0;
    if (p->last_ms && now_ms - p->last_ms < SECOND_MS)
        wait = longer(wait, SECOND_MS - (now_ms - p->last_ms));
    if (!is_group)
        return wait;
    unsigned keep = what == PACE_ANSWER ? 0 : CHAT_RESERVED_FOR_PEOPLE;
    wait = longer(wait, wait_for(&p->minute, CHAT_MESSAGES_PER_MINUTE - keep, now_ms));
    if (what == PACE_COUNT)
        wait = longer(wait, wait_for(&p->counts, CHAT_COUNT_EDITS_PER_MINUTE, now_ms));
    return wait;
}

void pacing_take(struct pacing *p, bool is_group, enum pace what, int64_t now_ms)
{
    p->last_ms = now_ms;
    if (!is_group)
        return;
    note(&p->minute, now_ms);
    if (what == PACE_COUNT)
        note(&p->counts, now_ms);
}

void pacing_pause(struct pacing *p, int64_t now_ms, int64_t seconds)
{
    p->paused_until_ms = longer(p->paused_until_ms, now_ms + seconds * 1000);
}
