/* backoff.c -- exponential, with a ceiling, and jitter where many may come back together. */
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

int64_t lost_again_ms(int lost_answers)
{
    int64_t delay = (int64_t)LOST_AGAIN_SECONDS * 1000;
    int64_t most = (int64_t)LOST_AGAIN_SECONDS_MAX * 1000;
    for (int i = 2; i < lost_answers && delay < most; i++)
        delay *= 4;
    return delay < most ? delay : most;
}
