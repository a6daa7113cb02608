/* test_worry.c -- when Nabat speaks of itself: rows of looks, ten seconds apart. */
#include "tests/unit/rows.h"

#include "bot/worry.h"

#include <string.h>

/* One letter a look in, '!' bad and '.' well; out: T told, A again, O over, '-' nothing. */
struct row {
    const char *name;
    enum worry which;
    const char *looks;
    const char *want;
};
static const struct row ROWS[] = {
    {"well", WORRY_DATABASE, "....", "----"},
    {"a restart of the database is no alarm", WORRY_DATABASE, "!!....", "------"},
    {"it is told when it lasts", WORRY_DATABASE, "!!!!", "--T-"},
    {"and its end, when that lasts", WORRY_DATABASE, "!!!....", "--T---O"},
    {"a flicker is no end", WORRY_DATABASE, "!!!..!....", "--T------O"},
    {"a full disk at once", WORRY_DISK, "!", "T"},
    {"what was not told has no end", WORRY_DATABASE, "!......", "-------"},
    {"told, over, told anew", WORRY_DISK, "!....!", "T---OT"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct worry_state s = {0};
    int64_t lasted = 0;
    for (size_t i = 0; row->looks[i]; i++) {
        enum worry_news news = worry_look(&s, row->which, row->looks[i] == '!', true, 5000 + (int64_t)i * 10000, &lasted);
        assert_int_equal("-TAO"[news], row->want[i]);
        if (news == WORRY_IS_OVER)
            assert_true(lasted > 0);
    }
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

static void it_is_told_again_every_half_hour(void **state)
{
    (void)state;
    struct worry_state s = {0};
    int64_t lasted = 0;
    int told = 0;
    for (int64_t at = 0; at <= 3600 * 1000; at += 1000)
        told += worry_look(&s, WORRY_DISK, true, true, 1000 + at, &lasted) != WORRY_NOTHING;
    assert_int_equal(told, 3);
}

static void who_may_not_tell_takes_over_later(void **state)
{
    (void)state;
    struct worry_state s = {0};
    int64_t lasted = 0;
    assert_int_equal(worry_look(&s, WORRY_DATABASE, true, false, 1000, &lasted), WORRY_NOTHING);
    assert_int_equal(worry_look(&s, WORRY_DATABASE, true, false, 60000, &lasted), WORRY_NOTHING);
    assert_int_equal(worry_look(&s, WORRY_DATABASE, true, true, 62000, &lasted), WORRY_TELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_told_again_every_half_hour),
                                       cmocka_unit_test(who_may_not_tell_takes_over_later)};
    return ROWS_RUN("worries", ROWS, check_row, name_of_row) + cmocka_run_group_tests_name("worry", tests, NULL, NULL);
}
