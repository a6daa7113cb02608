/* test_hostile.c -- everything the bot can say, filled with the worst that can stand in a variable, is a
 * message that Telegram takes: no exceptions. */
#include "tests/unit/rows.h"
#include "tests/unit/tg_html.h"

#include "alerts/card.h"
#include "alerts/html.h"
#include "alerts/note.h"
#include "bot/command.h"

#include <ctype.h>

/* `repeat` times each; NUL is what a C string ends at, so it stands in the middle of counted text below. */
static const struct hostile {
    const char *name;
    const char *text;
    size_t repeat;
} HOSTILES[] = {
    {"empty", "", 1},
    {"less than", "<", 5000},
    {"end of a quote", "</blockquote></b></code>", 400},
    {"end of pre", "</pre>", 1},
    {"ampersands", "&", 5000},
    {"entities", "&lt;&amp;&#x202E;&nbsp;", 300},
    {"quotes", "\"'", 2000},
    {"places of templates", "{0}{1}{2}%s%n", 300},
    {"emoji", "\xF0\x9F\x98\x80", 4096},
    {"family of joined emoji", "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9", 1500},
    {"right to left override", "abc\xE2\x80\xAE\xD7\xA9\xE2\x81\xA6 cba", 500},
    {"broken UTF-8", "a\xFF\xC0\xAF\xED\xA0\x80\xF4\x90\x80\x80z", 400},
    {"cut UTF-8", "text\xF0\x9F\x98", 1},
    {"control characters", "\x01\x02\x1B[31m\x7F\r", 500},
    {"one long word", "x", 100000},
    {"lines", "\n", 9000},
    {"tabs and lines of tags", "k\tv\n<\t&\n", 200},
    {"traceback", "  File \"<&>\", line 1, in <module>\n    \"x\" & y\n", 900},
    {"go", "main.f(<&>)\n\t/a.go:10 +0x1\n", 900},
    {"cyrillic", "\xD0\xBE\xD1\x88\xD0\xB8\xD0\xB1\xD0\xBA\xD0\xB0 ", 3000},
    {"script", "<script>alert(\"&\")</script>", 100},
};

static char *repeat(const struct hostile *h)
{
    size_t len = strlen(h->text);
    char *out = malloc(len * h->repeat + 1);
    for (size_t i = 0; i < h->repeat; i++)
        memcpy(out + i * len, h->text, len);
    out[len * h->repeat] = '\0';
    return out;
}

static bool is_press_text(enum text which)
{
    /* words on presses and buttons are plain text: Telegram takes 200 and 64 of them */
    return which == TEXT_BUTTON_SETUP || (which >= TEXT_BUTTON_AUTO && which <= TEXT_BUTTON_REACTIONS_OFF);
}

static void check_texts(void **state)
{
    char *text = repeat(*state);
    const char *values[TEXT_PLACES_MAX] = {text, text, text, text};
    for (int t = 0; t < TEXTS; t++)
        for (int l = 0; l < LANGUAGES; l++) {
            struct buf html;
            buf_init(&html, TG_TEXT_BYTES_MAX);
            bot_text_fill((enum language)l, (enum text)t, values, TEXT_PLACES_MAX, &html);
            assert_false(html.full);
            assert_tg_html(html.data);
            if (is_press_text((enum text)t))
                assert_in_range(html.len, 1, CHAT_BUTTON_TEXT_BYTES - 1);
            buf_fini(&html);
        }
    free(text);
}

static struct group group_of(const char *text, enum group_status status)
{
    const char *title = *text ? text : "t";
    return (struct group){
        .id = INT64_MAX, .project = text, .title = title, .culprit = text, .origin = text,
        .handler = text, .severity = SEV_CRITICAL, .status = status, .occurrences = INT64_MAX,
        .users_affected = INT64_MAX, .first_seen_ms = 1, .last_seen_ms = 4102444800000,
        .assigned_to = text, .note = text, .noted_by = text, .muted = true, .muted_by = text,
        .muted_until_ms = status == STATUS_NEW ? 4102444800000 : 0,
        .muted_until_count = status == STATUS_IN_PROGRESS ? INT64_MAX : 0, .changed_by = text,
        .changed_ms = 5, .undo_until_ms = 1, .merged = "1,2,3,4,5,6,7,8,9,10,11,12",
        .event_handler = text, .environment = text, .release = text, .server_name = text,
        .user_id = text, .gen_request_id = text, .has_chat_id = true, .chat_id = INT64_MIN,
        .exception_type = text, .tags = text, .stack_part = text, .stack_is_cut = true};
}

static void check_keyboard(const struct chat_keyboard *keyboard)
{
    assert_true(keyboard->count <= CHAT_BUTTONS_MAX);
    for (size_t i = 0; i < keyboard->count; i++) {
        const struct chat_button *b = &keyboard->buttons[i];
        assert_in_range(strlen(b->text), 1, CHAT_BUTTON_TEXT_BYTES - 1);
        assert_true(utf8_is_clean(b->text, strlen(b->text)));
        assert_true((b->data[0] != '\0') != (b->url[0] != '\0'));
        assert_true(strlen(b->data) <= 64);
        for (const char *at = b->url; *at; at++)
            assert_true(*at > 0x20 && (unsigned char)*at < 0x7f);
    }
}

static void check_card(const char *text, enum group_status status, const struct look *look, bool retired)
{
    struct group g = group_of(text, status);
    struct card card = {.group = &g, .look = look, .held = INT64_MAX, .regression = true,
                        .possible_repeat = true, .retired = retired,
                        .links = {"https://x/{group}", "https://x/{gen_request_id}", "https://x/{user_id}"}};
    struct buf html;
    struct chat_keyboard keyboard;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    card_render(&card, &html, &keyboard);
    assert_false(html.full);
    assert_tg_html(html.data);
    check_keyboard(&keyboard);
    assert_true(retired ? keyboard.count == 0 : keyboard.count >= 5);
    buf_clear(&html);
    for (int i = 0; i < LIST_ROWS_MAX; i++)
        card_render_line(&g, look, &html);
    assert_false(html.full);
    assert_tg_html(html.data);
    card_mute_buttons(g.id, look->language, &keyboard);
    check_keyboard(&keyboard);
    buf_fini(&html);
}

static void check_cards(void **state)
{
    char *text = repeat(*state);
    for (int l = 0; l < LANGUAGES; l++)
        for (int status = 0; status < STATUSES; status++)
            for (int quiet = 0; quiet < 2; quiet++) {
                struct look look = {.language = (enum language)l, .zone = "Asia/Kathmandu",
                                    .is_quiet = quiet == 1, .now_ms = 1795266000000};
                check_card(text, (enum group_status)status, &look, status == STATUS_RESOLVED && quiet);
            }
    free(text);
}

static void check_notes(void **state)
{
    char *text = repeat(*state);
    static const char *const REASONS[] = {"feedback", "recovered"};
    for (int l = 0; l < LANGUAGES; l++)
        for (size_t r = 0; r < 2; r++) {
            struct outbox_row row = {.note = text, .note_author = text, .reason = REASONS[r],
                                     .group = group_of(text, STATUS_NEW)};
            struct buf html;
            buf_init(&html, TG_TEXT_BYTES_MAX);
            note_render(&row, (enum language)l, &html);
            assert_false(html.full);
            assert_tg_html(html.data);
            buf_fini(&html);
        }
    free(text);
}

static const char *name_of_hostile(const void *row)
{
    return ((const struct hostile *)row)->name;
}

/* The two languages of a text have the same places, and a translation is a translation. */
static void languages_agree(void **state)
{
    (void)state;
    for (int t = 0; t < TEXTS; t++)
        for (char place = '0'; place < '0' + TEXT_PLACES_MAX; place++) {
            char mark[] = {'{', place, '}', '\0'};
            assert_int_equal(strstr(bot_text(LANG_EN, (enum text)t), mark) != NULL,
                             strstr(bot_text(LANG_RU, (enum text)t), mark) != NULL);
        }
}

/* Words on presses: at most 200 characters (Bot API: answerCallbackQuery), and no HTML in them. */
static void words_on_presses_are_short_and_plain(void **state)
{
    (void)state;
    static const enum text SAID[] = {
        TEXT_TAKEN, TEXT_RESOLVED, TEXT_REOPENED, TEXT_MUTED, TEXT_UNMUTED, TEXT_ASSIGNED, TEXT_NOTED,
        TEXT_UNDONE, TEXT_NOTHING_TO_UNDO, TEXT_WHOM, TEXT_DATABASE_AWAY, TEXT_DATABASE_SLOW,
        TEXT_NOT_A_CARD, TEXT_NO_SUCH_BUTTON, TEXT_STACK_COMES, TEXT_NO_EVENT, TEXT_PAGE_GONE,
        TEXT_ONLY_TRIAGE, TEXT_ONLY_OWNERS, TEXT_SETUP_DONE, TEXT_SETUP_ONLY_OWNER, TEXT_SETTINGS_SAVED};
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++)
        for (int l = 0; l < LANGUAGES; l++) {
            const char *text = bot_text((enum language)l, SAID[i]);
            assert_true(utf8_utf16_units(text, strlen(text)) <= TG_ANSWER_UNITS_MAX);
            assert_null(strpbrk(text, "<>&{}"));
        }
}

/* The menus that Telegram shows: 1 to 256 characters, plain. */
static void menus_are_taken(void **state)
{
    (void)state;
    for (int l = 0; l < LANGUAGES; l++)
        for (size_t i = 0; i < COMMANDS_COUNT; i++) {
            const char *text = bot_text((enum language)l, COMMANDS[i].help);
            assert_in_range(utf8_utf16_units(text, strlen(text)), 1, 256);
            assert_null(strpbrk(text, "<>{}"));
            for (const char *at = COMMANDS[i].name; *at; at++)
                assert_true(islower((unsigned char)*at) || *at == '_');
        }
}

static void the_checker_checks(void **state)
{
    (void)state;
    size_t units = 0;
    static const char *const BAD[] = {"", "  \n", "a < b", "<b>x", "<b>x</i>", "</b>", "<x>y</x>", "a & b",
                                      "&nbsp;", "<code><b>x</b></code>", "a\x01z", "\xFF",
                                      "<blockquote>a<blockquote>b</blockquote></blockquote>", "<b x>y</b>",
                                      "\xE2\x80\xAE"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_true(*tg_html_fault(BAD[i], &units));
    assert_string_equal(tg_html_fault("<a href=\"tg://user?id=5\">5</a> <b>&lt;</b>", &units), "");
    assert_int_equal(units, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_checks),
        cmocka_unit_test(languages_agree),
        cmocka_unit_test(words_on_presses_are_short_and_plain),
        cmocka_unit_test(menus_are_taken),
    };
    return ROWS_RUN("texts", HOSTILES, check_texts, name_of_hostile) +
           ROWS_RUN("cards", HOSTILES, check_cards, name_of_hostile) +
           ROWS_RUN("notes", HOSTILES, check_notes, name_of_hostile) +
           cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
