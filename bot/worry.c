/* worry.c -- patience, repetition, relief. */
#include "bot/worry.h"

enum { AGAIN_MS = 30 * 60 * 1000, RELIEF_MS = 30 * 1000 };

/* It lasts for days, and nothing is lost meanwhile that reminders would save. */
static const bool TOLD_ONCE[WORRIES] = {[WORRY_STORE] = true};

/* Seconds that each is borne in silence: a restart of the database is no alarm. */
static const int PATIENCE_S[WORRIES] = {
    [WORRY_DATABASE] = 15, [WORRY_QUEUE] = 5, [WORRY_DISK] = 0,
    [WORRY_SPOOL] = 15,    [WORRY_TOKEN] = 5, [WORRY_POLLER] = 30,
    [WORRY_UPDATES] = 60,  [WORRY_CLOCK] = 0, [WORRY_STORE] = 0,
};

static enum worry_news look_at_good(struct worry_state *s, int64_t now_ms, int64_t *lasted_ms)
{
    if (!s->since_ms)
        return WORRY_NOTHING;
    if (!s->well_ms)
        s->well_ms = now_ms;
    if (s->told_ms && now_ms - s->well_ms < RELIEF_MS)
        return WORRY_NOTHING;
    bool told = s->told_ms != 0;
    *lasted_ms = s->well_ms - s->since_ms;
    *s = (struct worry_state){0};
    return told ? WORRY_IS_OVER : WORRY_NOTHING;
}

enum worry_news worry_look(struct worry_state *s, enum worry which, bool is_bad, bool may_tell,
                           int64_t now_ms, int64_t *lasted_ms)
{
    *lasted_ms = 0;
    if (!is_bad)
        return look_at_good(s, now_ms, lasted_ms);
    s->well_ms = 0;
    if (!s->since_ms)
        s->since_ms = now_ms;
    if (now_ms - s->since_ms < PATIENCE_S[which] * 1000)
        return WORRY_NOTHING;
    if (!may_tell || (s->told_ms && (TOLD_ONCE[which] || now_ms - s->told_ms < AGAIN_MS)))
        return WORRY_NOTHING;
    enum worry_news news = s->told_ms ? WORRY_TELL_AGAIN : WORRY_TELL;
    s->told_ms = now_ms;
    return news;
}
