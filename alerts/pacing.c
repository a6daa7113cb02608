/* pacing.c -- token buckets that fill with time. */
#include "alerts/pacing.h"

#include "core/limits.h"

struct rate {
    double size;
    double per_ms;
};
static const struct rate SECOND = {1.0, 1.0 / 1000};
static const struct rate MINUTE = {CHAT_MESSAGES_PER_MINUTE, CHAT_MESSAGES_PER_MINUTE / 60000.0};
static const struct rate COUNTS = {CHAT_COUNT_EDITS_PER_MINUTE,
                                   CHAT_COUNT_EDITS_PER_MINUTE / 60000.0};

static double tokens_at(const struct bucket *b, const struct rate *r, int64_t now_ms)
{
    if (b->at_ms == 0)
        return r->size; /* never used: full */
    double tokens = b->tokens + (double)(now_ms - b->at_ms) * r->per_ms;
    return tokens < r->size ? tokens : r->size;
}

static int64_t wait_for(const struct bucket *b, const struct rate *r, double need, int64_t now_ms)
{
    double missing = need - tokens_at(b, r, now_ms);
    return missing <= 1e-9 ? 0 : (int64_t)(missing / r->per_ms) + 1;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t pacing_wait(const struct pacing *p, bool is_group, enum pace what, int64_t now_ms)
{
    int64_t wait = p->paused_until_ms > now_ms ? p->paused_until_ms - now_ms : 0;
    wait = longer(wait, wait_for(&p->second, &SECOND, 1.0, now_ms));
    if (is_group) {
        double keep = what == PACE_ANSWER ? 0.0 : CHAT_RESERVED_FOR_PEOPLE;
        wait = longer(wait, wait_for(&p->minute, &MINUTE, 1.0 + keep, now_ms));
        if (what == PACE_COUNT)
            wait = longer(wait, wait_for(&p->counts, &COUNTS, 1.0, now_ms));
    }
    return wait;
}

static void take(struct bucket *b, const struct rate *r, int64_t now_ms)
{
    b->tokens = tokens_at(b, r, now_ms) - 1.0;
    if (b->tokens < -r->size) /* answers to people are not held up, and the debt has a bound */
        b->tokens = -r->size;
    b->at_ms = now_ms;
}

void pacing_take(struct pacing *p, bool is_group, enum pace what, int64_t now_ms)
{
    take(&p->second, &SECOND, now_ms);
    if (!is_group)
        return;
    take(&p->minute, &MINUTE, now_ms);
    if (what == PACE_COUNT)
        take(&p->counts, &COUNTS, now_ms);
}

void pacing_pause(struct pacing *p, int64_t now_ms, int64_t seconds)
{
    p->paused_until_ms = longer(p->paused_until_ms, now_ms + seconds * 1000);
}
