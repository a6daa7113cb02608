/* backoff.h -- how long to leave alone what did not answer: pure. */
#ifndef NABAT_ALERTS_BACKOFF_H
#define NABAT_ALERTS_BACKOFF_H

#include <stdint.h>

/* After the nth failure in a row (1, 2, …): 1, 2, 4 … 60 s, less up to a quarter by `dice` (any number),
 * so that many that failed together do not come back together. Milliseconds. */
int64_t backoff_ms(int failures, uint32_t dice);

/* After the nth answer in a row that got lost (2, 3, …): 30 s, 2 min, 8 min, 15 min. The message may be there twice by
 * now, or not at all: whoever must hear of it does not wait long, and a chat that hears all of it is not filled.
 * Milliseconds. */
int64_t lost_again_ms(int lost_answers);

#endif
