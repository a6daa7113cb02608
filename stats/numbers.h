/* numbers.h -- a period as JSON for programs: what GET /api/stats answers; pure. */
#ifndef NABAT_STATS_NUMBERS_H
#define NABAT_STATS_NUMBERS_H

#include "stats/chart.h"

/* NEW: the caller json_decref's it. The chart's description is in it, as "chart". */
json_t *stats_numbers(const struct stats_view *view);

#endif
