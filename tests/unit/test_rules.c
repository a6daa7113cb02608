/* test_rules.c -- where an event rings and whether it waits: globs, the tree, silences, quiet hours,
 * inhibition. */
#include "tests/unit/rows.h"

#include "alerts/engine.h"
#include "alerts/rules.h"
#include "bot/rule_words.h"
#include "core/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOME = -1, OPS = -2, CELERY = -3, BOSS = 77, COOL = 300 * 1000 };
#define NOW INT64_C(1790000000000) /* 2026-09-21 13:33:20 UTC */

/* -------------------------------------------------------------------------------------------- globs */

struct glob_row {
    const char *pattern;
    const char *text;
    bool matches;
};
static const struct glob_row GLOBS[] = {
    {"", "anything", true},      {"", NULL, true},           {"*", NULL, true},
    {"a", NULL, false},          {"celery", "celery", true}, {"Celery", "cELERY", true},
    {"celery", "celery2", false}, {"celery*", "celery2", true}, {"*.handlers.*", "bot.handlers.pay", true},
    {"*.handlers.*", "bot.handler.pay", false}, {"p??", "pay", true}, {"p??", "pa", false},
    {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false}, {"**x", "abcx", true}, {"a*", "a", true},
    {"a*b", "ab", true}, {"a*b", "a", false}, {"?", "", false},
};

static void check_glob(void **state)
{
    const struct glob_row *row = *state;
    assert_int_equal(rules_glob(row->pattern, row->text), row->matches);
}

static const char *name_of_glob(const void *row)
{
    return ((const struct glob_row *)row)->pattern;
}

/* --------------------------------------------------------------------------------------------- tree */

#define RINGS(ms, mute) .enabled = true, .cooldown_ms = (ms), .silent = (mute)
#define ANY_OF(...) .match.severity_min = -1, __VA_ARGS__
#define ANY ANY_OF(RINGS(-1, -1))
#define AT_LEAST(s) .match.severity_min = SEV_##s, RINGS(-1, -1)

/* 1 celery -> its chat; below it 2 its criticals -> the boss as well as (continues) 3 ops
 * 4 staging -> nowhere; 5 new ones silently at home; 6 floods -> ops; 7 regressions, 8 first in a week */
static struct rule TREE[] = {
    {.id = 1, ANY_OF(RINGS(60000, -1)), .match.origin = "celery*", .chat_id = CELERY, .language = "ru"},
    {.id = 2, .parent_id = 1, AT_LEAST(CRITICAL), .chat_id = BOSS, .continues = true},
    {.id = 3, .parent_id = 1, AT_LEAST(CRITICAL), .chat_id = OPS, .thread_id = 5},
    {.id = 4, AT_LEAST(DEBUG), .match.environment = "staging", .nowhere = true},
    {.id = 5, .match.severity_min = SEV_ERROR, RINGS(-1, 1), .match.text = "Timeout", .occasion = OCCASION_NEW},
    {.id = 6, AT_LEAST(WARNING), .match.text = "flood", .occasion = OCCASION_RATE, .rate_count = 100, .rate_minutes = 5,
     .chat_id = OPS},
    {.id = 7, AT_LEAST(ERROR), .match.project = "miniapp", .occasion = OCCASION_REGRESSED},
    {.id = 8, AT_LEAST(ERROR), .match.project = "miniapp", .occasion = OCCASION_FIRST, .first_days = 7},
};

struct route_row {
    const char *name;
    struct subject subject;
    const char *want; /* "rule>chat/thread …" */
};
#define S(sev) .severity = SEV_##sev, .now_ms = NOW
static const struct route_row ROUTES[] = {
    {"the root takes what no rule takes", {S(CRITICAL), .origin = "api"}, "0>-1/9"},
    {"below the minimum nothing rings", {S(ERROR), .origin = "api"}, ""},
    {"a rule without a severity keeps the minimum", {S(ERROR), .origin = "celery"}, ""},
    {"children first, siblings after continues", {S(CRITICAL), .origin = "celery.pay"}, "2>77/0 3>-2/5"},
    {"nowhere", {S(CRITICAL), .environment = "staging"}, ""},
    {"a new one below the minimum, named", {S(ERROR), .title = "read TIMEOUT", .is_new = true}, "5>-1/9"},
    {"not new: on to the root, which is for critical", {S(ERROR), .title = "read timeout"}, ""},
    {"few are no flood", {S(WARNING), .title = "flood", .minutes = "0:50,4:49", .events = 0}, ""},
    {"this round counts", {S(WARNING), .title = "flood", .minutes = "0:50,4:49", .events = 1}, "6>-2/0"},
    {"long ago does not", {S(WARNING), .title = "flood", .minutes = "0:50,6:500", .events = 1}, ""},
    {"across a minute's border it counts", {S(WARNING), .title = "flood", .minutes = "5:99", .events = 1}, "6>-2/0"},
    {"came back", {S(ERROR), .project = "miniapp", .is_regression = true}, "7>-1/9"},
    {"quiet for a week", {S(ERROR), .project = "miniapp", .quiet_ms = INT64_C(7) * 86400 * 1000}, "8>-1/9"},
    {"quiet for six days", {S(ERROR), .project = "miniapp", .quiet_ms = INT64_C(6) * 86400 * 1000}, ""},
    {"never seen", {S(ERROR), .project = "miniapp", .is_new = true}, "8>-1/9"},
};

static const struct route_root ROOT = {SEV_CRITICAL, COOL, HOME, 9};

static void check_route(void **state)
{
    const struct route_row *row = *state;
    struct rules rules = {.rules = TREE, .rules_count = sizeof TREE / sizeof *TREE};
    struct route routes[ROUTES_MAX];
    char got[200] = "";
    struct buf trace;
    buf_init(&trace, 16 * KIB);
    size_t count = rules_route(&rules, &ROOT, &row->subject, routes, &trace);
    for (size_t i = 0; i < count; i++) {
        size_t at = strlen(got);
        snprintf(got + at, sizeof got - at, "%s%d>%d/%d", i ? " " : "", (int)routes[i].rule_id,
                 (int)routes[i].chat_id, (int)routes[i].thread_id);
    }
    assert_string_equal(got, row->want);
    assert_true(trace.len > 0);
    buf_fini(&trace);
}

static const char *name_of_route(const void *row)
{
    return ((const struct route_row *)row)->name;
}

static void what_is_not_said_is_inherited(void **state)
{
    (void)state;
    struct rules rules = {.rules = TREE, .rules_count = sizeof TREE / sizeof *TREE};
    struct route routes[ROUTES_MAX];
    struct subject s = {S(CRITICAL), .origin = "celery"};
    assert_int_equal(rules_route(&rules, &ROOT, &s, routes, NULL), 2);
    assert_int_equal(routes[0].cooldown_ms, 60000);
    assert_string_equal(routes[1].language, "ru");
    struct subject n = {S(ERROR), .title = "timeout", .is_new = true};
    assert_int_equal(rules_route(&rules, &ROOT, &n, routes, NULL), 1);
    assert_true(routes[0].silent);
    assert_int_equal(routes[0].cooldown_ms, COOL);
}

static void nowhere_leaves_later_rules_their_turn(void **state)
{
    (void)state;
    struct rule both[] = {
        {.id = 1, ANY, .match.text = "noisy", .nowhere = true, .continues = true},
        {.id = 2, AT_LEAST(CRITICAL)},
    };
    struct rules rules = {.rules = both, .rules_count = 2};
    struct route routes[ROUTES_MAX];
    struct subject s = {S(CRITICAL), .title = "noisy"};
    assert_int_equal(rules_route(&rules, &ROOT, &s, routes, NULL), 1);
    assert_int_equal(routes[0].rule_id, 2);
}

/* A rule that is its own ancestor is out of reach; a deep tree ends. */
static void trees_that_are_none(void **state)
{
    (void)state;
    struct rule circle[] = {{.id = 1, .parent_id = 2, ANY, .chat_id = OPS},
                            {.id = 2, .parent_id = 1, ANY, .chat_id = OPS}};
    struct rules rules = {.rules = circle, .rules_count = 2};
    struct route routes[ROUTES_MAX];
    struct subject s = {S(CRITICAL)};
    assert_int_equal(rules_route(&rules, &ROOT, &s, routes, NULL), 1);
    assert_int_equal(routes[0].chat_id, HOME);
    struct rule deep[40];
    for (int i = 0; i < 40; i++)
        deep[i] = (struct rule){.id = i + 1, .parent_id = i, ANY, .chat_id = OPS - i};
    rules = (struct rules){.rules = deep, .rules_count = 40};
    assert_int_equal(rules_route(&rules, &ROOT, &s, routes, NULL), 1);
    struct rule wide[40];
    for (int i = 0; i < 40; i++)
        wide[i] = (struct rule){.id = i + 1, ANY, .chat_id = OPS - i, .continues = true};
    rules = (struct rules){.rules = wide, .rules_count = 40};
    assert_int_equal(rules_route(&rules, &ROOT, &s, routes, NULL), ROUTES_MAX);
}

/* -------------------------------------------------------------------------------------- quiet hours */

struct quiet_row {
    const char *name;
    const char *zone;
    int from;
    int to;
    int64_t now_ms;
    int64_t minutes; /* until they end; 0: not quiet */
};
#define AT(h, m) (INT64_C(1790035200000) - 86400 * 1000 + ((h) * 60 + (m)) * INT64_C(60000)) /* 21 Sep */
static const struct quiet_row QUIETS[] = {
    {"before", "UTC", 9 * 60, 17 * 60, AT(8, 59), 0},
    {"at the start", "UTC", 9 * 60, 17 * 60, AT(9, 0), 480},
    {"the last minute", "UTC", 9 * 60, 17 * 60, AT(16, 59), 1},
    {"the end is outside", "UTC", 9 * 60, 17 * 60, AT(17, 0), 0},
    {"over midnight, evening", "UTC", 23 * 60, 8 * 60, AT(23, 30), 510},
    {"over midnight, night", "UTC", 23 * 60, 8 * 60, AT(3, 0), 300},
    {"over midnight, day", "UTC", 23 * 60, 8 * 60, AT(12, 0), 0},
    {"in the chat's zone", "Europe/Moscow", 23 * 60, 8 * 60, AT(21, 0), 480},
    {"not in UTC", "Europe/Moscow", 23 * 60, 8 * 60, AT(6, 0), 0},
    /* 2026-10-25 in Berlin has 25 hours: 23:00 on the 24th to 08:00 is ten hours */
    {"over a clock change", "Europe/Berlin", 23 * 60, 8 * 60, AT(21, 0) + INT64_C(33) * 86400 * 1000, 600},
};

static void check_quiet(void **state)
{
    const struct quiet_row *row = *state;
    struct quiet_hours q = {.chat_id = HOME, .from_minute = row->from, .to_minute = row->to};
    snprintf(q.zone, sizeof q.zone, "%s", row->zone);
    int64_t until = rules_quiet_until(&q, row->now_ms);
    assert_int_equal(until ? (until - row->now_ms) / 60000 : 0, row->minutes);
}

/* A chat without a zone of its own has the service's. */
static void quiet_hours_in_the_services_own_zone(void **state)
{
    (void)state;
    struct quiet_hours q = {.chat_id = HOME, .from_minute = 23 * 60, .to_minute = 8 * 60};
    setenv("TZ", ":America/New_York", 1);
    tzset();
    assert_int_equal((rules_quiet_until(&q, AT(3, 0)) - AT(3, 0)) / 60000, 9 * 60); /* 23:00 there */
    assert_int_equal(rules_quiet_until(&q, AT(12, 0)), 0);
    assert_int_equal((rules_quiet_until(&q, AT(11, 59)) - AT(11, 59)) / 60000, 1);
    setenv("TZ", ":UTC", 1);
    tzset();
}

static const char *name_of_quiet(const void *row)
{
    return ((const struct quiet_row *)row)->name;
}

/* ------------------------------------------------------------------------------------------ waiting */

static struct inhibition DATABASE_DOWN = {.id = 1,
                                          .source = {.severity_min = SEV_CRITICAL, .text = "database down"},
                                          .target = {.severity_min = -1},
                                          .same_project = true,
                                          .same_environment = true,
                                          .span_ms = 5 * 60 * 1000};

static void a_source_holds_back_its_consequences(void **state)
{
    (void)state;
    struct firing firings[FIRINGS_MAX];
    struct rules rules = {.inhibitions = &DATABASE_DOWN, .inhibitions_count = 1, .firings = firings};
    struct subject source = {S(CRITICAL), .group_id = 12, .project = "bot", .environment = "prod",
                             .title = "Database down: no route"};
    struct subject target = {S(CRITICAL), .group_id = 13, .project = "bot", .environment = "prod", .title = "timeout"};
    assert_null(rules_hold(&rules, &target, HOME).name);
    assert_true(rules_fire(&rules, 0, &source));
    assert_false(rules_fire(&rules, 0, &target));
    struct hold hold = rules_hold(&rules, &target, HOME);
    assert_string_equal(hold.name, "inhibited");
    assert_string_equal(hold.about, "#12 Database down: no route");
    assert_int_equal(hold.until_ms, NOW + 5 * 60 * 1000);
    assert_int_equal(hold.by, 12);
    assert_null(rules_hold(&rules, &source, HOME).name); /* never itself */
    struct subject elsewhere = target;
    elsewhere.environment = "staging";
    assert_null(rules_hold(&rules, &elsewhere, HOME).name);
    elsewhere = target;
    elsewhere.project = "other";
    assert_null(rules_hold(&rules, &elsewhere, HOME).name);
    struct subject another = source; /* another source of the same kind rings, too */
    another.group_id = 14;
    assert_null(rules_hold(&rules, &another, HOME).name);
    target.now_ms = NOW + 5 * 60 * 1000;
    assert_null(rules_hold(&rules, &target, HOME).name);
    target.now_ms = NOW;
    assert_true(rules_cease(&rules, 12));
    assert_false(rules_cease(&rules, 12));
    assert_null(rules_hold(&rules, &target, HOME).name);
}

static void sources_without_end_have_a_bound(void **state)
{
    (void)state;
    static struct firing firings[FIRINGS_MAX];
    struct rules rules = {.inhibitions = &DATABASE_DOWN, .inhibitions_count = 1, .firings = firings};
    for (int i = 0; i < 3 * FIRINGS_MAX; i++) {
        struct subject s = {S(CRITICAL), .group_id = i + 1, .title = "database down"};
        s.now_ms += i;
        assert_true(rules_fire(&rules, 0, &s));
    }
    assert_int_equal(rules.firings_count, FIRINGS_MAX);
}

static void silences_and_quiet_hours(void **state)
{
    (void)state;
    struct silence silences[] = {
        {.id = 1, .chat_id = OPS, .match.severity_min = -1, .from_ms = NOW - 5, .until_ms = NOW + 5, .reason = "deploy"},
        {.id = 2, .match = {.severity_min = -1, .origin = "celery"}, .from_ms = NOW - 5, .until_ms = NOW + 5},
    };
    struct quiet_hours quiet[] = {
        {.chat_id = OPS, .from_minute = 0, .to_minute = 1439, .holds = true, .zone = "UTC"},
        {.chat_id = HOME, .from_minute = 0, .to_minute = 1439, .zone = "UTC"},
    };
    struct rules rules = {.silences = silences, .silences_count = 2};
    struct subject s = {S(CRITICAL), .origin = "api"};
    assert_null(rules_hold(&rules, &s, HOME).name);
    struct hold hold = rules_hold(&rules, &s, OPS);
    assert_string_equal(hold.name, "silence");
    assert_string_equal(hold.about, "deploy");
    assert_int_equal(hold.until_ms, NOW + 5);
    s.origin = "celery";
    assert_string_equal(rules_hold(&rules, &s, HOME).name, "silence");
    s.now_ms = NOW + 5;
    assert_null(rules_hold(&rules, &s, HOME).name);
    rules = (struct rules){.quiet = quiet, .quiet_count = 2};
    hold = rules_hold(&rules, &s, OPS);
    assert_string_equal(hold.name, "quiet");
    assert_true(hold.until_ms > NOW);
    hold = rules_hold(&rules, &s, HOME);
    assert_null(hold.name);
    assert_true(hold.silent);
    assert_false(rules_hold(&rules, &s, BOSS).silent);
}

/* ----------------------------------------------------------------------------------- as people type */

struct words_row {
    const char *typed;
    const char *kept; /* NULL: refused, and `bad` is the word */
    const char *bad;
};
static const struct words_row WORDS_TYPED[] = {
    {"severity:error origin:celery* chat:-1001 silent", "severity:error origin:celery* chat:-1001 silent", ""},
    {"  severity:FATAL   loud ", "severity:critical loud", ""},
    {"text:\"connection refused\" nowhere", "text:\"connection refused\" nowhere", ""},
    {"when:rate:100/5m chat:here topic:7", "when:rate:100/5m chat:-9 topic:7", ""},
    {"when:rate:5/1h", "when:rate:5/60m", ""},
    {"when:first:7d lang:ru", "when:first:7d lang:ru", ""},
    {"when:new cooldown:90 continue under:3 name:\"my rule\"",
     "when:new cooldown:90s continue under:3 name:\"my rule\"", ""},
    {"cooldown:10m", "cooldown:10m", ""}, {"cooldown:0", "cooldown:0s", ""}, {"cooldown:7d", "cooldown:7d", ""},
    {"handler:*pay* project:bot env:prod", "project:bot env:prod handler:*pay*", ""},
    {"text:ошибка", "text:ошибка", ""},
    {"", NULL, ""}, {"severity:loud", NULL, "severity:loud"}, {"silent foo", NULL, "foo"},
    {"chat:12x", NULL, "chat:12x"}, {"chat:", NULL, "chat:"}, {"topic:-1", NULL, "topic:-1"},
    {"when:rate:0/5m", NULL, "when:rate:0/5m"}, {"when:rate:5", NULL, "when:rate:5"},
    {"when:rate:5/90s", NULL, "when:rate:5/90s"}, {"when:rate:5/2h", NULL, "when:rate:5/2h"},
    {"when:first:1h", NULL, "when:first:1h"}, {"when:sometimes", NULL, "when:sometimes"},
    {"lang:de", NULL, "lang:de"}, {"cooldown:-5", NULL, "cooldown:-5"}, {"text:\"open", NULL, "text:open"},
    {"origin:", NULL, "origin:"}, {"cooldown:99999999999999999999d", NULL, "cooldown:99999999999999999999d"},
};

static void check_words(void **state)
{
    const struct words_row *row = *state;
    struct rule rule;
    char bad[RULE_WORD_BYTES] = "";
    struct buf out;
    bool ok = rule_words_parse(row->typed, -9, &rule, bad);
    assert_int_equal(ok, row->kept != NULL);
    assert_string_equal(bad, row->bad);
    if (!ok)
        return;
    buf_init(&out, 4 * KIB);
    rule_words_write(&rule, &out);
    assert_string_equal(buf_text(&out), row->kept);
    struct rule again;
    assert_true(rule_words_parse(buf_text(&out), -9, &again, bad));
    assert_memory_equal(&rule, &again, sizeof rule);
    buf_fini(&out);
}

static const char *name_of_words(const void *row)
{
    return ((const struct words_row *)row)->typed;
}

/* ------------------------------------------------------------------------------------------- engine */

static void each_place_has_its_own_cooldown(void **state)
{
    (void)state;
    struct rule both[] = {
        {.id = 1, ANY_OF(RINGS(60000, -1)), .chat_id = OPS, .continues = true},
        {.id = 2, ANY_OF(RINGS(3600000, -1)), .chat_id = BOSS},
    };
    struct rules rules = {.rules = both, .rules_count = 2};
    struct engine_config config = {ROOT, &rules};
    struct place_state states[] = {{OPS, NOW - 120000, 3}, {BOSS, NOW - 120000, 4}};
    struct fact fact = {.kind = FACT_EVENT, .group_id = 7, .n = 2, .severity = SEV_CRITICAL, .occurred_max_ms = NOW,
                        .states = states, .states_count = 2};
    struct rings rings = {0};
    struct verdict v = engine_decide(&config, &fact, 1, NOW, &rings);
    assert_int_equal(v.rings_count, 2);
    assert_int_equal(rings.rings[0].chat_id, OPS);
    assert_int_equal(rings.rings[0].rings, 1);
    assert_int_equal(rings.rings[0].held_said, 3);
    assert_int_equal(rings.rings[1].rings, 0);
    assert_int_equal(rings.rings[1].held, 6);
    /* a regression rings in both */
    fact.status = STATUS_RESOLVED;
    fact.resolved_by_person = true;
    fact.resolved_ms = NOW - 10;
    rings.count = 0;
    v = engine_decide(&config, &fact, 1, NOW, &rings);
    assert_int_equal(rings.rings[0].rings + rings.rings[1].rings, 2);
    assert_string_equal(rings.rings[1].reason, "regression");
    store_rings_fini(&rings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_is_inherited),
        cmocka_unit_test(trees_that_are_none),
        cmocka_unit_test(nowhere_leaves_later_rules_their_turn),
        cmocka_unit_test(quiet_hours_in_the_services_own_zone),
        cmocka_unit_test(a_source_holds_back_its_consequences),
        cmocka_unit_test(sources_without_end_have_a_bound),
        cmocka_unit_test(silences_and_quiet_hours),
        cmocka_unit_test(each_place_has_its_own_cooldown),
    };
    return ROWS_RUN("globs", GLOBS, check_glob, name_of_glob) +
           ROWS_RUN("routes", ROUTES, check_route, name_of_route) +
           ROWS_RUN("words", WORDS_TYPED, check_words, name_of_words) +
           ROWS_RUN("quiet hours", QUIETS, check_quiet, name_of_quiet) +
           cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
