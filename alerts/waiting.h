/* waiting.h -- the line of errors that are to ring in one chat while the database is away: pure, the clock is an
 * argument (monotonic milliseconds).
 *
 * Oldest first. What may have arrived, because the answer to it got lost, steps back behind the others and rests: it goes
 * once more after a moment, then ever more rarely (backoff.h), until there is an answer or the database is back. */
#ifndef NABAT_ALERTS_WAITING_H
#define NABAT_ALERTS_WAITING_H

#include "alerts/causes.h"
#include "core/limits.h"

/* One error. */
struct waiting {
    struct cause *cause;
    int64_t due_ms;
    int64_t received_ms; /* its event, Unix time: the spool is replayed in this order */
    int lost_answers;    /* 0: it was never sent */
};

/* A zeroed struct is ready; waiting_drop of all that was received ends it. */
struct waiting_line {
    struct waiting items[EMERGENCY_WAITING_MAX];
    size_t count;
    size_t sending; /* the first so many are on their way; set by the caller, 0: none */
};

/* The cause is BORROWED until it is told (causes_told); one that waits already does not wait twice. False: the line is
 * full. */
bool waiting_add(struct waiting_line *line, struct cause *cause, int64_t received_ms,
                 int64_t now_ms);
/* How many, from the front, do not rest; the first of them goes at its `due_ms`. */
size_t waiting_ready(const struct waiting_line *line, int64_t now_ms);
/* Whether one of those on their way may be in the chat already. */
bool waiting_is_repeat(const struct waiting_line *line);
/* Those on their way are done with. */
void waiting_told(struct waiting_line *line);
/* The answer to those on their way got lost: each rests by how many of its own did. */
void waiting_lost(struct waiting_line *line, int64_t now_ms);
/* But for what is on its way: those received until then are done with. */
void waiting_drop(struct waiting_line *line, int64_t until_ms);

#endif
