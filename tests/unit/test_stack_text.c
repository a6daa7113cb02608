/* test_stack_text.c -- which piece of a stack text is one event's own: rows of texts. */
#include "tests/unit/rows.h"

#include "store/stack_text.h"

#include <string.h>

#define PYTHON "Traceback (most recent call last):\n  File \"a.py\", line 3, in main\n    run()\n"

struct row {
    const char *name;
    const char *text;
    const char *said; /* NULL: stored whole */
};

static const struct row ROWS[] = {
    {"python", PYTHON "ValueError: user 17", "ValueError: user 17"},
    {"python, lines of a message", PYTHON "E: one\n  two\nthree\n", "E: one\n  two\nthree\n"},
    {"python, marks below the source", PYTHON "    ^^^^^\nE: one", "E: one"},
    {"python, a chain: the last message",
     PYTHON "K: 'k'\n\nThe above exception was the direct cause of the following exception:\n\n" PYTHON
            "BotError: no key",
     "BotError: no key"},
    {"python, cut behind the last frame", PYTHON, NULL},
    {"python without a frame", "Traceback (most recent call last):\nE: one", NULL},
    {"python, a frame in the message", PYTHON "E: one\n  File \"b.py\", line 1", NULL},
    {"python, a group",
     "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1, in f\n"
     "  | ExceptionGroup: two\n  +-+---------------- 1 ----------------\n    | ValueError: one",
     NULL},
    {"javascript", "TypeError: x of 17 is undefined\n    at f (a.js:1:2)\n    at g (b.js:3:4)",
     "x of 17 is undefined"},
    {"java", "java.lang.Error: user 17\n\tat a.B.c(B.java:3)\nCaused by: x.Y: z\n\tat d.E.f(E.java:1)",
     "user 17"},
    {"java, two lines", "x.Y: one\ntwo\n\tat a.B.c(B.java:3)", "one\ntwo"},
    {"what the columns say, and more", PYTHON "ValueError: user 171", "ValueError: user 171"},
    {"no message", "TypeError\n    at f (a.js: 1)", NULL},
    {"an empty message", "TypeError: \n    at f (a.js)", NULL},
    {"no frames", "something: happened", NULL},
    {"go", "panic: user 17\n\ngoroutine 1 [running]:\nmain.f()\n\t/a/b.go:3", NULL},
    {"the mark itself", "TypeError: \x01 17\n    at f (a.js)", NULL},
    {"nothing", "", NULL},
};

static void check(void **state)
{
    const struct row *row = *state;
    struct stack_text text = stack_text_split(row->text, "ValueError", "user 17");
    if (!row->said) {
        assert_null(text.said);
        assert_int_equal(text.said_len, 0);
        return;
    }
    assert_non_null(text.said);
    assert_true(text.said >= row->text);
    assert_true(text.said + text.said_len <= row->text + strlen(row->text));
    assert_int_equal(text.said_len, strlen(row->said));
    assert_memory_equal(text.said, row->said, text.said_len);
    assert_int_equal(text.in_columns, strcmp(row->said, "ValueError: user 17") == 0);
}

static const char *name_of(const void *row)
{
    return ((const struct row *)row)->name;
}

int main(void)
{
    return ROWS_RUN("piece", ROWS, check, name_of);
}
