/* machine.h -- what a check-in, or its absence, means for a monitor: pure, time is given.
 *
 * After Sentry's monitor consumer: a check-in may arrive before the one that opened it; one that
 * timed out stays so; failures open an incident at a threshold, successes close it at another. */
#ifndef NABAT_MONITORS_MACHINE_H
#define NABAT_MONITORS_MACHINE_H

#include "core/checkin.h"

enum run_status { RUN_NONE, RUN_IN_PROGRESS, RUN_OK, RUN_ERROR, RUN_MISSED, RUN_TIMEOUT };
const char *run_status_name(enum run_status status);
enum run_status run_status_parse(const char *name);

struct monitor_state {
    int64_t margin_ms;
    int64_t max_runtime_ms;
    int64_t failure_threshold;
    int64_t recovery_threshold;
    enum run_status last_status;
    int64_t last_ok_ms;
    int64_t bad_streak;
    int64_t good_streak;
    int64_t incident_since_ms; /* 0: well */
};

/* One check-in as it is stored; status RUN_NONE: not yet. */
struct run {
    enum run_status status;
    int64_t started_ms;
    int64_t finished_ms; /* 0: not yet */
    int64_t duration_ms; /* -1: unknown */
    int64_t timeout_ms;  /* 0: none */
};

enum monitor_say { SAY_NOTHING, SAY_FAILED, SAY_RECOVERED };

struct monitor_change {
    bool store_run;        /* `run` changed */
    bool expects_next;     /* the next expected time is to be set anew, from now */
    enum monitor_say say;  /* what is to be said */
    int64_t failed_for_ms; /* of SAY_RECOVERED: how long the incident lasted */
    int64_t failures;      /* in a row, this one included */
};

/* A check-in came. `run` is what is stored under its id. */
struct monitor_change machine_checkin(struct monitor_state *state, struct run *run,
                                      enum checkin_status status, int64_t duration_ms,
                                      int64_t now_ms);
/* Nothing came by expected time and margin. `run` gets the missed one. */
struct monitor_change machine_missed(struct monitor_state *state, struct run *run,
                                     int64_t expected_ms);
/* What was in progress is not finished in time. `newer`: a later one ended meanwhile. */
struct monitor_change machine_timeout(struct monitor_state *state, struct run *run, bool newer,
                                      int64_t now_ms);

#endif
