/* quiet.c -- quiet hours by the clock on a chat's wall: they may lie over midnight and over clock changes. */
#include "alerts/rules.h"

#include "core/zone.h"

int64_t rules_quiet_until(const struct quiet_hours *quiet, int64_t now_ms)
{
    struct tm tm;
    zone_local(quiet->zone, now_ms, &tm);
    int now = tm.tm_hour * 60 + tm.tm_min;
    bool over_midnight = quiet->from_minute > quiet->to_minute;
    bool after_from = now >= quiet->from_minute;
    bool before_to = now < quiet->to_minute;
    if (over_midnight ? !after_from && !before_to : !after_from || !before_to)
        return 0;
    tm.tm_hour = quiet->to_minute / 60;
    tm.tm_min = quiet->to_minute % 60;
    if (over_midnight && after_from)
        tm.tm_mday++;
    return zone_moment(quiet->zone, &tm);
}
