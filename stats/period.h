/* period.h -- which period and what of it is asked for: pure. */
#ifndef NABAT_STATS_PERIOD_H
#define NABAT_STATS_PERIOD_H

#include "stats/phrases.h"
#include "store/stats.h"

enum stats_period { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };
enum stats_theme { THEME_AS_SET, THEME_LIGHT, THEME_DARK };

/* What the words of a command say: period, severities, theme; the first ones left are the filter's. */
struct stats_request {
    enum stats_period period;
    enum stats_theme theme;
    enum stats_top top; /* of /top */
    struct stats_filter filter;
    const char *surplus; /* a word more than a filter takes; NULL: none */
};
/* `text` is cut in pieces, the request borrows them. `tops`: names of lists count. */
void stats_request_parse(char *text, bool tops, struct stats_request *request);

/* "24h", "7d", "30d" (also "day", "week", "month"); false: none of these. */
bool stats_period_parse(const char *text, enum stats_period *period);
/* Buckets that end with the hour, the six hours or the day that `now_ms` is in, by the zone's clock. */
void stats_period_ask(enum stats_period period, int64_t now_ms, const char *zone,
                      struct stats_ask *ask);

/* Its phrase among those of a row of three, in order of enum stats_period. */
enum phrase stats_period_phrase(enum phrase first, enum stats_period period);

#endif
