/* monitor.h -- rows of monitors and their check-ins, written only over what was read.
 *
 * Who decides reads a monitor with its version, and writes with it: 0 rows moved means that somebody
 * else was faster, and the decision is made again. */
#ifndef NABAT_STORE_MONITOR_H
#define NABAT_STORE_MONITOR_H

#include "core/checkin.h"
#include "core/event.h"
#include "store/pg.h"

/* BORROWED until done returns. Times are Unix milliseconds, 0: none. */
struct monitor_row {
    int64_t id;
    int64_t version;
    int32_t project_id;
    const char *slug;
    const char *environment;
    struct monitor_config config;
    bool enabled;
    enum severity severity_max; /* of its project: a key that pages show wakes nobody */
    int64_t watched_from_ms;    /* since its project was enabled again; 0: always was */
    const char *last_status;    /* NULL: never checked in */
    int64_t last_ok_ms;
    int64_t next_ms;
    int64_t bad_streak;
    int64_t good_streak;
    int64_t incident_since_ms;
    int64_t recent;     /* check-ins of the last minute */
    const char *run_id; /* of the check-in asked for, or the latest in progress; NULL: none */
    const char *run_status;
    int64_t run_started_ms;
    int64_t run_duration_ms; /* -1: none */
    int64_t run_timeout_ms;
    bool run_has_newer; /* a later check-in ended meanwhile */
};

/* `row` NULL: there is no such monitor. */
typedef void monitor_find_fn(void *ctx, const struct monitor_row *row, const struct err *err);
/* `run_id` "": the latest check-in in progress. */
void store_monitor_find(struct pg *pg, int32_t project_id, const char *slug,
                        const char *environment, const char *run_id, monitor_find_fn *done,
                        void *ctx);
/* The monitor that is overdue for longest, or that has a check-in over its time; NULL: none. */
void store_monitor_due(struct pg *pg, monitor_find_fn *done, void *ctx);

typedef void monitor_done_fn(void *ctx, int64_t moved, const struct err *err);
/* Makes it, if missing; 0 moved: it is there, or the project has MONITORS_PER_PROJECT_MAX. */
void store_monitor_make(struct pg *pg, int32_t project_id, const char *slug,
                        const char *environment, const struct monitor_config *config,
                        monitor_done_fn *done, void *ctx);

struct monitor_write {
    const struct monitor_row *row; /* id, version, and what stays */
    struct monitor_config config;
    const char *last_status;
    int64_t last_ok_ms;
    int64_t next_ms;
    int64_t bad_streak;
    int64_t good_streak;
    int64_t incident_since_ms;
    bool checked_in;    /* last_checkin_at is now */
    const char *run_id; /* NULL: no check-in is stored */
    const char *run_status;
    int64_t run_started_ms;
    int64_t run_finished_ms;
    int64_t run_duration_ms;
    int64_t run_timeout_ms;
    const char *release;
    const char *event; /* a native event as JSON, for event_inbox; NULL: none */
    const char *event_id;
    const char *fingerprint; /* of the monitor's group */
    const char *recovered;   /* words under its card, which is resolved; NULL: none */
};
void store_monitor_write(struct pg *pg, const struct monitor_write *write, monitor_done_fn *done,
                         void *ctx);

/* For people: those that fail first. BORROWED. */
struct monitor_line {
    const char *slug;
    const char *environment;
    const char *state; /* failing, ok, waiting, disabled */
    const char *schedule;
    const char *timezone;
    int64_t last_ok_ms;
    int64_t next_ms;
    int64_t incident_since_ms;
};
typedef void monitor_list_fn(void *ctx, const struct monitor_line *lines, size_t count,
                             int64_t total, const struct err *err);
void store_monitor_list(struct pg *pg, int limit, monitor_list_fn *done, void *ctx);

/* When the watch last looked; writes now. For gaps in which nobody watched. `moved` is that time. */
void store_monitor_tick(struct pg *pg, monitor_done_fn *done, void *ctx);

#endif
