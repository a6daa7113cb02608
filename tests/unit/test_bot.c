/* test_bot.c -- pure parts of the bot: commands, updates, Bot API answers, message parameters. */
#include "tests/unit/rows.h"

#include "alerts/chat.h"
#include "bot/command.h"
#include "bot/texts.h"
#include "bot/tools.h"
#include "core/log.h"

struct command_row {
    const char *text;
    const char *command; /* NULL: none of ours */
    const char *args;
};
static const struct command_row COMMAND_ROWS[] = {
    {"/errors", "errors", ""},
    {"/resolve 12 fixed it", "resolve", "12 fixed it"},
    {"/Resolve@NabatBot 12", "resolve", "12"},
    {"/resolve@nabatbot\n12", "resolve", "12"},
    {"/resolve@OtherBot 12", NULL, ""},
    {"/nothing", NULL, ""},
    {"errors", NULL, ""},
    {"/", NULL, ""},
    {"", NULL, ""},
};

static void check_command(void **state)
{
    const struct command_row *row = *state;
    char name[40];
    const char *args = "";
    const struct command *c = command_parse(row->text, "NabatBot", name, sizeof name, &args);
    if (!row->command) {
        assert_null(c);
        return;
    }
    assert_non_null(c);
    assert_string_equal(c->name, row->command);
    assert_string_equal(args, row->args);
}

static const char *name_of_command(const void *row)
{
    return ((const struct command_row *)row)->text;
}

struct mute_row {
    const char *text;
    int64_t seconds;
    int64_t count;
    bool ok;
};
static const struct mute_row MUTES[] = {
    {"1h", 3600, 0, true},  {"30m", 1800, 0, true}, {"2d", 172800, 0, true}, {"1W", 604800, 0, true},
    {"100x", 0, 100, true}, {"1", 0, 0, false},     {"h", 0, 0, false},      {"0h", 0, 0, false},
    {"-1h", 0, 0, false},   {"1hh", 0, 0, false},   {"9999999d", 0, 0, false}, {"", 0, 0, false},
};

static void check_mute(void **state)
{
    const struct mute_row *row = *state;
    int64_t seconds = 0;
    int64_t count = 0;
    assert_int_equal(command_parse_mute(row->text, &seconds, &count), row->ok);
    assert_int_equal(seconds, row->ok ? row->seconds : 0);
    assert_int_equal(count, row->ok ? row->count : 0);
}

static const char *name_of_mute(const void *row)
{
    return ((const struct mute_row *)row)->text;
}

struct answer_row {
    int status;
    bool sent;
    const char *body;
    enum tg_outcome want;
};
#define REFUSED(text) "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: " text "\"}"
static const struct answer_row ANSWERS[] = {
    {200, true, "{\"ok\":true,\"result\":{\"message_id\":5}}", TG_OK},
    {0, false, "", TG_UNREACHABLE},
    {0, true, "", TG_UNCERTAIN},
    {200, true, "{\"ok\":tru", TG_UNCERTAIN},
    {502, true, "<html>", TG_UNREACHABLE},
    {500, true, "{\"ok\":false,\"error_code\":500,\"description\":\"Internal Server Error: restart\"}", TG_UNREACHABLE},
    {429, true, "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests: retry after 9\",\"parameters\":{\"retry_after\":9}}", TG_TOO_MANY},
    {401, true, "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}", TG_UNAUTHORIZED},
    {404, true, "{\"ok\":false,\"error_code\":404,\"description\":\"Not Found\"}", TG_UNAUTHORIZED},
    {409, true, "{\"ok\":false,\"error_code\":409,\"description\":\"Conflict: x\"}", TG_CONFLICT},
    {403, true, "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot was blocked by the user\"}", TG_CHAT_GONE},
    {400, true, REFUSED("chat not found"), TG_CHAT_GONE},
    {400, true, REFUSED("not enough rights to send text messages to the chat"), TG_CHAT_GONE},
    {400, true, REFUSED("can't parse entities: Unclosed start tag at byte offset 3"), TG_BAD_MARKUP},
    {400, true, REFUSED("BUTTON_DATA_INVALID"), TG_BAD_KEYBOARD},
    {400, true, REFUSED("message is too long"), TG_TOO_LONG},
    {400, true, REFUSED("MESSAGE_TOO_LONG"), TG_TOO_LONG},
    {400, true, REFUSED("message thread not found"), TG_NO_THREAD},
    {400, true, REFUSED("TOPIC_CLOSED"), TG_NO_THREAD},
    {400, true, REFUSED("message to edit not found"), TG_NO_MESSAGE},
    {400, true, REFUSED("message is not modified: specified new message content"), TG_NOT_MODIFIED},
    {400, true, REFUSED("something new"), TG_REFUSED},
    {400, true, "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was upgraded to a supergroup chat\",\"parameters\":{\"migrate_to_chat_id\":-1007}}", TG_CHAT_MOVED},
};

static void check_answer(void **state)
{
    const struct answer_row *row = *state;
    struct http_answer http = {.status = row->status, .sent = row->sent, .error = "timeout",
                               .body = row->body, .body_len = strlen(row->body)};
    struct tg_answer answer;
    json_t *owner = NULL;
    telegram_decode(&http, &answer, &owner);
    assert_int_equal(answer.outcome, row->want);
    if (row->want == TG_TOO_MANY)
        assert_int_equal(answer.retry_after_s, 9);
    if (row->want == TG_CHAT_MOVED)
        assert_int_equal(answer.migrate_to, -1007);
    json_decref(owner);
}

static const char *name_of_answer(const void *row)
{
    return ((const struct answer_row *)row)->body;
}

static void updates_are_decoded(void **state)
{
    (void)state;
    struct update u;
    assert_true(update_decode("{\"update_id\":9,\"message\":{\"message_id\":3,\"message_thread_id\":8,"
                              "\"chat\":{\"id\":-100,\"type\":\"supergroup\"},\"from\":{\"id\":5,"
                              "\"first_name\":\"Ann\",\"language_code\":\"ru-RU\"},\"text\":\"/x\","
                              "\"reply_to_message\":{\"message_id\":2}}}", &u));
    assert_int_equal(u.kind, UPDATE_MESSAGE);
    assert_int_equal(u.chat_id, -100);
    assert_int_equal(u.thread_id, 0); /* a reply in a plain supergroup is no topic */
    assert_int_equal(u.reply_to, 2);
    assert_string_equal(u.from_name, "Ann");
    update_fini(&u);
    assert_true(update_decode("{\"update_id\":10,\"callback_query\":{\"id\":\"q\",\"data\":\"a:1\","
                              "\"from\":{\"id\":5,\"username\":\"ann\"},\"message\":{\"message_id\":3,"
                              "\"date\":0,\"chat\":{\"id\":5,\"type\":\"private\"}}}}", &u));
    assert_int_equal(u.kind, UPDATE_PRESS);
    assert_true(u.is_private);
    assert_string_equal(u.from_name, "@ann");
    update_fini(&u);
    assert_true(update_decode("{\"update_id\":11,\"poll\":{}}", &u));
    assert_int_equal(u.kind, UPDATE_OTHER);
    assert_true(update_decode("{\"message\":{\"from\":7,\"chat\":[]}}", &u));
    update_fini(&u);
    assert_false(update_decode("[1]", &u));
    assert_false(update_decode("{", &u));
}

static void messages_are_put_together(void **state)
{
    (void)state;
    struct chat_keyboard keyboard = {0};
    chat_add_button(&keyboard, "A", "a:1", false);
    chat_add_button(&keyboard, "B", "b:1", true);
    chat_add_link(&keyboard, "C", "https://x", false);
    struct chat_message m = {.chat_id = -5, .thread_id = 1, .html = "<b>x</b> &lt;", .keyboard = &keyboard};
    json_t *p = chat_telegram_params(&m, false, true);
    assert_null(json_object_get(p, "message_thread_id")); /* General has no id to name */
    json_t *rows = json_object_get(json_object_get(p, "reply_markup"), "inline_keyboard");
    assert_int_equal(json_array_size(rows), 2);
    assert_int_equal(json_array_size(json_array_get(rows, 0)), 2);
    json_decref(p);
    m.thread_id = 7;
    p = chat_telegram_params(&m, true, false);
    assert_string_equal(json_string_value(json_object_get(p, "text")), "x <");
    assert_null(json_object_get(p, "parse_mode"));
    assert_int_equal(json_integer_value(json_object_get(p, "message_thread_id")), 7);
    json_decref(p);
}

static void every_text_has_both_languages(void **state)
{
    (void)state;
    for (int t = 0; t < TEXTS; t++)
        for (int l = 0; l < LANGUAGES; l++)
            assert_non_null(bot_text((enum language)l, (enum text)t));
    for (int w = 0; w < WORDS; w++)
        for (int l = 0; l < LANGUAGES; l++)
            assert_non_null(word((enum language)l, (enum word)w));
    for (int l = 0; l < LANGUAGES; l++) {
        json_t *menu = command_menu((enum language)l, ROLE_OWNER);
        assert_int_equal(json_array_size(json_object_get(menu, "commands")), COMMANDS_COUNT);
        json_decref(menu);
        menu = command_menu((enum language)l, ROLE_TRIAGE);
        assert_int_equal(json_array_size(json_object_get(menu, "commands")), COMMANDS_COUNT - 3);
        json_decref(menu);
    }
}

static void dsn_and_secrets(void **state)
{
    (void)state;
    char dsn[100];
    char line[] = "url https://x/bot777:TOPSECRET/getMe and TOPSECRET";
    tool_format_dsn("https://h:8/p", "key", 1, dsn, sizeof dsn);
    assert_string_equal(dsn, "https://key@h:8/p/1");
    log_add_secret("TOPSECRET");
    log_hide_secrets(line);
    assert_string_equal(line, "url https://x/bot777:******/getMe and ******");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_decoded),
        cmocka_unit_test(messages_are_put_together),
        cmocka_unit_test(every_text_has_both_languages),
        cmocka_unit_test(dsn_and_secrets),
    };
    return ROWS_RUN("command", COMMAND_ROWS, check_command, name_of_command) +
           ROWS_RUN("mute", MUTES, check_mute, name_of_mute) +
           ROWS_RUN("answer", ANSWERS, check_answer, name_of_answer) +
           cmocka_run_group_tests_name("bot", tests, NULL, NULL);
}
