/* daily.h -- a time of the day in a zone, and whether what happens then is due: pure. */
#ifndef NABAT_CORE_DAILY_H
#define NABAT_CORE_DAILY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    DAILY_ZONE_BYTES = 64,
    DAILY_DAY_BYTES = 16,
    DAILY_LATE_HOURS = 12,
    DAILY_FIRST_MINUTES = 30
};

struct daily {
    int hour;
    int minute;
    char zone[DAILY_ZONE_BYTES]; /* "": the process's own (TIME_ZONE) */
};

/* "09:00" or "09:00 Europe/Moscow". False: it is neither. */
bool daily_parse(const char *text, struct daily *at);
/* Whether it is due at `now_ms`; `last_day` (YYYY-MM-DD there; NULL: never) is of when it happened last, `day` gets the present
 * one, or yesterday's where that is still due. Who was away does it late, up to DAILY_LATE_HOURS, over midnight, too; the first
 * time of all up to DAILY_FIRST_MINUTES: who sets it in the afternoon wants it tomorrow. */
bool daily_is_due(const struct daily *at, int64_t now_ms, const char *last_day,
                  char day[DAILY_DAY_BYTES]);
bool daily_is_monday(const struct daily *at, int64_t now_ms);

#endif
