/* test_waiting.c -- who goes next to a chat while the database is away: rows of what happens, and of what went when. */
#include "tests/unit/rows.h"

#include "alerts/waiting.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(5000000)

/* Steps: "a" to "z" an error comes; "10:" it is 10 s after the start; ">" the first goes, ">>" all that are ready go as a list;
 * "+" they are told, "?" the answer got lost; "=3" so many are ready; "R" what is on its way is a repeat, "F" it is not.
 * `went`: the names that went, in order. */
struct row {
    const char *name;
    const char *steps;
    const char *went;
};

static const struct row ROWS[] = {
    {"the oldest goes first, once", "abc 1: =3 >F+ >+ >+ =0", "abc"},
    {"not before its grace", "a 0: =1 > 1: >+", "a"},
    {"what may have arrived goes once more, marked", "a 1: >F? =0 6: =1 >R+ =0", "aa"},
    {"and lets others pass meanwhile", "ab 1: >? =1 2: >F+ 6: >R+", "aba"},
    {"twice lost: after 30 s", "a 1: >? 6: >R? 35: =0 36: =1 >R+", "aaa"},
    {"then after two minutes, eight, fifteen", "a 1: >? 6: >? 36: >? 155: =0 156: >? 635: =0 636: >? 1535: =0 1536: >R+",
     "aaaaaa"},
    {"it never stands in the way of a new one", "a 1: >? 6: >? b 7: =1 >F+ 36: >R+", "aaba"},
    {"one that comes while it is due again goes after it", "a 1: >? 10: b 11: >R+ >F+", "aab"},
    {"those that rest go by their time, not by their age", "ab 1: >? 6: >F? 7: >R? 10: =0 11: =1 >R+ 36: =0 37: >R+",
     "ababa"},
    {"in a list each rests by its own count", "a 1: >? 6: >? bc 36: >>R? 37: =0 41: =2 >>R+ 155: =0 156: =1 >>R+ =0",
     "aabcabca"},
    {"nobody waits twice", "a 1: >? 6: >? aa 7: =0 36: a =1 >R+ =0", "aaa"},
    {"but what happens again while it is on its way does", "a 1: > a + 2: =1 >F+", "aa"},
    {"what comes while others are on their way is behind them", "ab 1: >> cd + 2: =2 >>F+", "abcd"},
    {"a list that got lost stands behind what came meanwhile", "ab 1: >> cd ? 2: =2 >>F+ 6: =2 >>R+", "abcdab"},
};

struct play {
    struct waiting_line line;
    struct cause causes[26];
    char went[64];
    int64_t now_ms;
};

static void go(struct play *p, size_t count)
{
    if (p->now_ms < p->line.items[0].due_ms || count == 0)
        return;
    p->line.sending = count;
    for (size_t i = 0; i < count; i++)
        snprintf(p->went + strlen(p->went), sizeof p->went - strlen(p->went), "%c",
                 (char)('a' + (p->line.items[i].cause - p->causes)));
}

static const char *step(struct play *p, const char *s)
{
    long n = 0;
    int used = 0;
    if (sscanf(s, "%ld:%n", &n, &used) == 1 && used) {
        p->now_ms = NOW + n * 1000;
        return s + used;
    }
    if (*s >= 'a' && *s <= 'z')
        assert_true(waiting_add(&p->line, &p->causes[*s - 'a'], NOW, p->now_ms));
    else if (*s == '>')
        go(p, s[1] == '>' ? waiting_ready(&p->line, p->now_ms) : 1);
    else if (*s == '+')
        waiting_told(&p->line);
    else if (*s == '?')
        waiting_lost(&p->line, p->now_ms);
    else if (*s == '=')
        assert_int_equal(waiting_ready(&p->line, p->now_ms), s[1] - '0');
    else if (*s == 'R' || *s == 'F')
        assert_int_equal(waiting_is_repeat(&p->line), *s == 'R');
    return s + (*s == '=' || (*s == '>' && s[1] == '>') ? 2 : 1);
}

static void check_row(void **state)
{
    const struct row *row = *state;
    static struct play play;
    play = (struct play){.now_ms = NOW};
    for (const char *s = row->steps; *s;)
        s = step(&play, s);
    assert_string_equal(play.went, row->went);
    for (size_t i = 0; i < play.line.count; i++)
        assert_int_equal(play.line.items[i].cause->waiting, 1);
    play.line.sending = 0;
    waiting_drop(&play.line, NOW);
    assert_int_equal(play.line.count, 0);
    for (size_t i = 0; i < 26; i++) /* whoever waited is told, once each */
        assert_int_equal(play.causes[i].waiting, 0);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

static void the_line_has_a_bound(void **state)
{
    (void)state;
    enum { LOST = 32 };
    static struct waiting_line line;
    static struct cause causes[EMERGENCY_WAITING_MAX + 1];
    for (int i = 0; i < EMERGENCY_WAITING_MAX; i++)
        assert_true(waiting_add(&line, &causes[i], NOW + i, NOW));
    assert_false(waiting_add(&line, &causes[EMERGENCY_WAITING_MAX], NOW, NOW));
    assert_int_equal(causes[EMERGENCY_WAITING_MAX].waiting, 0);
    line.sending = LOST; /* a full line can lose answers, too */
    waiting_lost(&line, NOW);
    assert_int_equal(line.count, EMERGENCY_WAITING_MAX);
    assert_int_equal(waiting_ready(&line, NOW), EMERGENCY_WAITING_MAX - LOST);
    line.sending = 1; /* what is on its way is not dropped, and what came later stays */
    waiting_drop(&line, NOW + 99);
    assert_int_equal(line.count, EMERGENCY_WAITING_MAX - 100 + 1);
    assert_ptr_equal(line.items[0].cause, &causes[LOST]);
    waiting_drop(&line, INT64_MAX);
    assert_int_equal(line.count, 1);
    waiting_told(&line);
    assert_int_equal(line.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_line_has_a_bound)};
    int failed = ROWS_RUN("waiting", ROWS, check_row, name_of_row);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
