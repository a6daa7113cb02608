/* zone.h -- times in a zone of the tz database, whatever zone the process is in. */
#ifndef NABAT_CORE_ZONE_H
#define NABAT_CORE_ZONE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

bool zone_is_known(const char *zone);
/* Broken-down local time of a moment; NULL zone is UTC, "" the process's own (TIME_ZONE). */
void zone_local(const char *zone, int64_t ms, struct tm *out);
/* As above for the zone. The moment of a local time (year, month, day, hour, minute count). A time that a clock change
 * leaves out is the one behind the gap; of one that comes twice, the first. */
int64_t zone_moment(const char *zone, const struct tm *local);

#endif
