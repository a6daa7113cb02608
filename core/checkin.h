/* checkin.h -- a cron job's sign of life, and the schedule it promises (Sentry's monitor protocol). */
#ifndef NABAT_CORE_CHECKIN_H
#define NABAT_CORE_CHECKIN_H

#include "core/random.h"

#include <stdbool.h>
#include <stdint.h>

enum checkin_status { CHECKIN_UNKNOWN, CHECKIN_OK, CHECKIN_ERROR, CHECKIN_IN_PROGRESS };

/* What a check-in may bring along to make its monitor or change it. */
struct monitor_config {
    const char *schedule; /* "0 3 * * *", or "10 minute" */
    bool is_interval;
    int64_t margin_min;      /* minutes after the expected time before it is missed */
    int64_t max_runtime_min; /* minutes in progress before it is a timeout */
    const char *timezone;    /* tz name */
    int64_t failure_threshold;
    int64_t recovery_threshold;
};

/* Text is owned by the arena of the request. */
struct checkin {
    char id[RANDOM_HEX_BYTES]; /* "": the latest in progress, else a new one */
    const char *slug;
    enum checkin_status status;
    int64_t duration_ms; /* -1: not given */
    const char *environment;
    const char *release; /* NULL: not given */
    bool has_config;
    struct monitor_config config;
    struct checkin *next;
};

const char *checkin_status_name(enum checkin_status status);

#endif
