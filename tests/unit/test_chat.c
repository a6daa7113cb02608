/* test_chat.c -- decisions of the chat, as tables: filters, typos, stacks, likeness, webhook troubles. */
#include "tests/unit/rows.h"

#include "alerts/card.h"
#include "alerts/frames.h"
#include "alerts/similar.h"
#include "bot/command.h"
#include "bot/webhook_info.h"

struct typo_row {
    const char *typed;
    const char *meant; /* NULL: nothing */
};
static const struct typo_row TYPOS[] = {
    {"eror", "error"},       {"erors", "errors"}, {"resolv", "resolve"}, {"reslove", "resolve"},
    {"tkae", "take"},        {"unmut", "unmute"}, {"setings", "settings"}, {"HLEP", "help"},
    {"monitros", "monitors"}, {"xyzzy", NULL},    {"unicorn", NULL},      {"m", NULL},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}, {"", NULL},
};

static void check_typo(void **state)
{
    const struct typo_row *row = *state;
    const struct command *meant = command_meant(row->typed);
    assert_int_equal(meant != NULL, row->meant != NULL);
    if (meant)
        assert_string_equal(meant->name, row->meant);
}

static const char *name_of_typo(const void *row)
{
    return ((const struct typo_row *)row)->typed;
}

struct filter_row {
    const char *text;
    bool open_only;
    unsigned statuses;
    unsigned severities;
    int64_t within_s;
    const char *whose;
    const char *words; /* joined by '|' */
};
#define S(x) (1u << STATUS_##x)
#define V(x) (1u << SEV_##x)
static const struct filter_row FILTERS[] = {
    {"", true, 0, 0, 0, NULL, ""},
    {"all", false, 0, 0, 0, NULL, ""},
    {"new critical celery 24h timeout", false, S(NEW), V(CRITICAL), 86400, NULL, "celery|timeout"},
    {"timeout 24h celery CRITICAL New", false, S(NEW), V(CRITICAL), 86400, NULL, "timeout|celery"},
    {"critical error", true, 0, V(CRITICAL) | V(ERROR), 0, NULL, ""},
    {"new in_progress", false, S(NEW) | S(IN_PROGRESS), 0, 0, NULL, ""},
    {"mine 30m", true, 0, 0, 1800, "@me", ""},
    {"@ann resolved", false, S(RESOLVED), 0, 0, "@ann", ""},
    {"  ValueError:   x \n y ", true, 0, 0, 0, NULL, "ValueError:|x|y"},
    {"a b c d e f g h i j", true, 0, 0, 0, NULL, "a|b|c|d|e|f|g|h"},
    {"7d 'quoted'; DROP", true, 0, 0, 604800, NULL, "'quoted';|DROP"},
};

static void check_filter(void **state)
{
    const struct filter_row *row = *state;
    char text[100];
    char words[200] = "";
    struct asker me = {"@me", 5};
    struct group_filter f;
    snprintf(text, sizeof text, "%s", row->text);
    command_parse_filter(text, &me, &f);
    for (size_t i = 0; i < f.words_count; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i ? "|" : "", f.words[i]);
    assert_int_equal(f.open_only, row->open_only);
    assert_int_equal(f.statuses, row->statuses);
    assert_int_equal(f.severities, row->severities);
    assert_int_equal(f.seen_within_s, row->within_s);
    assert_string_equal(f.assigned_to ? f.assigned_to : "", row->whose ? row->whose : "");
    assert_string_equal(words, row->words);
}

static const char *name_of_filter(const void *row)
{
    return ((const struct filter_row *)row)->text;
}

struct frames_row {
    const char *name;
    const char *text;
    size_t max;
    size_t units;
    const char *want;
    bool cut;
    const char *source; /* NULL: not known */
};
static const struct frames_row FRAMES[] = {
    {"python, two of three",
     "Traceback (most recent call last):\n  File \"a.py\", line 1, in a\n    b()\n  File \"b.py\", line 2, in b\n"
     "    c()\n    ^^^\n  File \"c.py\", line 3, in c\n    raise X\nX: why",
     2, 1000,
     "  File \"b.py\", line 2, in b\n    c()\n    ^^^\n  File \"c.py\", line 3, in c\n    raise X\nX: why", true,
     "c.py:3 in c"},
    {"python, all",
     "Traceback (most recent call last):\n  File \"a.py\", line 1, in a\n    b()\nX: why\n", 5, 1000,
     "Traceback (most recent call last):\n  File \"a.py\", line 1, in a\n    b()\nX: why", false, "a.py:1 in a"},
    {"python, whole frames of a long one",
     "Traceback (most recent call last):\n  File \"a.py\", line 1, in a\n    b()\n  File \"b.py\", line 2, in b\n"
     "    c()\nX: why",
     5, 50, "  File \"b.py\", line 2, in b\n    c()\nX: why", true, "b.py:2 in b"},
    {"javascript",
     "TypeError: x\n    at f (/app/a.js:1:2)\n    at g (/app/b.js:3:4)\n    at h (/app/c.js:5:6)", 2, 1000,
     "TypeError: x\n    at f (/app/a.js:1:2)\n    at g (/app/b.js:3:4)", true, "f (/app/a.js:1:2)"},
    {"java with a cause",
     "java.lang.X: y\n\tat com.a.B.c(B.java:1)\n\tat com.a.D.e(D.java:2)\nCaused by: z\n\tat com.a.F.g(F.java:3)", 2,
     1000, "java.lang.X: y\n\tat com.a.B.c(B.java:1)\n\tat com.a.D.e(D.java:2)\nCaused by: z", true,
     "com.a.B.c(B.java:1)"},
    {"go keeps a function and its place together",
     "goroutine 1 [running]:\nmain.f()\n\t/a.go:10 +0x1\nmain.g()\n\t/a.go:20 +0x2\n", 1, 1000,
     "goroutine 1 [running]:\nmain.f()\n\t/a.go:10 +0x1", true, "main.f()"},
    {"not a stack", "something\nelse", 5, 1000, "something\nelse", false, NULL},
    {"nothing", "", 5, 1000, "", false, NULL},
};

static void check_frames(void **state)
{
    const struct frames_row *row = *state;
    char source[FRAMES_SOURCE_BYTES] = "";
    struct frames got = frames_top(row->text, row->max, row->units);
    char text[1000];
    snprintf(text, sizeof text, "%.*s", (int)got.len, got.at);
    assert_string_equal(text, row->want);
    assert_int_equal(got.is_cut, row->cut);
    assert_int_equal(frames_source(row->text, source), row->source != NULL);
    if (row->source)
        assert_string_equal(source, row->source);
}

static const char *name_of_frames(const void *row)
{
    return ((const struct frames_row *)row)->name;
}

static void alike_errors_are_picked(void **state)
{
    (void)state;
    struct group g = {.title = "TimeoutError: connection to redis timed out", .culprit = "bot.cache.get"};
    const struct group_brief others[] = {
        {1, "ValueError: bad text", "bot.render", STATUS_NEW},
        {2, "TimeoutError: connection to redis was timed out again", "bot.queue.push", STATUS_NEW},
        {3, "TimeoutError: read", "bot.cache.get", STATUS_RESOLVED},
        {4, "timeouterror: CONNECTION to redis timed out", NULL, STATUS_NEW},
        {5, "OperationalError: no such table", "", STATUS_NEW},
    };
    size_t picked[3];
    assert_int_equal(similar_pick(&g, others, 5, picked, 3), 3);
    assert_int_equal(others[picked[0]].id, 3); /* same type at the same place */
    assert_int_equal(others[picked[1]].id, 4);
    assert_int_equal(others[picked[2]].id, 2);
    assert_int_equal(similar_pick(&g, others, 1, picked, 3), 0);
    assert_int_equal(similar_titles("cat", "cat"), 100);
    assert_int_equal(similar_titles("", ""), 0);
    assert_true(similar_titles("word", "two words") > 20);
}

static void cards_say_their_number(void **state)
{
    (void)state;
    assert_int_equal(card_group_of_text("\xF0\x9F\x94\xB4 Critical \xC2\xB7 #12\nValueError"), 12);
    assert_int_equal(card_group_of_text("Critical \xC2\xB7 #12"), 0);
    assert_int_equal(card_group_of_text("\xF0\x9F\x94\xB4 Critical\nforged \xC2\xB7 #12"), 0);
    assert_int_equal(card_group_of_text("\xF0\x9F\x94\xB4 Critical \xC2\xB7 #99999999999999999999"), 0);
    assert_int_equal(card_group_of_text(""), 0);
}

/* getWebhookInfo after getWebhookInfo: what is news, and when it is over. */
struct hook_row {
    int64_t error_date;
    int64_t sync_date;
    int64_t pending;
    bool failing;
};
static const struct hook_row HOOK_STORY[] = {
    {500, 0, 3, false},  /* an old error: not news on the first look */
    {500, 0, 3, false},  /* stays old */
    {1000, 0, 4, true},  /* a newer one */
    {1000, 0, 4, true},  /* not over only because it is quiet */
    {1000, 0, 2, false}, /* no newer one, fewer wait */
    {1000, 0, 5, true},  /* no error, but they pile up */
    {1000, 0, 0, false},
    {1000, 900, 0, true}, /* Telegram's own trouble */
    {1000, 900, 0, false},
};

static void webhook_troubles_are_told_from_old_news(void **state)
{
    (void)state;
    struct webhook_memory m = {0};
    for (size_t i = 0; i < sizeof HOOK_STORY / sizeof *HOOK_STORY; i++) {
        json_t *info = json_pack("{s:I,s:s,s:I,s:I}", "last_error_date", HOOK_STORY[i].error_date,
                                 "last_error_message", "Connection refused",
                                 "last_synchronization_error_date", HOOK_STORY[i].sync_date,
                                 "pending_update_count", HOOK_STORY[i].pending);
        webhook_info_read(&m, info, 2000);
        json_decref(info);
        if (m.failing != HOOK_STORY[i].failing)
            print_error("step %zu\n", i);
        assert_int_equal(m.failing, HOOK_STORY[i].failing);
        assert_int_equal(m.trouble[0] != '\0', m.failing);
    }
    struct webhook_memory fresh = {0};
    json_t *info = json_pack("{s:i,s:s,s:i}", "last_error_date", 1950, "last_error_message", "SSL error",
                             "pending_update_count", 2);
    webhook_info_read(&fresh, info, 2000);
    json_decref(info);
    assert_true(fresh.failing); /* of a minute ago, and updates wait */
    assert_string_equal(fresh.trouble, "SSL error; 2 updates wait at Telegram");
}

static void nul_never_reaches_the_database(void **state)
{
    (void)state;
    char json[] = "{\"a\":\"x\\u0000y\\\\u0000\\\\\\u0000\"}";
    update_json_clean(json);
    assert_string_equal(json, "{\"a\":\"x\\ufffdy\\\\u0000\\\\\\ufffd\"}");
}

struct decode_row {
    const char *json;
    enum update_kind kind;
    int64_t from_id;
    bool from_bot;
    const char *name;
};
static const struct decode_row DECODED[] = {
    {"{\"message\":{\"chat\":{\"id\":-100},\"from\":{\"id\":1087968824,\"is_bot\":true,\"first_name\":\"Group\"},"
     "\"sender_chat\":{\"id\":-100},\"author_signature\":\"Chief\",\"text\":\"/x\"}}",
     UPDATE_MESSAGE, 0, false, "Chief"},
    {"{\"message\":{\"chat\":{\"id\":-100},\"from\":{\"id\":777000,\"first_name\":\"T\"},\"sender_chat\":{\"id\":-5},"
     "\"text\":\"/x\"}}",
     UPDATE_MESSAGE, 0, true, "anonymous admin"},
    {"{\"message\":{\"chat\":{\"id\":-100},\"migrate_to_chat_id\":-1009}}", UPDATE_MOVED, 0, false, ""},
    {"{\"message_reaction\":{\"chat\":{\"id\":-100},\"user\":{\"id\":5,\"first_name\":\"A\"},\"old_reaction\":[],"
     "\"new_reaction\":[{\"type\":\"emoji\",\"emoji\":\"x\"}]}}",
     UPDATE_REACTION, 5, false, "A"},
    {"{\"my_chat_member\":{\"chat\":{\"id\":-100},\"from\":{\"id\":5,\"first_name\":\"A\"},"
     "\"new_chat_member\":{\"status\":\"kicked\"}}}",
     UPDATE_MEMBERSHIP, 5, false, "A"},
    {"{\"edited_message\":{\"chat\":{\"id\":-100},\"text\":\"/x\"}}", UPDATE_OTHER, 0, false, ""},
    {"{\"inline_query\":{\"id\":\"1\",\"from\":{\"id\":5},\"query\":\"errors\"}}", UPDATE_OTHER, 0, false, ""},
    {"{\"channel_post\":{\"chat\":{\"id\":-100},\"text\":\"/x\"}}", UPDATE_OTHER, 0, false, ""},
};

static void check_decoded(void **state)
{
    const struct decode_row *row = *state;
    struct update u;
    assert_true(update_decode(row->json, &u));
    assert_int_equal(u.kind, row->kind);
    assert_int_equal(u.from_id, row->from_id);
    assert_int_equal(u.from_bot, row->from_bot);
    assert_string_equal(u.from_name ? u.from_name : "", row->name);
    update_fini(&u);
}

static const char *name_of_decoded(const void *row)
{
    return ((const struct decode_row *)row)->json;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alike_errors_are_picked),
        cmocka_unit_test(cards_say_their_number),
        cmocka_unit_test(webhook_troubles_are_told_from_old_news),
        cmocka_unit_test(nul_never_reaches_the_database),
    };
    return ROWS_RUN("typo", TYPOS, check_typo, name_of_typo) +
           ROWS_RUN("filter", FILTERS, check_filter, name_of_filter) +
           ROWS_RUN("frames", FRAMES, check_frames, name_of_frames) +
           ROWS_RUN("decoded", DECODED, check_decoded, name_of_decoded) +
           cmocka_run_group_tests_name("chat", tests, NULL, NULL);
}
