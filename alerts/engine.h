/* engine.h -- ring or not, where, and whether it waits: the one pure decision of the product (CONTRACT
 * section 5).
 *
 * First match wins: muted, below the minimum, before the resolve, regression, taken, cooldown,
 * ring; in each place that the rules send it to. Times are the database's, Unix milliseconds. */
#ifndef NABAT_ALERTS_ENGINE_H
#define NABAT_ALERTS_ENGINE_H

#include "alerts/rules.h"
#include "store/facts.h"

struct engine_config {
    struct route_root root;
    const struct rules *rules;
};

/* All facts of one group in one round, in order. Its rings are added to `rings`. */
struct verdict engine_decide(const struct engine_config *config, const struct fact *facts,
                             size_t count, int64_t now_ms, struct rings *rings);

/* Its group is muted: by time, or until it occurred a number of times. */
bool engine_is_muted(const struct fact *fact, int64_t now_ms);

/* What rules see of a fact. */
struct subject engine_subject(const struct fact *fact, bool is_regression, int64_t now_ms);

#endif
