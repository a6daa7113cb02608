/* backoff.h -- how long to leave alone what did not answer: pure. */
#ifndef NABAT_ALERTS_BACKOFF_H
#define NABAT_ALERTS_BACKOFF_H

#include <stdint.h>

/* After the nth failure in a row (1, 2, …): 1, 2, 4 … 60 s, less up to a quarter by `dice` (any number),
 * so that many that failed together do not come back together. Milliseconds. */
int64_t backoff_ms(int failures, uint32_t dice);

#endif
