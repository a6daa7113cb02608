/* schedule.h -- when a cron job is expected next: crontab lines and intervals, in a time zone. Pure. */
#ifndef NABAT_MONITORS_SCHEDULE_H
#define NABAT_MONITORS_SCHEDULE_H

#include "core/err.h"

#include <stdint.h>

struct schedule {
    bool is_interval;
    /* crontab (POSIX): bit n of a field is set when the time may have n there */
    uint64_t minutes;
    uint32_t hours;
    uint32_t days;     /* 1…31 */
    uint32_t months;   /* 1…12 */
    uint32_t weekdays; /* 0…6, Sunday first */
    bool any_day;      /* the day field is "*": then the weekday alone decides, and vice versa */
    bool any_weekday;
    /* interval */
    int64_t count;
    enum schedule_unit { UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR } unit;
};

/* "*(5 fields)", "@daily" and its kin without @reboot; or "10 minute". INPUT names what is wrong. */
bool schedule_parse(const char *text, bool is_interval, struct schedule *out, struct err *err);

/* The next expected time after `after_ms`; an interval counts from it. Unix milliseconds; 0: none
 * within eight years. */
int64_t schedule_next(const struct schedule *schedule, const char *zone, int64_t after_ms);

#endif
