/* test_json.c -- the tolerant reader: what it takes, what it makes of it, and jansson as a witness. */
#include "tests/unit/rows.h"

#include "core/limits.h"
#include "ingest/json_reader.h"

#include <jansson.h>

struct row {
    const char *in;
    const char *out; /* NULL: refused */
};
#define BAD "\xEF\xBF\xBD"

static const struct row ROWS[] = {
    {"{}", "{}"},
    {" [ 1 , 2 ] ", "[1,2]"},
    {"{\"a\":{\"b\":[null,true,false]}}", "{\"a\":{\"b\":[null,true,false]}}"},
    {"\"\\u0041\\n\\t\\/\"", "\"A\\n\\u0009/\""},
    {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
    {"\"\\ud83d\"", "\"" BAD "\""},
    {"\"\\ude00x\"", "\"" BAD "x\""},
    {"\"\\u0000\"", "\"" BAD "\""},
    {"\"\xFF\"", "\"" BAD "\""},
    {"\"raw\nline\"", "\"raw\\nline\""},
    {"NaN", "\"NaN\""},
    {"-Infinity", "\"-Infinity\""},
    {"[Infinity]", "[\"Infinity\"]"},
    {"-0.5e+10", "-0.5e+10"},
    {"1e400", "\"1e400\""},
    {"{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}"},
    {"", NULL},
    {"{", NULL},
    {"[1", NULL},
    {"[1,]", NULL},
    {"{\"a\":1,}", NULL},
    {"{a:1}", NULL},
    {"{\"a\" 1}", NULL},
    {"01", NULL},
    {"1.", NULL},
    {"1e", NULL},
    {"-", NULL},
    {"+1", NULL},
    {"\"open", NULL},
    {"\"bad \\x\"", NULL},
    {"\"\\u12\"", NULL},
    {"nul", NULL},
    {"[1 2]", NULL},
    {"]", NULL},
    {"{\"a\":}", NULL},
};

static char *rewrite(const char *in, size_t len, struct err *err)
{
    struct arena *arena = arena_new(1 << 20);
    const char *at = in;
    struct json_value *v = json_read(in, &at, in + len, arena, err);
    char *text = NULL;
    if (v) {
        struct buf out;
        buf_init(&out, 1 << 20);
        json_write(v, &out);
        text = buf_take(&out);
    }
    arena_free(arena);
    return text;
}

static void check_row(void **state)
{
    const struct row *row = *state;
    struct err err = {0};
    /* a copy without slack: the sanitizer sees a byte too far */
    size_t len = strlen(row->in);
    char *exact = malloc(len ? len : 1);
    memcpy(exact, row->in, len);
    char *out = rewrite(exact, len, &err);
    if (row->out) {
        assert_non_null(out);
        assert_string_equal(out, row->out);
        json_error_t why;
        json_t *witness = json_loads(out, JSON_DECODE_ANY, &why);
        assert_non_null(witness);
        json_decref(witness);
    } else {
        assert_null(out);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_true(strlen(err.text) > 5);
    }
    free(out);
    free(exact);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->in;
}

static void depth_is_bounded(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(2 * DEEP + 1);
    struct err err = {0};
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    char *out = rewrite(text, 2 * DEEP, &err);
    assert_non_null(out);
    assert_int_equal(strspn(out, "["), JSON_DEPTH_MAX);
    assert_non_null(strstr(out, "[nested too deep]"));
    free(out);
    assert_null(rewrite(text, 2 * DEEP - 1, &err));
    free(text);
}

static void the_arena_is_a_bound(void **state)
{
    (void)state;
    struct err err = {0};
    size_t len = 1 << 20;
    char *text = malloc(len);
    memset(text, '[', 1);
    for (size_t i = 1; i < len; i += 2)
        memcpy(text + i, "1,", i + 1 < len ? 2 : 1);
    assert_null(rewrite(text, len, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(the_arena_is_a_bound),
    };
    return ROWS_RUN("json", ROWS, check_row, name_of_row) +
           cmocka_run_group_tests_name("json bounds", tests, NULL, NULL);
}
