/* test_engine.c -- ring or not: rows of facts in, one verdict out; and the pace of a chat. */
#include "tests/unit/rows.h"

#include "alerts/backoff.h"
#include "alerts/engine.h"
#include "alerts/pacing.h"
#include "core/limits.h"

enum { NOW = 1000000000, COOL = 300 * 1000 };

enum { CHAT = -77 };

struct row {
    const char *name;
    struct fact facts[3];
    size_t count;
    int64_t cooldown;
    struct want {
        int rings;
        const char *reason;
        int64_t held_said;
        int64_t held;
        bool remember;
        bool reopen;
        enum severity reopen_severity;
        bool edit_count;
        bool edit_change;
    } want;
};

#define EVENTS(sev, count, when)                                                                   \
    .kind = FACT_EVENT, .group_id = 7, .n = (count), .severity = SEV_##sev, .occurred_max_ms = (when)
#define EVENT(sev) EVENTS(sev, 1, NOW)
#define RESOLVED .status = STATUS_RESOLVED, .resolved_ms = NOW - 1000
#define RUNG(last, n) .states = (const struct place_state[]){{CHAT, (last), (n)}}, .states_count = 1
#define RING .rings = 1, .remember = true, .edit_count = true

static const struct row ROWS[] = {
    {"a first critical rings", {{EVENT(CRITICAL)}}, 1, COOL, {RING, .reason = "new"}},
    {"below the minimum it only counts", {{EVENT(ERROR)}}, 1, COOL, {.edit_count = true, .reason = "new"}},
    {"inside the cooldown it is held", {{EVENT(CRITICAL), RUNG(NOW - 1000, 4)}}, 1, COOL,
     {.held = 5, .remember = true, .edit_count = true, .reason = "new"}},
    {"after the cooldown it rings and says what was held",
     {{EVENT(CRITICAL), RUNG(NOW - COOL, 999)}}, 1, COOL,
     {RING, .held_said = 999, .reason = "again"}},
    {"a batch of many rings once and holds the rest", {{EVENTS(CRITICAL, 50, NOW)}}, 1, COOL,
     {.rings = 1, .remember = true, .edit_count = true, .held = 50 - 1, .reason = "new"}},
    {"muted by time", {{EVENT(CRITICAL), .muted_until_ms = NOW + 1}}, 1, COOL, {.edit_count = true, .reason = "new"}},
    {"a mute that is over", {{EVENT(CRITICAL), .muted_until_ms = NOW - 1}}, 1, COOL, {RING, .reason = "new"}},
    {"muted by count", {{EVENT(CRITICAL), .muted_until_count = 100, .occurrences = 100}}, 1, COOL,
     {.edit_count = true, .reason = "new"}},
    {"beyond the count", {{EVENT(CRITICAL), .muted_until_count = 100, .occurrences = 101}}, 1, COOL,
     {RING, .reason = "new"}},
    {"taken: edits only", {{EVENT(CRITICAL), .status = STATUS_IN_PROGRESS, .taken_ms = NOW - 1000}}, 1, COOL,
     {.edit_count = true, .held = 1, .remember = true, .reason = "new"}},
    {"taken and still firing a day later",
     {{EVENT(CRITICAL), .status = STATUS_IN_PROGRESS, .taken_ms = NOW - 24 * 3600 * 1000}}, 1, COOL,
     {RING, .reason = "new"}},
    {"before the resolve it only counts",
     {{EVENTS(CRITICAL, 1, NOW - 2000), RESOLVED, .resolved_by_person = true}}, 1, COOL,
     {.edit_count = true, .reason = "new"}},
    {"regression rings inside the cooldown",
     {{EVENT(CRITICAL), RESOLVED, .resolved_by_person = true, RUNG(NOW - 5, 0)}}, 1, COOL,
     {RING, .reopen = true, .reopen_severity = SEV_CRITICAL, .edit_change = true, .reason = "regression"}},
    {"the second event of a regression only edits",
     {{EVENT(CRITICAL), RESOLVED, .resolved_by_person = true}, {EVENT(CRITICAL), RESOLVED, .resolved_by_person = true}},
     2, COOL,
     {RING, .held = 1, .reopen = true, .reopen_severity = SEV_CRITICAL, .edit_change = true, .reason = "regression"}},
    {"a resolve by the service makes no regression",
     {{EVENT(CRITICAL), RESOLVED, RUNG(NOW - 5, 0)}}, 1, COOL,
     {.held = 1, .remember = true, .edit_count = true, .reopen = true, .reopen_severity = SEV_CRITICAL,
      .edit_change = true, .reason = "new"}},
    {"below the minimum it reopens without a ring",
     {{EVENT(INFO), RESOLVED, .resolved_by_person = true}}, 1, COOL,
     {.edit_count = true, .reopen = true, .reopen_severity = SEV_INFO, .edit_change = true, .reason = "new"}},
    {"muted and resolved: reopens, does not ring",
     {{EVENT(CRITICAL), RESOLVED, .resolved_by_person = true, .muted_until_ms = NOW + 9}}, 1, COOL,
     {.edit_count = true, .reopen = true, .reopen_severity = SEV_CRITICAL, .edit_change = true, .reason = "new"}},
    {"info reopens, critical of the same round rings as regression",
     {{EVENT(INFO), RESOLVED, .resolved_by_person = true}, {EVENT(CRITICAL), RESOLVED, .resolved_by_person = true}},
     2, COOL,
     {RING, .reopen = true, .reopen_severity = SEV_CRITICAL, .edit_change = true, .reason = "regression"}},
    {"a change only edits", {{.kind = FACT_CHANGE, .group_id = 7}}, 1, COOL, {.edit_change = true, .reason = "new"}},
    {"no cooldown: every event rings", {{EVENTS(CRITICAL, 3, NOW), RUNG(NOW, 0)}}, 1, 0,
     {.rings = 3, .remember = true, .edit_count = true, .reason = "again"}},
    {"no cooldown has a bound", {{EVENTS(CRITICAL, 500, NOW)}}, 1, 0,
     {.rings = 20, .held = 480, .remember = true, .edit_count = true, .reason = "new"}},
    {"a reopening that could not be done then",
     {{.kind = FACT_REOPEN, .group_id = 7, .severity = SEV_ERROR, RESOLVED, .created_ms = NOW}}, 1, COOL,
     {.reopen = true, .reopen_severity = SEV_ERROR, .edit_change = true, .reason = "new"}},
    {"a reopening that a later resolve overtook",
     {{.kind = FACT_REOPEN, .group_id = 7, RESOLVED, .created_ms = NOW - 5000}}, 1, COOL, {.reason = "new"}},
};

static void check_row(void **state)
{
    static const struct rules NO_RULES;
    const struct row *row = *state;
    struct engine_config config = {{SEV_CRITICAL, row->cooldown, CHAT, 0}, &NO_RULES};
    struct rings rings = {0};
    struct verdict v = engine_decide(&config, row->facts, row->count, NOW, &rings);
    struct ring none = {.reason = "new"};
    const struct ring *r = v.rings_count ? &rings.rings[v.first_ring] : &none;
    assert_int_equal(v.group_id, 7);
    assert_true(v.rings_count <= 1);
    assert_int_equal(r->rings, row->want.rings);
    assert_string_equal(r->reason, row->want.reason);
    assert_int_equal(r->held_said, row->want.held_said);
    assert_int_equal(r->held, row->want.held);
    assert_int_equal(r->remember, row->want.remember);
    assert_int_equal(v.reopen, row->want.reopen);
    if (v.reopen)
        assert_int_equal(v.reopen_severity, row->want.reopen_severity);
    assert_int_equal(v.edit_count, row->want.edit_count);
    assert_int_equal(v.edit_change, row->want.edit_change);
    store_rings_fini(&rings);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

enum { PRIVATE = 7, GROUP = -7 };

static void a_chat_gets_one_a_second(void **state)
{
    (void)state;
    static struct pacer p;
    p = (struct pacer){.count = 0};
    assert_int_equal(pacer_wait(&p, PRIVATE, PACE_ALERT, NOW), 0);
    pacer_take(&p, PRIVATE, PACE_ALERT, NOW);
    assert_in_range(pacer_wait(&p, PRIVATE, PACE_ALERT, NOW), 990, 1001);
    assert_int_equal(pacer_wait(&p, PRIVATE, PACE_ALERT, NOW + 1001), 0);
    assert_int_equal(pacer_wait(&p, GROUP, PACE_ALERT, NOW), 0);
}

/* Fills a group as fast as allowed; five of twenty stay for people. */
static void a_group_keeps_a_reserve_for_people(void **state)
{
    (void)state;
    static struct pacer p;
    p = (struct pacer){.count = 0};
    int64_t now = NOW;
    int sent = 0;
    for (; now < NOW + 20000; now += 10)
        if (pacer_wait(&p, GROUP, PACE_ALERT, now) == 0) {
            assert_int_equal(pacer_left(&p, GROUP, now), 15 - sent);
            pacer_take(&p, GROUP, PACE_ALERT, now);
            sent++;
        }
    assert_int_equal(sent, CHAT_MESSAGES_PER_MINUTE - CHAT_RESERVED_FOR_PEOPLE);
    assert_true(pacer_wait(&p, GROUP, PACE_ALERT, now) > 30000);
    for (int i = 0; i < CHAT_RESERVED_FOR_PEOPLE; i++) { /* answers may come in a burst */
        assert_int_equal(pacer_wait(&p, GROUP, PACE_ANSWER, now), 0);
        pacer_take(&p, GROUP, PACE_ANSWER, now);
    }
    assert_true(pacer_wait(&p, GROUP, PACE_ANSWER, now) > 30000);
    assert_int_equal(pacer_left(&p, GROUP, now), 0);
}

static void retry_after_is_obeyed(void **state)
{
    (void)state;
    static struct pacer p;
    p = (struct pacer){.count = 0};
    pacer_refused(&p, GROUP, 90, NOW);
    assert_int_equal(pacer_wait(&p, GROUP, PACE_ANSWER, NOW + 1), 89999);
    assert_int_equal(pacer_wait(&p, GROUP, PACE_ANSWER, NOW + 90000), 0);
    assert_int_equal(pacer_wait(&p, PRIVATE, PACE_ALERT, NOW + 1), 0);
    /* a second one within a minute concerns the whole bot */
    pacer_refused(&p, GROUP - 1, 30, NOW + 50000);
    assert_int_equal(pacer_wait(&p, PRIVATE, PACE_ALERT, NOW + 60000), 20000);
}

static void a_bot_gets_thirty_a_second(void **state)
{
    (void)state;
    static struct pacer p;
    p = (struct pacer){.count = 0};
    for (int chat = 1; chat <= BOT_MESSAGES_PER_SECOND; chat++) {
        assert_int_equal(pacer_wait(&p, chat, PACE_ALERT, NOW + chat), 0);
        pacer_take(&p, chat, PACE_ALERT, NOW + chat);
    }
    assert_int_equal(pacer_wait(&p, 1000, PACE_ALERT, NOW + 31), 970);
}

/* More chats than the table holds: the one that was silent for longest makes room. */
static void chats_without_end_have_a_bound(void **state)
{
    (void)state;
    static struct pacer p;
    p = (struct pacer){.count = 0};
    for (int chat = 1; chat <= 3 * PACING_CHATS_MAX; chat++)
        pacer_take(&p, chat, PACE_ALERT, NOW + (int64_t)chat * 1000);
    assert_int_equal(p.count, PACING_CHATS_MAX);
    assert_true(pacer_wait(&p, 3 * PACING_CHATS_MAX, PACE_ALERT,
                           NOW + (int64_t)3 * PACING_CHATS_MAX * 1000) > 0);
}

static void backoff_grows_to_a_minute(void **state)
{
    (void)state;
    assert_int_equal(backoff_ms(1, 0), 1000);
    assert_int_equal(backoff_ms(4, 0), 8000);
    assert_int_equal(backoff_ms(100, 0), 60000);
    assert_int_equal(lost_again_ms(LOST_ANSWERS_MAX), 30000);
    assert_int_equal(lost_again_ms(LOST_ANSWERS_MAX + 1), 120000);
    assert_int_equal(lost_again_ms(LOST_ANSWERS_MAX + 3), 900000);
    assert_int_equal(lost_again_ms(1000), 900000);
    for (uint32_t dice = 0; dice < 5000; dice += 7)
        assert_in_range(backoff_ms(5, dice), 12000, 16000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chat_gets_one_a_second),
        cmocka_unit_test(a_group_keeps_a_reserve_for_people),
        cmocka_unit_test(retry_after_is_obeyed),
        cmocka_unit_test(a_bot_gets_thirty_a_second),
        cmocka_unit_test(chats_without_end_have_a_bound),
        cmocka_unit_test(backoff_grows_to_a_minute),
    };
    return ROWS_RUN("engine", ROWS, check_row, name_of_row) +
           cmocka_run_group_tests_name("pacing", tests, NULL, NULL);
}
