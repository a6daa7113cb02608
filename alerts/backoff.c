/* backoff.c -- exponential, with jitter, with a ceiling. */
#include "alerts/backoff.h"

#include "core/limits.h"

int64_t backoff_ms(int failures, uint32_t dice)
{
    int64_t delay = 1000;
    int64_t most = (int64_t)SEND_BACKOFF_SECONDS_MAX * 1000;
    for (int i = 1; i < failures && delay < most; i++)
        delay *= 2;
    if (delay > most)
        delay = most;
    return delay - (int64_t)(dice % 1000) * delay / 4000;
}
