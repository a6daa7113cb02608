/* test_log_fold.c -- which of many lines are printed: letters are lines, the clock goes by seconds. */
#include "tests/unit/rows.h"

#include "core/log_fold.h"

struct row {
    const char *name;
    const char *lines; /* one a second; '.' none */
    const char *want;  /* what is printed of them: '1' yes, '0' no, '.' none */
    int64_t missed;    /* of 'a', told when its minute is over */
};
static const struct row ROWS[] = {
    {"five of one", "aaaaa", "11111", 0},
    {"the sixth is held back", "aaaaaaaa", "11111000", 3},
    {"each for itself", "ababababababab", "11111111110000", 2},
    {"what comes seldom", "a.a.a.a", "1.1.1.1", 0},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    static int64_t now = 1000000;
    struct log_folded folded;
    now += 10 * (int64_t)LOG_FOLD_MS;
    while (log_fold_next(now, &folded))
        ;
    for (size_t i = 0; row->lines[i]; i++, now += 1000) {
        char name[2] = {row->lines[i], '\0'};
        if (row->lines[i] == '.')
            continue;
        assert_int_equal(log_fold((uint64_t)row->lines[i], 2, name, now, &folded), row->want[i] == '1');
        assert_int_equal(folded.missed, 0);
    }
    assert_false(log_fold_next(now, &folded)); /* the minute is not over */
    int64_t missed = 0;
    while (log_fold_next(now + LOG_FOLD_MS, &folded))
        missed += folded.message[0] == 'a' ? folded.missed : 0;
    assert_int_equal(missed, row->missed);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

static void forgets_the_oldest_and_says_what_was_held_back(void **state)
{
    (void)state;
    struct log_folded folded;
    int64_t now = (int64_t)1 << 40;
    while (log_fold_next(now, &folded))
        ;
    for (int i = 0; i < 9; i++)
        log_fold(1, 3, "first", now, &folded);
    int64_t told = 0;
    for (uint64_t i = 2; i < 2 + LOG_FOLD_LINES; i++) {
        assert_true(log_fold(i, 1, "other", now + (int64_t)i, &folded));
        told += folded.missed;
    }
    assert_int_equal(told, 4);
    assert_true(log_fold(1, 3, "first", now + 100, &folded)); /* new again */
    /* its minute is over, and it comes again: what was held back comes first */
    for (int i = 0; i < 9; i++)
        log_fold(1, 3, "first", now + 200, &folded);
    assert_true(log_fold(1, 3, "first", now + 200 + LOG_FOLD_MS, &folded));
    assert_int_equal(folded.missed, 5);
    assert_string_equal(folded.message, "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_the_oldest_and_says_what_was_held_back),
    };
    return rows_run("fold", ROWS, sizeof ROWS / sizeof *ROWS, sizeof *ROWS, check_row, name_of_row) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
