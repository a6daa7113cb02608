/* test_monitors.c -- when a cron job is expected, and what its check-ins and their absence mean. */
#include "tests/unit/rows.h"

#include "core/zone.h"
#include "monitors/machine.h"
#include "monitors/schedule.h"

#include <time.h>

static const char *name_of(const void *row)
{
    return *(const char *const *)row;
}

/* ---------------------------------------------------------------------------------------- schedules */

struct schedule_row {
    const char *text;
    bool is_interval;
    const char *zone;
    const char *after;
    const char *want; /* "": refused */
};
static const struct schedule_row SCHEDULES[] = {
    {"0 3 * * *", false, "UTC", "2026-11-21 02:59", "2026-11-21 03:00"},
    {"0 3 * * *", false, "UTC", "2026-11-21 03:00", "2026-11-22 03:00"},
    {"0 3 * * *", false, "Europe/Moscow", "2026-11-21 02:59", "2026-11-22 00:00"},
    {"*/15 * * * *", false, "UTC", "2026-11-21 10:07", "2026-11-21 10:15"},
    {"5-10/2 8 * * 1-5", false, "UTC", "2026-11-21 00:00", "2026-11-23 08:05"},
    {"0 0 1 * *", false, "UTC", "2026-11-21 00:00", "2026-12-01 00:00"},
    {"0 12 * * sun", false, "UTC", "2026-11-21 00:00", "2026-11-22 12:00"},
    {"0 12 * * 7", false, "UTC", "2026-11-21 00:00", "2026-11-22 12:00"},
    {"0 12 24 dec *", false, "UTC", "2026-11-21 00:00", "2026-12-24 12:00"},
    {"0 0 13 * fri", false, "UTC", "2026-11-21 00:00", "2026-11-27 00:00"}, /* either is enough */
    {"0 0 29 2 *", false, "UTC", "2026-11-21 00:00", "2028-02-29 00:00"},
    {"0 0 30 2 *", false, "UTC", "2026-11-21 00:00", ""},
    {"0 0 31 4,6,9 *", false, "UTC", "2026-11-21 00:00", ""},
    {"0 0 31 */2 *", false, "UTC", "2026-11-21 00:00", "2027-01-31 00:00"},
    {"* * * * *", false, "Europe/Berlin", "2026-11-21 23:59", "2026-11-22 00:00"},
    {"  0   3  *  *  * ", false, "UTC", "2026-11-21 00:00", "2026-11-21 03:00"},
    {"@daily", false, "UTC", "2026-11-21 00:00", "2026-11-22 00:00"},
    {"@Hourly", false, "UTC", "2026-11-21 00:30", "2026-11-21 01:00"},
    {"@weekly", false, "UTC", "2026-11-21 00:00", "2026-11-22 00:00"},
    {"@yearly", false, "UTC", "2026-11-21 00:00", "2027-01-01 00:00"},
    {"30 2 * * *", false, "Europe/Berlin", "2027-03-27 12:00", "2027-03-28 01:30"}, /* the clock jumps over it */
    {"30 2 * * *", false, "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:30"}, /* it comes twice */
    {"10 minute", true, "UTC", "2026-11-21 10:07", "2026-11-21 10:17"},
    {"2 hours", true, "UTC", "2026-11-21 10:07", "2026-11-21 12:07"},
    {"1 day", true, "UTC", "2026-11-21 10:07", "2026-11-22 10:07"},
    {"1 week", true, "UTC", "2026-11-21 10:07", "2026-11-28 10:07"},
    {"1 month", true, "UTC", "2026-11-21 10:07", "2026-12-21 10:07"},
    {"1 year", true, "UTC", "2026-11-21 10:07", "2027-11-21 10:07"},
    {"@reboot", false, "UTC", "2026-11-21 00:00", ""},
    {"0 3 * *", false, "UTC", "2026-11-21 00:00", ""},
    {"0 3 * * * *", false, "UTC", "2026-11-21 00:00", ""},
    {"60 3 * * *", false, "UTC", "2026-11-21 00:00", ""},
    {"0 24 * * *", false, "UTC", "2026-11-21 00:00", ""},
    {"0 3 0 * *", false, "UTC", "2026-11-21 00:00", ""},
    {"5-1 * * * *", false, "UTC", "2026-11-21 00:00", ""},
    {"*/0 * * * *", false, "UTC", "2026-11-21 00:00", ""},
    {"a * * * *", false, "UTC", "2026-11-21 00:00", ""},
    {"", false, "UTC", "2026-11-21 00:00", ""},
    {"0 minute", true, "UTC", "2026-11-21 00:00", ""},
    {"10 fortnight", true, "UTC", "2026-11-21 00:00", ""},
    {"minute", true, "UTC", "2026-11-21 00:00", ""},
};

static int64_t moment(const char *text)
{
    struct tm tm = {0};
    strptime(text, "%Y-%m-%d %H:%M", &tm);
    return (int64_t)timegm(&tm) * 1000;
}

static void check_schedule(void **state)
{
    const struct schedule_row *row = *state;
    struct schedule s;
    struct err err = {0};
    bool ok = schedule_parse(row->text, row->is_interval, &s, &err);
    assert_int_equal(ok, row->want[0] != '\0');
    if (!ok) {
        assert_non_null(strstr(err.text, "schedule"));
        return;
    }
    int64_t next = schedule_next(&s, row->zone, moment(row->after));
    assert_int_equal(next, moment(row->want));
}

/* --------------------------------------------------------------------------------- the state machine */

enum step_kind { SAYS_OK, SAYS_ERROR, SAYS_STARTED, MISSED, TIMED_OUT };
struct step {
    enum step_kind kind;
    enum run_status run;   /* afterwards */
    enum monitor_say said;
};
struct machine_row {
    const char *name;
    int failures;
    int recoveries;
    bool one_run; /* all steps are about one check-in */
    struct step steps[8];
};
static const struct machine_row MACHINES[] = {
    {"an error, then ok", 1, 1, false, {{SAYS_ERROR, RUN_ERROR, SAY_FAILED}, {SAYS_OK, RUN_OK, SAY_RECOVERED}, {SAYS_OK, RUN_OK, SAY_NOTHING}}},
    {"every failure of an incident is said", 1, 1, false, {{SAYS_ERROR, RUN_ERROR, SAY_FAILED}, {MISSED, RUN_MISSED, SAY_FAILED}}},
    {"thresholds", 3, 2, false, {{SAYS_ERROR, RUN_ERROR, SAY_NOTHING}, {MISSED, RUN_MISSED, SAY_NOTHING}, {TIMED_OUT, RUN_TIMEOUT, SAY_FAILED}, {SAYS_OK, RUN_OK, SAY_NOTHING}, {SAYS_OK, RUN_OK, SAY_RECOVERED}}},
    {"a success in between starts the count anew", 2, 1, false, {{SAYS_ERROR, RUN_ERROR, SAY_NOTHING}, {SAYS_OK, RUN_OK, SAY_NOTHING}, {SAYS_ERROR, RUN_ERROR, SAY_NOTHING}, {SAYS_ERROR, RUN_ERROR, SAY_FAILED}}},
    {"started, then ok", 1, 1, true, {{SAYS_STARTED, RUN_IN_PROGRESS, SAY_NOTHING}, {SAYS_STARTED, RUN_IN_PROGRESS, SAY_NOTHING}, {SAYS_OK, RUN_OK, SAY_NOTHING}}},
    {"ok before started", 1, 1, true, {{SAYS_OK, RUN_OK, SAY_NOTHING}, {SAYS_STARTED, RUN_OK, SAY_NOTHING}}},
    {"error before started", 1, 1, true, {{SAYS_ERROR, RUN_ERROR, SAY_FAILED}, {SAYS_STARTED, RUN_ERROR, SAY_NOTHING}, {SAYS_ERROR, RUN_ERROR, SAY_NOTHING}}},
    {"a timeout stays one", 1, 1, true, {{SAYS_STARTED, RUN_IN_PROGRESS, SAY_NOTHING}, {TIMED_OUT, RUN_TIMEOUT, SAY_FAILED}, {SAYS_OK, RUN_TIMEOUT, SAY_NOTHING}}},
};

static void check_machine(void **state)
{
    const struct machine_row *row = *state;
    struct monitor_state s = {.max_runtime_ms = 60000, .failure_threshold = row->failures, .recovery_threshold = row->recoveries};
    struct run run = {0};
    for (size_t i = 0; i < 8 && row->steps[i].run; i++) {
        const struct step *step = &row->steps[i];
        int64_t now = 1000000 + (int64_t)i * 1000;
        struct monitor_change c;
        if (!row->one_run)
            run = (struct run){0};
        if (step->kind == MISSED)
            c = machine_missed(&s, &run, now);
        else if (step->kind == TIMED_OUT)
            c = machine_timeout(&s, &run, false, now);
        else
            c = machine_checkin(&s, &run, step->kind == SAYS_OK ? CHECKIN_OK : step->kind == SAYS_ERROR ? CHECKIN_ERROR : CHECKIN_IN_PROGRESS, -1, now);
        assert_int_equal(run.status, step->run);
        assert_int_equal(c.say, step->said);
    }
}

static void zones_are_known_by_name(void **state)
{
    (void)state;
    assert_true(zone_is_known("Europe/Moscow"));
    assert_false(zone_is_known("Mars/Olympus"));
    assert_false(zone_is_known("../../etc/passwd"));
    assert_false(zone_is_known("/etc/passwd"));
    assert_false(zone_is_known(""));
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(zones_are_known_by_name)};
    return ROWS_RUN("schedule", SCHEDULES, check_schedule, name_of) +
           ROWS_RUN("machine", MACHINES, check_machine, name_of) +
           cmocka_run_group_tests_name("zones", tests, NULL, NULL);
}
