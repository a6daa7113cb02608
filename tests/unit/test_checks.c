/* test_checks.c -- what answers mean for a check: runs of answers, one letter each; the state as the database keeps it. */
#include "tests/unit/rows.h"

#include "checks/machine.h"
#include "checks/words.h"

/* In: . good, x no answer, 5 a 500, 4 a 404, s slow, c the certificate is short, S slow and short. Out, for each answer: - nothing,
 * D S C rings, d s c is over (of several the last). */
struct row {
    const char *name;
    const char *spec;
    const char *answers;
    const char *want;
};
static const struct row ROWS[] = {
    {"well", "https://x", "....", "----"},
    {"three ring", "https://x", "xxxx", "--D-"},
    {"two do not", "https://x", "xx.xx.", "------"},
    {"two good ones end it", "https://x", "xxx...", "--D-d-"},
    {"one is a flicker", "https://x", "xxx.x..", "--D---d"},
    {"and it may begin anew", "https://x", "xxx..xxx", "--D-d--D"},
    {"a 500 is down", "https://x", "555", "--D"},
    {"a 404, too", "https://x", "444", "--D"},
    {"unless it is what is expected", "https://x expect 404", "444", "---"},
    {"then a 200 is not", "https://x expect 404", "...", "--D"},
    {"slow without a bound is well", "https://x", "ssss", "----"},
    {"slow", "https://x under 1s", "sss..", "--S-s"},
    {"an error page says nothing of speed", "https://x under 1s", "sss55.", "--S---"},
    {"a certificate", "https://x", "ccc..", "--C-c"},
    {"nobody looks at it", "https://x cert off", "cccc", "----"},
    {"no answer says nothing of it", "https://x", "cccxx..", "--C---c"},
    {"two troubles", "https://x under 1s", "SSS", "--C"},
};

static const char *name_of(const void *row)
{
    return ((const struct row *)row)->name;
}

static void check_row(void **state)
{
    static const int64_t DAY = 86400000;
    const struct row *row = *state;
    struct check_spec spec;
    struct check_state s = {0};
    struct err err = {0};
    assert_true(check_spec_parse(row->spec, strlen(row->spec), &spec, &err));
    for (size_t i = 0; row->answers[i]; i++) {
        char a = row->answers[i];
        char kept[CHECK_STATE_BYTES];
        char said = '-';
        int64_t now = 1000 * DAY + (int64_t)i * 60000;
        struct check_answer answer = {
            .status = a == 'x'   ? 0
                      : a == '5' ? 500
                      : a == '4' ? 404
                                 : 200,
            .error = a == 'x' ? "Connection refused" : "",
            .ms = a == 's' || a == 'S' ? 2500 : 20,
            .cert_expires_ms = a == 'x' ? 0 : now + (a == 'c' || a == 'S' ? 3 : 60) * DAY};
        struct check_change change;
        check_decide(&spec, &answer, now, &s, &change);
        for (int t = 0; t < CHECK_TROUBLES; t++)
            said = change.ring[t] ? "DSC"[t] : change.over[t] ? "dsc"[t] : said;
        assert_int_equal(said, row->want[i]);
        check_state_write(&s, kept);
        check_state_read(kept, &s); /* it survives being kept */
    }
}

int main(void)
{
    return rows_run("checks", ROWS, sizeof ROWS / sizeof *ROWS, sizeof *ROWS, check_row, name_of);
}
