/* engine.h -- ring or not: the one pure decision of the product (CONTRACT section 5).
 *
 * First match wins: muted, below the minimum, before the resolve, regression, taken, cooldown,
 * ring. Times are the database's, Unix milliseconds. */
#ifndef NABAT_ALERTS_ENGINE_H
#define NABAT_ALERTS_ENGINE_H

#include "store/facts.h"

struct engine_config {
    enum severity ring_min;
    int64_t cooldown_ms; /* 0: every event rings */
};

/* All facts of one group in one round, in order. */
struct verdict engine_decide(const struct engine_config *config, const struct fact *facts,
                             size_t count, int64_t now_ms);

#endif
