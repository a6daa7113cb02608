/* test_memo.c -- texts that came before: found only when they are the same, never more than the bound. */
#include "tests/unit/rows.h"

#include "core/limits.h"
#include "ingest/memo.h"
#include "ingest/scrub.h"
#include "ingest/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void finds_what_was_put(void **state)
{
    (void)state;
    struct memo *memo = memo_new(64, 1 << 20);
    char text[300];
    char value[32];
    size_t len = 0;
    size_t found = 0;
    assert_null(memo_get(memo, "a", 1, &len));
    for (int i = 0; i < 40; i++) {
        int n = snprintf(text, sizeof text, "text number %d of %d", i, i * i);
        int m = snprintf(value, sizeof value, "value %d", i);
        memo_put(memo, text, (size_t)n, value, (size_t)m);
        const char *got = memo_get(memo, text, (size_t)n, &len);
        assert_non_null(got);
        assert_int_equal(len, m);
        assert_memory_equal(got, value, len);
        assert_null(memo_get(memo, text, (size_t)n - 1, &len));
    }
    for (int i = 0; i < 40; i++) {
        int n = snprintf(text, sizeof text, "text number %d of %d", i, i * i);
        snprintf(value, sizeof value, "value %d", i);
        const char *got = memo_get(memo, text, (size_t)n, &len);
        found += got != NULL;
        if (got)
            assert_memory_equal(got, value, len);
    }
    assert_in_range(found, 20, 40);
    memo_put(memo, "again", 5, "one", 3);
    memo_put(memo, "again", 5, "", 0);
    assert_non_null(memo_get(memo, "again", 5, &len));
    memo_free(memo);
    memo_free(NULL);
}

static void keeps_its_bound(void **state)
{
    (void)state;
    struct memo *memo = memo_new(64, 1000);
    char text[400] = {0};
    size_t len = 0;
    memo_put(memo, text, sizeof text, text, sizeof text);
    text[0] = 'b';
    memo_put(memo, text, sizeof text, "", 0); /* no room: the first one goes */
    assert_non_null(memo_get(memo, text, sizeof text, &len));
    text[0] = '\0';
    assert_null(memo_get(memo, text, sizeof text, &len));
    char *large = calloc(1, 2000);
    memo_put(memo, large, 2000, "", 0);
    assert_null(memo_get(memo, large, 2000, &len));
    free(large);
    memo_free(memo);
}

/* What is remembered is what would be worked out: texts that differ in one byte, each twice, against a fresh reader. */
static void a_stack_is_read_the_same_twice(void **state)
{
    (void)state;
    static struct stack first;
    static struct stack second;
    for (int i = 0; i < 300; i++) {
        char text[2000] = "Traceback (most recent call last):\n";
        for (int k = 0; k < i % 12; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text),
                     "  File \"/srv/app/handlers/pay_%c.py\", line %d, in step_%c\n    run(%d)\n", 'a' + i % 7, k, 'a' + k, i);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sError: number %d %0*d", i % 2 ? "Value" : "Key", i, 300, 1);
        bool read = stack_parse(text, &first);
        assert_int_equal(stack_parse(text, &second), read);
        assert_int_equal(read, i % 12 > 0);
        assert_int_equal(first.count, second.count);
        assert_string_equal(first.type, second.type);
        for (size_t k = 0; k < first.count; k++) {
            assert_string_equal(first.frames[k].file, second.frames[k].file);
            assert_string_equal(first.frames[k].function, second.frames[k].function);
            assert_int_equal(first.frames[k].in_app, second.frames[k].in_app);
        }
    }
}

/* A text that was clean for messages is none for data, and one with a secret is never taken for clean. */
static void only_clean_texts_are_remembered(void **state)
{
    (void)state;
    struct err err = {0};
    struct scrub *scrub = scrub_new(NULL, NULL, &err);
    struct arena *arena = arena_new(1 << 20);
    char secret[600];
    char clean[600];
    snprintf(clean, sizeof clean, "%0*d the card of the user was refused", 300, 1);
    snprintf(secret, sizeof secret, "%0*d bot 123456789:AAabcdefghijklmnopqrstuvwxyz123456789 failed", 300, 1);
    for (int i = 0; i < 3; i++) {
        struct json_value v = {.kind = JSON_STRING_V, .text = clean, .len = strlen(clean)};
        assert_int_equal(scrub_value(scrub, SCRUB_TEXT, &v, arena), 0);
        assert_ptr_equal(v.text, clean);
        struct json_value s = {.kind = JSON_STRING_V, .text = secret, .len = strlen(secret)};
        assert_int_equal(scrub_value(scrub, SCRUB_TEXT, &s, arena), 1);
        assert_null(memmem(s.text, s.len, "AAabcdef", 8));
        struct json_value d = {.kind = JSON_STRING_V, .text = secret, .len = strlen(secret)};
        assert_true(scrub_value(scrub, SCRUB_ALL, &d, arena) > 0);
    }
    scrub_free(scrub);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(keeps_its_bound),
        cmocka_unit_test(a_stack_is_read_the_same_twice),
        cmocka_unit_test(only_clean_texts_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
