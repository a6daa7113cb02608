/* daily.c -- see daily.h. */
#include "core/daily.h"

#include "core/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool two_digits(const char *at, int below, int *out)
{
    if (!isdigit((unsigned char)at[0]) || !isdigit((unsigned char)at[1]))
        return false;
    *out = (at[0] - '0') * 10 + at[1] - '0';
    return *out < below;
}

bool daily_parse(const char *text, struct daily *at)
{
    *at = (struct daily){0};
    if (strlen(text) < 5 || !two_digits(text, 24, &at->hour) || text[2] != ':' ||
        !two_digits(text + 3, 60, &at->minute))
        return false;
    const char *zone = text + 5 + strspn(text + 5, " ");
    if (!*zone)
        return !text[5] || text[5] == ' ';
    if (zone == text + 5 || strlen(zone) >= sizeof at->zone || !zone_is_known(zone))
        return false;
    snprintf(at->zone, sizeof at->zone, "%s", zone);
    return true;
}

static void write_day(const struct tm *local, char day[DAILY_DAY_BYTES])
{
    snprintf(day, DAILY_DAY_BYTES, "%04d-%02d-%02d", local->tm_year + 1900, local->tm_mon + 1,
             local->tm_mday);
}

bool daily_is_due(const struct daily *at, int64_t now_ms, const char *last_day,
                  char day[DAILY_DAY_BYTES])
{
    const int64_t day_ms = 86400 * 1000;
    struct tm local;
    zone_local(at->zone, now_ms, &local);
    int late = (local.tm_hour - at->hour) * 60 + local.tm_min - at->minute;
    if (late < 0) { /* today's is to come: is yesterday's still due? */
        late += 24 * 60;
        zone_local(at->zone, now_ms - day_ms, &local);
    }
    write_day(&local, day);
    if (!last_day)
        return late < DAILY_FIRST_MINUTES;
    return late < DAILY_LATE_HOURS * 60 && strcmp(day, last_day) > 0;
}

bool daily_is_monday(const struct daily *at, int64_t now_ms)
{
    struct tm local;
    zone_local(at->zone, now_ms, &local);
    return local.tm_wday == 1;
}
