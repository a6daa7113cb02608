/* clock.c -- wall and monotonic time, RFC 3339 in and out. */
#include "core/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

struct reader {
    const char *at;
    const char *end;
};

/* Exactly `digits` decimal digits, or false. */
static bool read_number(struct reader *r, int digits, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++, r->at++) {
        if (r->at >= r->end || !isdigit((unsigned char)*r->at))
            return false;
        value = value * 10 + (*r->at - '0');
    }
    *out = value;
    return true;
}

static bool read_char(struct reader *r, const char *one_of)
{
    if (r->at >= r->end || !*r->at || !strchr(one_of, *r->at))
        return false;
    r->at++;
    return true;
}

/* Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant's days_from_civil). */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static int days_in_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : DAYS[month - 1];
}

static bool read_fraction(struct reader *r, int *out_ms)
{
    *out_ms = 0;
    if (!read_char(r, ".,"))
        return true;
    int scale = 100;
    const char *start = r->at;
    while (r->at < r->end && isdigit((unsigned char)*r->at)) {
        *out_ms += (*r->at++ - '0') * scale;
        scale /= 10;
    }
    return r->at > start;
}

static bool read_offset(struct reader *r, int *out_minutes)
{
    *out_minutes = 0;
    if (r->at == r->end || read_char(r, "Zz"))
        return true;
    int sign = r->at < r->end && *r->at == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    if (!read_char(r, "+-") || !read_number(r, 2, &hours))
        return false;
    read_char(r, ":");
    if (r->at < r->end && !read_number(r, 2, &minutes))
        return false;
    *out_minutes = sign * (hours * 60 + minutes);
    return hours <= 23 && minutes <= 59;
}

bool clock_parse_rfc3339(const char *text, size_t len, int64_t *out_ms)
{
    struct reader r = {text, text + len};
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int ms = 0;
    int offset = 0;
    if (!read_number(&r, 4, &year) || !read_char(&r, "-") || !read_number(&r, 2, &month) ||
        !read_char(&r, "-") || !read_number(&r, 2, &day) || !read_char(&r, "Tt ") ||
        !read_number(&r, 2, &hour) || !read_char(&r, ":") || !read_number(&r, 2, &minute))
        return false;
    if (read_char(&r, ":") && (!read_number(&r, 2, &second) || !read_fraction(&r, &ms)))
        return false;
    if (!read_offset(&r, &offset) || r.at != r.end)
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
        hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 +
                      second - (int64_t)offset * 60;
    *out_ms = seconds * 1000 + ms;
    return true;
}

void clock_format_utc(int64_t ms, char out[CLOCK_TEXT_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    int rest = (int)(ms % 1000);
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, CLOCK_TEXT_BYTES - n, ".%03dZ", rest);
}

bool clock_set_zone(const char *zone)
{
    char path[256];
    struct stat st;
    if (strcmp(zone, "UTC") != 0) {
        if (strstr(zone, "..") || zone[0] == '/' || !zone[0])
            return false;
        snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
            return false;
    }
    setenv("TZ", zone, 1);
    tzset();
    return true;
}
