/* test_text.c -- UTF-8, HTML, words, times, cards: what ends up before people's eyes. */
#include "tests/unit/rows.h"
#include "tests/unit/tg_html.h"

#include "alerts/card.h"
#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/utf8.h"

struct clean_row {
    const char *in;
    const char *out;
};
#define BAD "\xEF\xBF\xBD"
static const struct clean_row CLEAN[] = {
    {"plain", "plain"},
    {"\xD0\xB6 \xF0\x9F\x98\x80", "\xD0\xB6 \xF0\x9F\x98\x80"},
    {"\xFF\xFE", BAD BAD},
    {"\xC0\xAF", BAD BAD},
    {"\xED\xA0\x80", BAD BAD BAD},
    {"\xF4\x90\x80\x80", BAD BAD BAD BAD},
    {"\xE2\x82", BAD BAD},
    {"a\x80z", "a" BAD "z"},
};

static void check_clean(void **state)
{
    const struct clean_row *row = *state;
    char out[64];
    size_t n = utf8_clean(row->in, strlen(row->in), out);
    assert_string_equal(out, row->out);
    assert_int_equal(n, strlen(row->out));
    assert_true(utf8_is_clean(out, n));
    assert_int_equal(utf8_is_clean(row->in, strlen(row->in)), strcmp(row->in, row->out) == 0);
}

static const char *name_of_clean(const void *row)
{
    return ((const struct clean_row *)row)->out;
}

struct time_row {
    const char *text;
    int64_t ms; /* -1: no time */
};
static const struct time_row TIMES[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-01-02T03:04:05.678+03:00", 1767312245678},
    {"2026-01-02 03:04:05", 1767323045000},
    {"2026-01-02T03:04:05,5Z", 1767323045500},
    {"2024-02-29T00:00:00Z", 1709164800000},
    {"2026-01-02T03:04Z", 1767323040000},
    {"2026-01-02T03:04:05-0330", 1767335645000},
    {"2023-02-29T00:00:00Z", -1},
    {"2026-13-01T00:00:00Z", -1},
    {"2026-01-02", -1},
    {"2026-01-02T25:00:00Z", -1},
    {"2026-01-02T03:04:05.Z", -1},
    {"2026-01-02T03:04:05Zx", -1},
    {"yesterday", -1},
    {"", -1},
};

static void check_time(void **state)
{
    const struct time_row *row = *state;
    int64_t ms = -1;
    bool ok = clock_parse_rfc3339(row->text, strlen(row->text), &ms);
    assert_int_equal(ok ? ms : -1, row->ms);
    if (ok) {
        char text[CLOCK_TEXT_BYTES];
        int64_t again = 0;
        clock_format_utc(ms, text);
        assert_true(clock_parse_rfc3339(text, strlen(text), &again));
        assert_int_equal(again, ms);
    }
}

static const char *name_of_time(const void *row)
{
    return ((const struct time_row *)row)->text;
}

struct count_row {
    enum language language;
    enum counted what;
    int64_t n;
    const char *want;
};
static const struct count_row COUNTS[] = {
    {LANG_EN, COUNT_TIMES, 1, "1 time"},
    {LANG_EN, COUNT_TIMES, 0, "0 times"},
    {LANG_EN, COUNT_TIMES, 8120, "8,120 times"},
    {LANG_EN, COUNT_USERS, 1234567, "1,234,567 users"},
    {LANG_EN, COUNT_HELD, 1, "1 more was held back since the last alert"},
    {LANG_RU, COUNT_ERRORS, 1, "1 ошибка"},
    {LANG_RU, COUNT_ERRORS, 2, "2 ошибки"},
    {LANG_RU, COUNT_ERRORS, 5, "5 ошибок"},
    {LANG_RU, COUNT_ERRORS, 11, "11 ошибок"},
    {LANG_RU, COUNT_ERRORS, 21, "21 ошибка"},
    {LANG_RU, COUNT_ERRORS, 112, "112 ошибок"},
    {LANG_RU, COUNT_ERRORS, 1000, "1000 ошибок"},
    {LANG_EN, COUNT_ERRORS, -1000, "1,000+ errors"},
    {LANG_EN, COUNT_ERRORS, -1, "1+ errors"},
    {LANG_RU, COUNT_ERRORS, -1000, "1000+ ошибок"},
    {LANG_RU, COUNT_ERRORS, -21, "21+ ошибок"},
    {LANG_RU, COUNT_USERS, 12345, "12\u00a0345 пользователей"},
    {LANG_RU, COUNT_HELD, 3, "С прошлого сообщения было ещё 3 случая"},
};

/* n below 0: at least as many. */
static void check_count(void **state)
{
    const struct count_row *row = *state;
    char out[WORDS_COUNT_BYTES];
    if (row->n < 0)
        words_count_least(row->language, row->what, -row->n, out);
    else
        words_count(row->language, row->what, row->n, out);
    assert_string_equal(out, row->want);
}

static const char *name_of_count(const void *row)
{
    return ((const struct count_row *)row)->want;
}

static void cutting_keeps_code_points_and_counts_units(void **state)
{
    (void)state;
    static const char TEXT[] = "a\xD0\xB6\xF0\x9F\x98\x80z"; /* 1 + 1 + 2 + 1 units, 8 bytes */
    assert_int_equal(utf8_utf16_units(TEXT, 8), 5);
    assert_int_equal(utf8_cut_units(TEXT, 8, 3), 3);
    assert_int_equal(utf8_cut_units(TEXT, 8, 4), 7);
    assert_int_equal(utf8_cut(TEXT, 8, 2), 1);
    assert_int_equal(utf8_cut(TEXT, 8, 6), 3);
    assert_int_equal(utf8_cut(TEXT, 8, 99), 8);
}

static void html_survives_a_round_trip(void **state)
{
    (void)state;
    struct buf html;
    struct buf plain;
    buf_init(&html, 4096);
    buf_init(&plain, 4096);
    html_add_str(&html, "<b>&\"'\x01\x7f </pre> &lt; \xF0\x9F\x98\x80");
    html_to_plain(buf_text(&html), &plain);
    assert_string_equal(buf_text(&plain), "<b>&\"' </pre> &lt; \xF0\x9F\x98\x80");
    buf_clear(&html);
    assert_true(html_add_cut(&html, "one two three four", 18, 12));
    assert_string_equal(buf_text(&html), "one two…");
    buf_fini(&html);
    buf_fini(&plain);
}

static void moments_are_in_the_zone_and_language(void **state)
{
    (void)state;
    char out[WORDS_MOMENT_BYTES];
    struct look look = {.language = LANG_EN, .zone = "Europe/Moscow", .now_ms = 1795266000000};
    words_moment(&look, 1795266000000, out); /* 2026-11-21 13:00 UTC */
    assert_string_equal(out, "21 Nov, 16:00");
    look.language = LANG_RU;
    words_moment(&look, 1767312245678, out);
    assert_string_equal(out, "2 \xD1\x8F\xD0\xBD\xD0\xB2, 03:04");
    words_moment(&look, 1735689600000, out); /* another year is named */
    assert_string_equal(out, "1 \xD1\x8F\xD0\xBD\xD0\xB2 2025, 03:00");
}

static void python_cards_show_the_innermost_frames(void **state)
{
    (void)state;
    struct buf stack;
    struct buf html;
    struct chat_keyboard keyboard;
    buf_init(&stack, 100000);
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_add_str(&stack, "Traceback (most recent call last):\n");
    for (int i = 0; i < 60; i++)
        buf_addf(&stack, "  File \"/app/f%d.py\", line 1, in f%d\n    call()\n", i, i);
    buf_add_str(&stack, "ValueError: last word");
    struct group g = {.id = 1, .title = "t", .origin = "o", .stack_part = stack.data};
    struct look look = {.language = LANG_EN};
    struct card card = {.group = &g, .look = &look};
    card_render(&card, &html, &keyboard);
    assert_tg_html(html.data);
    assert_non_null(strstr(html.data, "ValueError: last word"));
    assert_non_null(strstr(html.data, "in f59"));
    assert_non_null(strstr(html.data, "in f55\n"));
    assert_null(strstr(html.data, "in f54\n"));
    assert_non_null(strstr(html.data, "<code>/app/f59.py:1 in f59</code>"));
    assert_non_null(strstr(html.data, "button Stack"));
    buf_fini(&stack);
    buf_fini(&html);
}

static void urls_are_filled(void **state)
{
    (void)state;
    char out[64];
    assert_true(card_fill_url("https://x/{user_id}/y", "{user_id}", "a b/&\xD0\xB6", out, sizeof out));
    assert_string_equal(out, "https://x/a%20b%2F%26%D0%B6/y");
    assert_true(card_fill_url("https://x", "{user_id}", "a", out, sizeof out));
    assert_string_equal(out, "https://x");
    assert_false(card_fill_url("https://x/{user_id}", "{user_id}", "0123456789012345678901234567890123456789012345678901234567890", out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutting_keeps_code_points_and_counts_units),
        cmocka_unit_test(html_survives_a_round_trip),
        cmocka_unit_test(moments_are_in_the_zone_and_language),
        cmocka_unit_test(python_cards_show_the_innermost_frames),
        cmocka_unit_test(urls_are_filled),
    };
    return ROWS_RUN("clean", CLEAN, check_clean, name_of_clean) +
           ROWS_RUN("time", TIMES, check_time, name_of_time) +
           ROWS_RUN("count", COUNTS, check_count, name_of_count) +
           cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
