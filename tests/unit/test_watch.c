/* test_watch.c -- what a watched bot's answers mean: rows of looks, a minute apart. */
#include "tests/unit/rows.h"

#include "watch/judge.h"
#include "watch/watch.h"

#include <string.h>

enum { LOOKS = 8 };

/* Each look as "webhook error_date pending" in numbers; what rose and what is over after it, as letters
 * R L F P, small when it is over, + for more of the same. */
struct row {
    const char *name;
    struct watch_seen looks[LOOKS];
    const char *want[LOOKS]; /* NULL: no more looks */
};
#define SEEN(hook, date, n) {.has_webhook = (hook), .last_error_date = (date), .pending = (n)}
#define GONE {.unauthorized = true}

static const struct row ROWS[] = {
    {"all is well", {SEEN(1, 0, 0), SEEN(1, 0, 3), SEEN(1, 0, 0)}, {"", "", ""}},
    {"an old error is no news", {SEEN(1, 500, 0), SEEN(1, 500, 0)}, {"", ""}},
    {"a newer one rings once, and is over when it was calm thrice",
     {SEEN(1, 500, 0), SEEN(1, 560, 2), SEEN(1, 620, 4), SEEN(1, 620, 4), SEEN(1, 620, 0), SEEN(1, 620, 0)},
     {"", "F", "+", "", "", "f"}},
    {"no newer error but a growing queue is not calm",
     {SEEN(1, 500, 0), SEEN(1, 560, 1), SEEN(1, 560, 2), SEEN(1, 560, 3), SEEN(1, 560, 3), SEEN(1, 560, 3)},
     {"", "F", "", "", "", ""}},
    {"updates pile up", {SEEN(1, 0, 0), SEEN(1, 0, 10), SEEN(1, 0, 30), SEEN(1, 0, 60), SEEN(1, 0, 20), SEEN(1, 0, 5)},
     {"", "", "", "P", "", "p"}},
    {"a burst that is worked off", {SEEN(1, 0, 0), SEEN(1, 0, 90), SEEN(1, 0, 60), SEEN(1, 0, 80), SEEN(1, 0, 0)},
     {"", "", "", "", ""}},
    {"few are none", {SEEN(1, 0, 0), SEEN(1, 0, 3), SEEN(1, 0, 6), SEEN(1, 0, 9), SEEN(1, 0, 12)},
     {"", "", "", "", ""}},
    {"a webhook is lost and found", {SEEN(1, 0, 0), SEEN(0, 0, 0), SEEN(0, 0, 0), SEEN(1, 0, 0)}, {"", "L", "", "l"}},
    {"a bot that polls has none to lose", {SEEN(0, 0, 0), SEEN(0, 0, 0)}, {"", ""}},
    {"a token is revoked and mended", {SEEN(1, 0, 0), GONE, GONE, SEEN(1, 0, 0)}, {"", "R", "", "r"}},
    {"revoked from the start", {GONE, SEEN(1, 700, 9), SEEN(1, 760, 9)}, {"R", "r", "F"}},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct watch_state s = {.known = false};
    for (int i = 0; i < LOOKS && row->want[i]; i++) {
        char got[2 * TROUBLES + 1] = "";
        struct watch_verdict v = watch_judge(&s, &row->looks[i], 1000 + i * 60000);
        for (int t = 0; t < TROUBLES; t++) {
            if (v.risen[t])
                strncat(got, &"RLFP"[t], 1);
            if (v.again[t])
                strcat(got, "+");
            if (v.over[t])
                strncat(got, &"rlfp"[t], 1);
            if (v.over[t])
                assert_true(v.lasted_ms[t] >= 60000);
        }
        assert_string_equal(got, row->want[i]);
    }
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

struct token_row {
    const char *tokens;
    const char *why; /* part of it; NULL: fine */
};
static const struct token_row TOKENS[] = {
    {"123:abc", NULL}, {" 123:abc , 456:DEF-_9 ", NULL}, {"", NULL}, {NULL, NULL},
    {"123:abc,secret", "number 2"}, {"123", "number 1"}, {":abc", "number 1"}, {"12:a b", "number 2"}, {"1:a/b", "number 1"},
};

static void check_tokens(void **state)
{
    const struct token_row *row = *state;
    struct err err = {0};
    assert_int_equal(watch_check_tokens(row->tokens, &err), row->why == NULL);
    if (row->why)
        assert_non_null(strstr(err.text, row->why));
    assert_null(strstr(err.text, "secret"));
}

static const char *name_of_tokens(const void *row)
{
    const char *tokens = ((const struct token_row *)row)->tokens;
    return tokens ? tokens : "none";
}

int main(void)
{
    return ROWS_RUN("watch", ROWS, check_row, name_of_row) + ROWS_RUN("tokens", TOKENS, check_tokens, name_of_tokens);
}
