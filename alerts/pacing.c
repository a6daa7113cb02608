/* pacing.c -- sliding windows over the moments of messages, of each chat and of the bot. */
#include "alerts/pacing.h"

#include "core/limits.h"
#include "store/channel.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * 1000 };

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Until fewer than `max` of the noted messages are younger than `span_ms`. */
static int64_t wait_for(const struct window *w, unsigned max, int64_t span_ms, int64_t now_ms)
{
    /* the one that must have left the window: `max` places back */
    unsigned back = (w->next + PACING_WINDOW_MAX - max) % PACING_WINDOW_MAX;
    int64_t at = w->at_ms[back];
    return at && now_ms - at < span_ms ? span_ms - (now_ms - at) : 0;
}

static void note(struct window *w, int64_t now_ms)
{
    w->at_ms[w->next] = now_ms;
    w->next = (w->next + 1) % PACING_WINDOW_MAX;
}

static const struct pacing *find(const struct pacer *p, int64_t chat_id)
{
    static const struct pacing SILENT = {0};
    for (size_t i = 0; i < p->count; i++)
        if (p->chats[i].chat_id == chat_id)
            return &p->chats[i];
    return &SILENT;
}

/* The chat's own, made if need be. */
static struct pacing *own(struct pacer *p, int64_t chat_id)
{
    struct pacing *oldest = &p->chats[0];
    for (size_t i = 0; i < p->count; i++) {
        struct pacing *c = &p->chats[i];
        if (c->chat_id == chat_id)
            return c;
        if (longer(c->last_ms, c->paused_until_ms) <
            longer(oldest->last_ms, oldest->paused_until_ms))
            oldest = c;
    }
    if (p->count < PACING_CHATS_MAX)
        oldest = &p->chats[p->count++];
    *oldest = (struct pacing){.chat_id = chat_id};
    return oldest;
}

int64_t pacer_paused(const struct pacer *pacer, int64_t chat_id, int64_t now_ms)
{
    int64_t bot_ms = chat_id < CHANNEL_ID_MIN ? pacer->paused_until_ms : 0;
    int64_t until = longer(find(pacer, chat_id)->paused_until_ms, bot_ms);
    return longer(0, until - now_ms);
}

int64_t pacer_wait(const struct pacer *pacer, int64_t chat_id, enum pace what, int64_t now_ms)
{
    const struct pacing *p = find(pacer, chat_id);
    int64_t wait = pacer_paused(pacer, chat_id, now_ms);
    if (chat_id < CHANNEL_ID_MIN)
        wait = longer(wait, wait_for(&pacer->second, BOT_MESSAGES_PER_SECOND, SECOND_MS, now_ms));
    if (what != PACE_ANSWER && p->last_ms && now_ms - p->last_ms < SECOND_MS)
        wait = longer(wait, SECOND_MS - (now_ms - p->last_ms));
    if (chat_id > 0)
        return wait;
    unsigned keep = what == PACE_ANSWER ? 0 : CHAT_RESERVED_FOR_PEOPLE;
    wait = longer(wait, wait_for(&p->minute, CHAT_MESSAGES_PER_MINUTE - keep, MINUTE_MS, now_ms));
    if (what == PACE_COUNT)
        wait = longer(wait, wait_for(&p->counts, CHAT_COUNT_EDITS_PER_MINUTE, MINUTE_MS, now_ms));
    return wait;
}

void pacer_take(struct pacer *pacer, int64_t chat_id, enum pace what, int64_t now_ms)
{
    struct pacing *p = own(pacer, chat_id);
    p->last_ms = now_ms;
    if (chat_id < CHANNEL_ID_MIN)
        note(&pacer->second, now_ms);
    note(&p->minute, now_ms);
    if (what == PACE_COUNT)
        note(&p->counts, now_ms);
}

int64_t pacer_left(const struct pacer *pacer, int64_t chat_id, int64_t now_ms)
{
    const struct pacing *p = find(pacer, chat_id);
    int64_t left = CHAT_MESSAGES_PER_MINUTE - CHAT_RESERVED_FOR_PEOPLE;
    for (size_t i = 0; i < PACING_WINDOW_MAX; i++)
        left -= p->minute.at_ms[i] && now_ms - p->minute.at_ms[i] < MINUTE_MS;
    return left > 0 ? left : 0;
}

void pacer_refused(struct pacer *pacer, int64_t chat_id, int64_t seconds, int64_t now_ms)
{
    struct pacing *p = own(pacer, chat_id);
    p->paused_until_ms = longer(p->paused_until_ms, now_ms + seconds * SECOND_MS);
    if (chat_id >= CHANNEL_ID_MIN) /* no concern of the bot */
        return;
    if (pacer->refused_ms && now_ms - pacer->refused_ms < MINUTE_MS)
        pacer->paused_until_ms = longer(pacer->paused_until_ms, now_ms + seconds * SECOND_MS);
    pacer->refused_ms = now_ms;
}
