/* zone.c -- libc knows one zone at a time: it is switched for the call and put back.
 *
 * For the loop's thread alone; the helper thread never looks at local time. TZ is in the environment
 * from the start (clock_set_zone), so that setting it again moves nothing that getenv walks over. */
#include "core/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kept_zone {
    char text[80];
    bool was_set;
};

static struct kept_zone enter(const char *zone)
{
    struct kept_zone kept = {.was_set = false};
    const char *now = getenv("TZ");
    char name[80];
    if (now && strlen(now) < sizeof kept.text) {
        kept.was_set = true;
        snprintf(kept.text, sizeof kept.text, "%s", now);
    }
    snprintf(name, sizeof name, ":%s", zone ? zone : "UTC");
    setenv("TZ", name, 1);
    tzset();
    return kept;
}

static void leave(const struct kept_zone *kept)
{
    if (kept->was_set)
        setenv("TZ", kept->text, 1);
    else
        unsetenv("TZ");
    tzset();
}

bool zone_is_known(const char *zone)
{
    char path[160];
    if (!*zone || strlen(zone) > 64 || strstr(zone, "..") || zone[0] == '/')
        return false;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    return access(path, R_OK) == 0;
}

void zone_local(const char *zone, int64_t ms, struct tm *out)
{
    time_t seconds = (time_t)(ms / 1000);
    if (zone && !*zone) {
        localtime_r(&seconds, out);
        return;
    }
    struct kept_zone kept = enter(zone);
    localtime_r(&seconds, out);
    leave(&kept);
}

int64_t zone_moment(const char *zone, const struct tm *local)
{
    struct tm tm = *local;
    tm.tm_sec = 0;
    tm.tm_isdst = -1;
    bool own = zone && !*zone; /* the process's: it is in TZ already */
    struct kept_zone kept = {.was_set = false};
    if (!own)
        kept = enter(zone);
    time_t seconds = mktime(&tm);
    /* of a time that comes twice mktime may take the second: an hour earlier reads the same then */
    struct tm earlier;
    time_t before = seconds - 3600;
    localtime_r(&before, &earlier);
    if (earlier.tm_hour == local->tm_hour && earlier.tm_min == local->tm_min &&
        earlier.tm_mday == local->tm_mday)
        seconds = before;
    if (!own)
        leave(&kept);
    return (int64_t)seconds * 1000;
}
