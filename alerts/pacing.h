/* pacing.h -- Telegram's limits on messages: pure, the clock is an argument.
 *
 * 1 message a second a chat; 20 a minute a group, 5 of which are kept for answers to people, and at
 * most 10 are edits that only count; 30 a second a bot (Bot FAQ; reference: rate limits). Edits are
 * messages. Answers to people may come in a short burst, as the Bot FAQ allows. */
#ifndef NABAT_ALERTS_PACING_H
#define NABAT_ALERTS_PACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pace { PACE_ANSWER, PACE_ALERT, PACE_EDIT, PACE_COUNT };

/* The moments of the last messages: a sliding window, since a bucket that refills would let a quiet
 * chat have nearly twice the number in its first minute. */
enum { PACING_WINDOW_MAX = 30, PACING_CHATS_MAX = 256 };
struct window {
    int64_t at_ms[PACING_WINDOW_MAX];
    unsigned next;
};

/* One chat. A zeroed struct is ready. */
struct pacing {
    int64_t chat_id;
    int64_t last_ms; /* 0: never */
    struct window minute;
    struct window counts;
    int64_t paused_until_ms; /* retry_after */
};

/* One bot: its chats, the one that was silent for longest makes room. A zeroed struct is ready. */
struct pacer {
    struct pacing chats[PACING_CHATS_MAX];
    size_t count;
    struct window second;
    int64_t paused_until_ms; /* 429s in a row concern the whole bot */
    int64_t refused_ms;      /* the last 429; 0: never */
};

/* Milliseconds until such a message may go out to that chat; 0: now. A group's id is below zero. */
int64_t pacer_wait(const struct pacer *pacer, int64_t chat_id, enum pace what, int64_t now_ms);
/* Notes that one goes out now. */
void pacer_take(struct pacer *pacer, int64_t chat_id, enum pace what, int64_t now_ms);
/* How long a 429 still forbids everything to that chat; 0: not at all. */
int64_t pacer_paused(const struct pacer *pacer, int64_t chat_id, int64_t now_ms);
/* How many alerts the chat's minute still has room for. */
int64_t pacer_left(const struct pacer *pacer, int64_t chat_id, int64_t now_ms);
/* 429: nothing to that chat for that long; a second one within a minute: nothing to any. */
void pacer_refused(struct pacer *pacer, int64_t chat_id, int64_t seconds, int64_t now_ms);

#endif
