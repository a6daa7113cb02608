/* machine.c -- the state machine of one monitor in one environment. */
#include "monitors/machine.h"

#include <string.h>

static const char *const NAMES[] = {"none", "in_progress", "ok", "error", "missed", "timeout"};

const char *run_status_name(enum run_status status)
{
    return NAMES[status];
}

enum run_status run_status_parse(const char *name)
{
    for (int i = RUN_IN_PROGRESS; name && i <= RUN_TIMEOUT; i++)
        if (strcmp(NAMES[i], name) == 0)
            return (enum run_status)i;
    return RUN_NONE;
}

static void good(struct monitor_state *s, int64_t now_ms, struct monitor_change *c)
{
    s->last_ok_ms = now_ms;
    s->good_streak++;
    int64_t failures = s->bad_streak;
    s->bad_streak = 0;
    if (!s->incident_since_ms || s->good_streak < s->recovery_threshold) {
        if (s->incident_since_ms)
            s->bad_streak = failures; /* not over yet */
        return;
    }
    c->say = SAY_RECOVERED;
    c->failed_for_ms = now_ms - s->incident_since_ms;
    c->failures = failures;
    s->incident_since_ms = 0;
}

static void bad(struct monitor_state *s, int64_t now_ms, struct monitor_change *c)
{
    s->bad_streak++;
    s->good_streak = 0;
    c->failures = s->bad_streak;
    if (!s->incident_since_ms && s->bad_streak < s->failure_threshold)
        return;
    if (!s->incident_since_ms)
        s->incident_since_ms = now_ms;
    c->say = SAY_FAILED;
}

static void finish(struct monitor_state *s, struct run *run, enum run_status status, int64_t now_ms,
                   struct monitor_change *c)
{
    run->status = status;
    run->finished_ms = now_ms;
    run->timeout_ms = 0;
    s->last_status = status;
    c->store_run = true;
    if (status == RUN_OK)
        good(s, now_ms, c);
    else
        bad(s, now_ms, c);
}

struct monitor_change machine_checkin(struct monitor_state *s, struct run *run,
                                      enum checkin_status status, int64_t duration_ms,
                                      int64_t now_ms)
{
    struct monitor_change c = {0};
    bool ended = run->status == RUN_OK || run->status == RUN_ERROR || run->status == RUN_MISSED;
    if (status == CHECKIN_UNKNOWN ||
        (status == CHECKIN_IN_PROGRESS && run->status > RUN_IN_PROGRESS))
        return c; /* what opened it came after what closed it */
    if (status == CHECKIN_IN_PROGRESS) {
        if (run->status == RUN_NONE)
            *run = (struct run){.started_ms = now_ms, .duration_ms = -1};
        run->status = RUN_IN_PROGRESS;
        run->timeout_ms = now_ms + s->max_runtime_ms;
        if (s->last_status == RUN_NONE)
            s->last_status = RUN_IN_PROGRESS;
        c.store_run = c.expects_next = true;
        return c;
    }
    if (ended)
        return c; /* said twice */
    if (run->status == RUN_NONE)
        *run = (struct run){.started_ms = now_ms - (duration_ms > 0 ? duration_ms : 0),
                            .duration_ms = duration_ms};
    run->duration_ms = duration_ms >= 0 ? duration_ms : now_ms - run->started_ms;
    c.expects_next = true;
    if (run->status == RUN_TIMEOUT) {
        c.store_run = true; /* too late: only how long it took is news */
        return c;
    }
    finish(s, run, status == CHECKIN_OK ? RUN_OK : RUN_ERROR, now_ms, &c);
    return c;
}

struct monitor_change machine_missed(struct monitor_state *s, struct run *run, int64_t expected_ms)
{
    struct monitor_change c = {.expects_next = true};
    *run = (struct run){.started_ms = expected_ms, .duration_ms = -1};
    finish(s, run, RUN_MISSED, expected_ms, &c);
    return c;
}

struct monitor_change machine_timeout(struct monitor_state *s, struct run *run, bool newer,
                                      int64_t now_ms)
{
    struct monitor_change c = {.store_run = true};
    if (newer) {
        run->status = RUN_TIMEOUT;
        run->finished_ms = now_ms;
        run->timeout_ms = 0;
        return c;
    }
    finish(s, run, RUN_TIMEOUT, now_ms, &c);
    return c;
}
