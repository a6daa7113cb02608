/* test_stats.c -- periods, what words ask for, trends, sparklines, how many users: tables. */
#include "tests/unit/rows.h"

#include "alerts/html.h"
#include "core/daily.h"
#include "core/limits.h"
#include "stats/chart.h"

#include <string.h>

static const int64_t HOUR = 3600 * 1000;

static void test_periods_end_with_the_bucket_that_now_is_in(void **state)
{
    static const struct {
        enum stats_period period;
        int64_t now_ms;
        const char *zone;
        int64_t end_ms;
    } ROWS[] = {
        /* 2026-11-28T16:05:10Z */
        {PERIOD_DAY, 1795881910000, "UTC", 1795885200000},
        {PERIOD_WEEK, 1795881910000, "UTC", 1795888800000},            /* 18:00 */
        {PERIOD_MONTH, 1795881910000, "UTC", 1795910400000},           /* midnight */
        {PERIOD_MONTH, 1795881910000, "Europe/Moscow", 1795899600000}, /* midnight there */
        {PERIOD_WEEK, 1795881910000, "Europe/Moscow", 1795899600000},  /* 24:00 there */
        {PERIOD_DAY, 1795885200000, "UTC", 1795888800000},             /* the hour that begins */
        {PERIOD_MONTH, 1795881910000, "Asia/Kolkata",
         1795888800000}, /* half an hour before midnight there */
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct stats_ask ask = {0};
        stats_period_ask(ROWS[i].period, ROWS[i].now_ms, ROWS[i].zone, &ask);
        int64_t end = ask.from_ms + ask.buckets * ask.width_ms;
        assert_int_equal(end, ROWS[i].end_ms);
        assert_true(end > ROWS[i].now_ms && end - ROWS[i].now_ms <= ask.width_ms);
    }
}

static void test_words_of_a_command(void **state)
{
    static const struct {
        const char *text;
        bool tops;
        enum stats_period period;
        enum stats_theme theme;
        enum stats_top top;
        unsigned severities;
        const char *words[STATS_WORDS_MAX];
        bool surplus;
    } ROWS[] = {
        {"", false, PERIOD_DAY, THEME_AS_SET, TOP_ERRORS, 0, {NULL}, false},
        {"7d", false, PERIOD_WEEK, THEME_AS_SET, TOP_ERRORS, 0, {NULL}, false},
        {" MONTH  dark ", false, PERIOD_MONTH, THEME_DARK, TOP_ERRORS, 0, {NULL}, false},
        {"critical error celery",
         false,
         PERIOD_DAY,
         THEME_AS_SET,
         TOP_ERRORS,
         1u << SEV_CRITICAL | 1u << SEV_ERROR,
         {"celery"},
         false},
        {"users 7d", true, PERIOD_WEEK, THEME_AS_SET, TOP_USERS, 0, {NULL}, false},
        {"users 7d", false, PERIOD_WEEK, THEME_AS_SET, TOP_ERRORS, 0, {"users"}, false},
        {"a b c d", false, PERIOD_DAY, THEME_AS_SET, TOP_ERRORS, 0, {"a", "b", "c"}, true},
        {"8d", false, PERIOD_DAY, THEME_AS_SET, TOP_ERRORS, 0, {"8d"}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char text[64];
        struct stats_request r;
        snprintf(text, sizeof text, "%s", ROWS[i].text);
        stats_request_parse(text, ROWS[i].tops, &r);
        assert_int_equal(r.period, ROWS[i].period);
        assert_int_equal(r.theme, ROWS[i].theme);
        assert_int_equal(r.top, ROWS[i].top);
        assert_int_equal(r.filter.severities, ROWS[i].severities);
        assert_int_equal(r.surplus != NULL, ROWS[i].surplus);
        for (int w = 0; w < STATS_WORDS_MAX; w++) {
            if (ROWS[i].words[w])
                assert_string_equal(r.filter.words[w], ROWS[i].words[w]);
            else
                assert_null(r.filter.words[w]);
        }
    }
}

static void test_a_trend_compares_as_much_as_has_passed(void **state)
{
    static const struct {
        int64_t now;    /* in the last bucket */
        int64_t before; /* in the last bucket of the period before */
        int64_t passed_min;
        int64_t want_before;
        int64_t want_percent;
    } ROWS[] = {
        {10, 10, 60, 10, 0}, {10, 10, 30, 5, 100},    {0, 10, 30, 5, 100},
        {7, 0, 30, 0, 0},    {110, 100, 60, 100, 10}, {1, 3, 60, 3, 67},
    };
    (void)state;
    struct stats s;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        memset(&s, 0, sizeof s);
        struct stats_ask ask = {.from_ms = 1000 * HOUR, .width_ms = HOUR, .buckets = 2};
        s.events[SEV_ERROR][1] = ROWS[i].now;
        s.before[1] = ROWS[i].before;
        struct stats_trend t = stats_trend(&s, &ask, 1001 * HOUR + ROWS[i].passed_min * 60 * 1000);
        assert_int_equal(t.now, ROWS[i].now);
        assert_int_equal(t.before, ROWS[i].want_before);
        assert_int_equal(t.percent, ROWS[i].want_percent);
    }
}

static void test_lines_of_signs(void **state)
{
    static const struct {
        int64_t values[4];
        const char *line;
    } ROWS[] = {
        {{0, 0, 0, 0}, ""},
        {{1, 0, 0, 0}, "█▁▁▁"},
        {{1, 2, 4, 8}, "▂▃▅█"},
        {{1000000, 1, 0, 1000000}, "█▂▁█"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct buf out;
        buf_init(&out, 256);
        stats_sparkline(ROWS[i].values, 4, &out);
        assert_string_equal(buf_text(&out), ROWS[i].line);
        buf_fini(&out);
    }
}

/* The law of the estimate itself: none, one, and a sketch as n random users leave it. */
static void test_about_how_many_users(void **state)
{
    unsigned char registers[SKETCH_REGISTERS] = {0};
    (void)state;
    assert_int_equal(stats_users(registers), 0);
    registers[7] = 3;
    assert_int_equal(stats_users(registers), 1);
    const int users = 50000;
    uint64_t dice = 42;
    memset(registers, 0, sizeof registers);
    for (int i = 0; i < users; i++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        uint64_t hash = dice ^ dice >> 29;
        hash *= 0xbf58476d1ce4e5b9u;
        hash ^= hash >> 32;
        size_t place = hash >> 53;
        int rank = 1 + __builtin_clzll((hash << 11) | 1);
        if (rank > registers[place])
            registers[place] = (unsigned char)rank;
    }
    int64_t about = stats_users(registers);
    assert_in_range(about, users * 9 / 10, users * 11 / 10);
}

/* Every caption fits, whatever stands in it. */
static void test_captions_fit(void **state)
{
    (void)state;
    char title[4000];
    char word[600];
    memset(title, '<', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    memset(word, '&', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    struct stats s;
    memset(&s, 0x3f, sizeof s);
    s.worst_title = title;
    s.deploys_count = 0;
    for (int i = 0; i < SEVERITIES; i++)
        for (int b = 0; b < STATS_BUCKETS_MAX; b++)
            s.events[i][b] = s.before[b] = s.alerts[b] = (int64_t)1 << 50;
    for (int l = 0; l < LANGUAGES; l++)
        for (int p = PERIOD_DAY; p <= PERIOD_MONTH; p++) {
            struct look look = {.language = (enum language)l, .zone = "UTC", .now_ms = 1};
            struct stats_ask ask = {.filter = {.severities = 31, .words = {word, word, word}}};
            struct stats_view view = {&s, &ask, (enum stats_period)p, &look, false};
            struct buf html;
            stats_period_ask((enum stats_period)p, 1795881910000, "UTC", &ask);
            buf_init(&html, TG_TEXT_BYTES_MAX);
            stats_caption(&view, &html);
            assert_false(html.full);
            assert_true(html_units(buf_text(&html)) <= TG_CAPTION_UNITS_MAX);
            buf_fini(&html);
        }
}

static void test_when_the_report_is_due(void **state)
{
    static const struct {
        const char *at;
        int64_t now_ms;
        const char *last;
        bool due;
        const char *day;
    } ROWS[] = {
        /* 2026-11-28T06:05:00Z: 09:05 in Moscow, a Saturday */
        {"09:00 Europe/Moscow", 1795845900000, NULL, true, "2026-11-28"},
        {"09:00 Europe/Moscow", 1795845900000, "2026-11-27", true, "2026-11-28"},
        {"09:00 Europe/Moscow", 1795845900000, "2026-11-28", false, "2026-11-28"},
        {"09:06 Europe/Moscow", 1795845900000, NULL, false, "2026-11-27"},
        {"09:05 Europe/Moscow", 1795845900000, NULL, true, "2026-11-28"},
        {"09:00 UTC", 1795845900000, "2026-11-27", false, "2026-11-27"},
        {"23:30 UTC", 1795845900000, "2026-11-26", true, "2026-11-27"}, /* over midnight */
        {"12:00 UTC", 1795845900000, "2026-11-26", false, "2026-11-27"},
        {"08:00 Europe/Moscow", 1795845900000, NULL, false, "2026-11-28"}, /* set too late */
        /* 13 hours late is for tomorrow */
        {"09:00 Europe/Moscow", 1795845900000 + 13 * 3600000LL, "2026-11-27", false, "2026-11-28"},
        {"09:00 Europe/Moscow", 1795845900000 + 11 * 3600000LL, "2026-11-27", true, "2026-11-28"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct daily at;
        char day[DAILY_DAY_BYTES];
        assert_true(daily_parse(ROWS[i].at, &at));
        assert_int_equal(daily_is_due(&at, ROWS[i].now_ms, ROWS[i].last, day), ROWS[i].due);
        assert_string_equal(day, ROWS[i].day);
        assert_false(daily_is_monday(&at, ROWS[i].now_ms));
        assert_true(daily_is_monday(&at, ROWS[i].now_ms + 2 * 86400000LL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods_end_with_the_bucket_that_now_is_in),
        cmocka_unit_test(test_words_of_a_command),
        cmocka_unit_test(test_a_trend_compares_as_much_as_has_passed),
        cmocka_unit_test(test_lines_of_signs),
        cmocka_unit_test(test_about_how_many_users),
        cmocka_unit_test(test_captions_fit),
        cmocka_unit_test(test_when_the_report_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
