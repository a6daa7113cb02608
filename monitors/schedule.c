/* schedule.c -- a crontab line as sets of bits, and a walk through the days that fit them. */
#include "monitors/schedule.h"

#include "core/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DAYS_SEARCHED_MAX = 366 * 8 + 2 }; /* 29 February: eight years at most */

static const char *const MONTHS[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const WEEKDAYS[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

struct field {
    const char *name;
    int min;
    int max;
    const char *const *words; /* NULL: numbers only */
};

static const struct field FIELDS[] = {
    {"minute", 0, 59, NULL},  {"hour", 0, 23, NULL},       {"day", 1, 31, NULL},
    {"month", 1, 12, MONTHS}, {"weekday", 0, 7, WEEKDAYS},
};

static const struct {
    const char *name;
    const char *line;
} NICKNAMES[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                 {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                 {"@hourly", "0 * * * *"}};

/* A number or a word of the field at *at. */
static bool read_value(const char **at, const struct field *f, int *out)
{
    if (isdigit((unsigned char)**at)) {
        char *end = NULL;
        long n = strtol(*at, &end, 10);
        *at = end;
        *out = (int)n;
        return n >= f->min && n <= f->max;
    }
    for (int i = 0; f->words && f->words[i]; i++)
        if (strncasecmp(*at, f->words[i], 3) == 0) {
            *at += 3;
            *out = i + f->min;
            return true;
        }
    return false;
}

/* "5", "1-5", "*", each with an optional "/2". */
static bool read_range(const char **at, const struct field *f, uint64_t *bits)
{
    int from = f->min;
    int to = f->max;
    bool star = **at == '*';
    if (star) {
        (*at)++;
    } else {
        if (!read_value(at, f, &from))
            return false;
        to = from;
        if (**at == '-') {
            (*at)++;
            if (!read_value(at, f, &to))
                return false;
        } else if (**at == '/') {
            to = f->max;
        }
    }
    int step = 1;
    if (**at == '/') {
        (*at)++;
        char *end = NULL;
        long n = isdigit((unsigned char)**at) ? strtol(*at, &end, 10) : 0;
        if (n < 1 || n > 60)
            return false;
        *at = end;
        step = (int)n;
    }
    if (from > to)
        return false;
    for (int i = from; i <= to; i += step)
        *bits |= (uint64_t)1 << i;
    return true;
}

static bool read_field(const char **at, const struct field *f, uint64_t *bits, bool *any)
{
    *any = **at == '*' && ((*at)[1] == ' ' || (*at)[1] == '\0');
    *bits = 0;
    for (;;) {
        if (!read_range(at, f, bits))
            return false;
        if (**at != ',')
            return **at == ' ' || **at == '\0';
        (*at)++;
    }
}

/* Not the 30th of February alone. */
static bool has_a_day(const struct schedule *s)
{
    static const int DAYS[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!s->any_weekday)
        return true;
    for (int month = 1; month <= 12; month++)
        for (int day = 1; day <= DAYS[month]; day++)
            if ((s->months >> month & 1) && (s->days >> day & 1))
                return true;
    return false;
}

static bool parse_crontab(const char *text, struct schedule *s, struct err *err)
{
    uint64_t bits[5];
    bool any[5];
    char line[128];
    size_t n = 0;
    for (const char *p = text; *p && n + 1 < sizeof line; p++) /* blanks collapsed */
        if (!isspace((unsigned char)*p) || (n && line[n - 1] != ' '))
            line[n++] = isspace((unsigned char)*p) ? ' ' : *p;
    while (n && line[n - 1] == ' ')
        n--;
    line[n] = '\0';
    const char *at = line;
    for (size_t i = 0; i < sizeof NICKNAMES / sizeof *NICKNAMES; i++)
        if (strcasecmp(line, NICKNAMES[i].name) == 0)
            at = NICKNAMES[i].line;
    for (size_t i = 0; i < 5; i++) {
        at += *at == ' ';
        if (!read_field(&at, &FIELDS[i], &bits[i], &any[i]))
            return err_set(err, ERR_INPUT,
                           "schedule \"%.60s\": the %s is wrong; it takes five fields: minute hour "
                           "day month weekday",
                           text, FIELDS[i].name);
    }
    if (*at)
        return err_set(err, ERR_INPUT, "schedule \"%.60s\": more than five fields", text);
    s->minutes = bits[0];
    s->hours = (uint32_t)bits[1];
    s->days = (uint32_t)bits[2];
    s->months = (uint32_t)bits[3];
    s->weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7F); /* 7 is Sunday too */
    s->any_day = any[2];
    s->any_weekday = any[4];
    return has_a_day(s) ||
           err_set(err, ERR_INPUT, "schedule \"%.60s\": no month of it has such a day", text);
}

static bool parse_interval(const char *text, struct schedule *s, struct err *err)
{
    static const char *const UNITS[] = {"minute", "hour", "day", "week", "month", "year"};
    static const long MOST[] = {5256000, 87600, 3650, 520, 120, 10}; /* ten years of each */
    char *end = NULL;
    long n = strtol(text, &end, 10);
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        size_t len = strlen(UNITS[i]);
        bool same = strncasecmp(end, UNITS[i], len) == 0 &&
                    (end[len] == '\0' || strcasecmp(end + len, "s") == 0);
        if (!same || n < 1 || n > MOST[i])
            continue;
        s->count = n;
        s->unit = (enum schedule_unit)i;
        return true;
    }
    return err_set(err, ERR_INPUT,
                   "schedule \"%.60s\": an interval is a number above zero and minute, hour, day, "
                   "week, month or year, up to ten years",
                   text);
}

bool schedule_parse(const char *text, bool is_interval, struct schedule *out, struct err *err)
{
    *out = (struct schedule){.is_interval = is_interval};
    return is_interval ? parse_interval(text, out, err) : parse_crontab(text, out, err);
}

static int64_t next_interval(const struct schedule *s, const char *zone, int64_t after_ms)
{
    static const int64_t MINUTES[] = {1, 60, 24 * 60, 7 * 24 * 60};
    int64_t from = after_ms - after_ms % 60000;
    if (s->unit <= UNIT_WEEK)
        return from + s->count * MINUTES[s->unit] * 60000;
    struct tm tm;
    zone_local(zone, from, &tm);
    if (s->unit == UNIT_MONTH)
        tm.tm_mon += (int)s->count;
    else
        tm.tm_year += (int)s->count;
    return zone_moment(zone, &tm);
}

/* As in Vixie's cron: with both day and weekday given, either is enough. */
static bool day_fits(const struct schedule *s, const struct tm *tm)
{
    bool day = s->days >> tm->tm_mday & 1;
    bool weekday = s->weekdays >> tm->tm_wday & 1;
    if (!(s->months >> (tm->tm_mon + 1) & 1))
        return false;
    if (s->any_day || s->any_weekday)
        return day && weekday;
    return day || weekday;
}

/* The first time of a day behind `after_ms`; 0: none. `from` is a local minute of the day, or -1. */
static int64_t next_in_day(const struct schedule *s, const char *zone, const struct tm *day,
                           int from, int64_t after_ms)
{
    for (int h = from < 0 ? 0 : from / 60; h < 24; h++) {
        for (int m = 0; m < 60 && (s->hours >> h & 1); m++) {
            if (!(s->minutes >> m & 1) || h * 60 + m <= from)
                continue;
            struct tm at = *day;
            at.tm_hour = h;
            at.tm_min = m;
            int64_t ms = zone_moment(zone, &at);
            if (ms > after_ms)
                return ms;
        }
    }
    return 0;
}

/* Days are walked in the calendar alone; a zone is asked only for days that fit. */
static int64_t next_crontab(const struct schedule *s, const char *zone, int64_t after_ms)
{
    struct tm day;
    zone_local(zone, after_ms, &day);
    int from = day.tm_hour * 60 + day.tm_min;
    day.tm_hour = 12;
    day.tm_min = day.tm_sec = 0;
    for (int d = 0; d < DAYS_SEARCHED_MAX; d++, from = -1) {
        int64_t ms = day_fits(s, &day) ? next_in_day(s, zone, &day, from, after_ms) : 0;
        if (ms)
            return ms;
        day.tm_mday++;
        time_t noon = timegm(&day);
        gmtime_r(&noon, &day);
    }
    return 0;
}

int64_t schedule_next(const struct schedule *s, const char *zone, int64_t after_ms)
{
    return s->is_interval ? next_interval(s, zone, after_ms) : next_crontab(s, zone, after_ms);
}
