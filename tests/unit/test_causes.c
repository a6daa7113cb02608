/* test_causes.c -- ringing without the database: rows of what is known and what happens, in seconds. */
#include "tests/unit/rows.h"

#include "alerts/causes.h"
#include "core/limits.h"

#include <string.h>

enum { CHAT = -100, COOLDOWN_S = 300 };
#define NOW INT64_C(1700000000000)
static const char FINGERPRINT[] = "fedcba9876543210fedcba9876543210";

/* One letter an event, a minute apart: c critical, e error, i an import; '|' the database was back. Out: R rings,
 * '-' does not. */
struct row {
    const char *name;
    const char *events;
    const char *want;
    struct fact group; /* group_id 0: a new error */
    int64_t rang_s_ago; /* by a process before this one; 0: never; below 0: so long ago, and its answer was lost */
};

static const struct row ROWS[] = {
    {"a new critical error rings once a cooldown", "ccccccc", "R----R-", {0}, 0},
    {"what is below the minimum does not", "eee", "---", {0}, 0},
    {"nor an import", "i", "-", {0}, 0},
    {"the event's own severity counts", "ece", "-R-", {0}, 0},
    {"a muted group is quiet", "ccc", "---", {.group_id = 4, .muted_until_ms = NOW + 3600000}, 0},
    {"until the mute is over", "cccc", "--R-", {.group_id = 4, .muted_until_ms = NOW + 100000}, 0},
    {"or it occurred so often", "cccc", "--R-",
     {.group_id = 4, .muted_until_count = 12, .occurrences = 10}, 0},
    {"a taken group is quiet", "ccc", "---",
     {.group_id = 4, .status = STATUS_IN_PROGRESS, .taken_ms = NOW - 1000}, 0},
    {"unless that was a day ago", "cc", "R-",
     {.group_id = 4, .status = STATUS_IN_PROGRESS, .taken_ms = NOW - INT64_C(90000000)}, 0},
    {"what a person resolved comes back once", "cccccc", "R----R",
     {.group_id = 4, .status = STATUS_RESOLVED, .resolved_by_person = true, .resolved_ms = NOW - 1000}, 0},
    {"what rang in the last process is not rung again", "ccc", "---", {0}, 10},
    {"until its cooldown is over", "ccc", "-R-", {0}, 240},
    {"unless it may not have arrived", "ccc", "R--", {0}, -10},
    {"the database was back in between", "c|c", "R-", {0}, 0},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct rules *rules = store_rules_new();
    struct causes *causes = causes_new();
    struct rang rang = {.project_id = 1, .chat_id = CHAT, .message_id = row->rang_s_ago < 0 ? 0 : 7,
                        .at_ms = NOW - llabs(row->rang_s_ago) * 1000};
    memcpy(rang.fingerprint, FINGERPRINT, sizeof rang.fingerprint);
    size_t asked = 0;
    int64_t now = NOW;
    for (const char *p = row->events; *p; p++) {
        struct event e = {.project_id = 1, .origin = "celery", .title = "x", .occurred_ms = now, .received_ms = now,
                          .severity = *p == 'e' ? SEV_ERROR : SEV_CRITICAL, .is_import = *p == 'i'};
        struct causes_known known = {.root = {SEV_CRITICAL, COOLDOWN_S * 1000, CHAT, 0},
                                     .rules = rules,
                                     .group = row->group.group_id ? &row->group : NULL,
                                     .project = "default",
                                     .rangs = &rang,
                                     .rangs_count = row->rang_s_ago != 0,
                                     .now_ms = now};
        struct rings rings = {0};
        memcpy(e.fingerprint, FINGERPRINT, sizeof e.fingerprint);
        if (*p == '|') {
            causes_expire(causes);
            continue;
        }
        causes_note(causes, &e, &known, &rings);
        bool rung = rings.count && rings.rings[0].rings;
        if (rung != (row->want[asked] == 'R'))
            fail_msg("event %zu: rang %d", asked, rung);
        asked++;
        store_rings_fini(&rings);
        now += 60000;
    }
    assert_int_equal(asked, strlen(row->want));
    causes_free(causes);
    store_rules_free(rules);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

static void the_table_has_a_bound_and_says_what_did_not_fit(void **state)
{
    (void)state;
    struct rules *rules = store_rules_new();
    struct causes *causes = causes_new();
    struct causes_known known = {.root = {SEV_CRITICAL, 0, CHAT, 0}, .rules = rules, .project = "p", .now_ms = NOW};
    int rang = 0;
    for (int i = 0; i < EMERGENCY_CAUSES_MAX + 7; i++) {
        struct event e = {.project_id = 1, .origin = "o", .title = "t", .severity = SEV_CRITICAL};
        struct rings rings = {0};
        snprintf(e.fingerprint, sizeof e.fingerprint, "%032x", i);
        rang += causes_note(causes, &e, &known, &rings) && rings.count && rings.rings[0].rings;
        store_rings_fini(&rings);
    }
    assert_int_equal(rang, EMERGENCY_CAUSES_MAX);
    assert_int_equal(causes_take_overflow(causes), 7);
    assert_int_equal(causes_take_overflow(causes), 0);
    causes_free(causes);
    store_rules_free(rules);
}

static void the_card_has_what_the_event_said(void **state)
{
    (void)state;
    struct rules *rules = store_rules_new();
    struct causes *causes = causes_new();
    struct causes_known known = {.root = {SEV_CRITICAL, 0, CHAT, 0}, .rules = rules, .project = "shop", .now_ms = NOW};
    struct rings rings = {0};
    char stack[20000];
    memset(stack, 'x', sizeof stack - 1);
    memcpy(stack + sizeof stack - 10, "\nlast one", 10);
    struct event e = {.project_id = 1, .origin = "celery", .title = "T", .message = "M", .user_id = "5",
                      .stacktrace = stack, .severity = SEV_CRITICAL};
    memcpy(e.fingerprint, FINGERPRINT, sizeof e.fingerprint);
    struct cause *cause = causes_note(causes, &e, &known, &rings);
    assert_non_null(cause);
    memset(stack, 'y', sizeof stack); /* the event is gone by the time the card is made */
    assert_string_equal(cause->group.title, "T");
    assert_string_equal(cause->group.project, "shop");
    assert_string_equal(cause->group.stack_part, "last one");
    assert_true(cause->group.stack_is_cut);
    assert_int_equal(cause->group.occurrences, 1);
    assert_int_equal(cause->group.id, 0);
    store_rings_fini(&rings);
    /* told, and then held back by its cooldown: nothing of it is kept but its name */
    known.root.cooldown_ms = 300000;
    cause->waiting = 1;
    causes_told(cause);
    assert_ptr_equal(causes_note(causes, &e, &known, &rings), cause);
    assert_null(cause->texts);
    store_rings_fini(&rings);
    causes_free(causes);
    store_rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_a_bound_and_says_what_did_not_fit),
        cmocka_unit_test(the_card_has_what_the_event_said),
    };
    int failed = ROWS_RUN("emergency", ROWS, check_row, name_of_row);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
