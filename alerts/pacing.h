/* pacing.h -- Telegram's limits on messages: pure, the clock is an argument.
 *
 * 1 message a second a chat; 20 a minute a group, 5 of which are kept for answers to people, and at
 * most 10 are edits that only count; 30 a second a bot (Bot FAQ; reference: rate limits). */
#ifndef NABAT_ALERTS_PACING_H
#define NABAT_ALERTS_PACING_H

#include <stdbool.h>
#include <stdint.h>

enum pace { PACE_ANSWER, PACE_ALERT, PACE_EDIT, PACE_COUNT };

/* The moments of the last messages: a sliding window, since a bucket that refills would let a quiet
 * chat have nearly twice the number in its first minute. */
enum { PACING_WINDOW_MAX = 20 };
struct window {
    int64_t at_ms[PACING_WINDOW_MAX];
    unsigned next;
};

/* One chat. A zeroed struct is ready. */
struct pacing {
    int64_t last_ms; /* 0: never */
    struct window minute;
    struct window counts;
    int64_t paused_until_ms; /* retry_after */
};

/* Milliseconds until such a message may go out; 0: now. */
int64_t pacing_wait(const struct pacing *pacing, bool is_group, enum pace what, int64_t now_ms);
/* Notes that one goes out now. */
void pacing_take(struct pacing *pacing, bool is_group, enum pace what, int64_t now_ms);
/* 429: nothing for that long. */
void pacing_pause(struct pacing *pacing, int64_t now_ms, int64_t seconds);

#endif
