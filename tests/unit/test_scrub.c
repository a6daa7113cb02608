/* test_scrub.c -- keys that name secrets, and texts that hold them; many rows after Relay's own tests. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "tests/unit/rows.h"

#include "core/arena.h"
#include "ingest/json_reader.h"
#include "ingest/pattern.h"
#include "ingest/scrub.h"
#include "ingest/scrub_rules.h"

static struct scrub *scrub;

struct key_row {
    const char *key;
    bool secret;
};
static const struct key_row KEYS[] = {
    {"password", true}, {"user_Password_2", true}, {"api-key", true}, {"API_KEY", true}, {"apiKey", true},
    {"Authorization", true}, {"token", true}, {"access_token", true}, {"bot.token", true},
    {"cookie", true}, {"initData", true}, {"client_secret", true}, {"otp", true}, {"two-factor", true},
    {"two_factor", true}, {"the_secret", true}, {"a_password_here", true}, {"mysql_pwd", true},
    {"private-key", true}, {"privateKey", true}, {"credentials", true}, {"X-Telegram-Bot-Api-Secret-Token", true},
    {"phone_number", true}, {"vcard", true}, {"provider_payment_charge_id", true}, {"order_info", true},
    {"initDataUnsafe", true}, {"webAppInitData", true}, {"csrf_token", true}, {"sessionid", true}, {"_csrf", true},
    {"author", true}, {"card_number", true},
    {"compass", false}, {"message", false}, {"option", false}, {"passenger", false}, {"key", false},
    {"session_id", false}, {"chat_id", false}, {"optic", false}, {"telephone_bill", false}, {"cookie_banner_shown", false},
};

static void check_key(void **state)
{
    const struct key_row *row = *state;
    assert_int_equal(scrub_key_is_secret(scrub, row->key, strlen(row->key)), row->secret);
}

static const char *name_of_key(const void *row)
{
    return ((const struct key_row *)row)->key;
}

struct text_row {
    enum scrub_reach reach;
    const char *in;
    const char *out; /* NULL: stays as it is */
};
#define P5 "\xd0\x9f\xd0\x9f\xd0\x9f\xd0\x9f\xd0\x9f"
#define P20 P5 P5 P5 P5
#define BOT "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
static const struct text_row TEXTS[] = {
    {SCRUB_NAMES, "https://api.telegram.org/bot" BOT "/getMe", "https://api.telegram.org/bot110201543:[Filtered]/getMe"},
    {SCRUB_NAMES, "bot110201543%3AAAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "bot110201543%3A[Filtered]"},
    {SCRUB_TEXT, "Unauthorized: " BOT, "Unauthorized: 110201543:[Filtered]"},
    {SCRUB_TEXT, "Authorization: Bearer abcdef1234567890\nnext", "Authorization: Bearer [Filtered]\nnext"},
    {SCRUB_TEXT, "bearer of bad news", NULL},
    {SCRUB_TEXT, "12:30:45 and 127.0.0.1:8080", NULL},
    {SCRUB_TEXT, "order 123456789:short", NULL},
    {SCRUB_TEXT, "Unexpected token: punc (})", NULL},
    {SCRUB_TEXT, "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", NULL},
    {SCRUB_TEXT, "invalid password for user ann", NULL},
    {SCRUB_TEXT, "login failed: password=hunter2&x=1", "login failed: password=[Filtered]&x=1"},
    {SCRUB_TEXT, "{\"password\": \"hunter2\", \"a\": 1}", "{\"password\": \"[Filtered]\", \"a\": 1}"},
    {SCRUB_TEXT, "GET /x?token=abc123", "GET /x?token=[Filtered]"},
    {SCRUB_TEXT, "card 4571 2345 6789 0111 declined", "card [Filtered] declined"},
    {SCRUB_TEXT, "card 4571-2345-6789-0111", "card [Filtered]"},
    {SCRUB_TEXT, "amex 371449635398431", "amex [Filtered]"},
    {SCRUB_TEXT, "John Appleseed 2222-22-2222", NULL},
    {SCRUB_TEXT, "SSN 123-45-6789 leaked", "SSN [Filtered] leaked"},
    {SCRUB_TEXT, "some iban: DE89370400440532013000!", "some iban: [Filtered]!"},
    {SCRUB_NAMES, "postgres://bot:hunter2@db.local:5432/x", "postgres://bot:[Filtered]@db.local:5432/x"},
    {SCRUB_NAMES, "redis://:s3cr3t@cache/0", "redis://:[Filtered]@cache/0"},
    {SCRUB_NAMES, "https://user@host/x", NULL},
    {SCRUB_TEXT, "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\ndef\n-----END RSA PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\n[Filtered]-----END RSA PRIVATE KEY-----"},
    {SCRUB_TEXT, "-----BEGIN PRIVATE KEY-----\nMIIabc cut off", "-----BEGIN PRIVATE KEY-----\n[Filtered]"},
    {SCRUB_TEXT, "mail ann@example.org now", "mail [Filtered] now"},
    {SCRUB_ALL, "mail ann@example.org now", NULL},
    {SCRUB_TEXT, "https://app.example/#tgWebAppData=query_id%3DAA%26hash%3Dff&tgWebAppVersion=7.0", "https://app.example/#tgWebAppData=[Filtered]&tgWebAppVersion=7.0"},
    {SCRUB_NAMES, "bad initData query_id=AAF&user=%7B%22id%22%3A1%7D&auth_date=1700000000&hash=c0ffee", "bad initData [Filtered]"},
    {SCRUB_NAMES, "https://x.example/?user=1&chat=2&page=3", NULL},
    {SCRUB_NAMES, "https://x.example/?user=1&chat=2&start_param=3", NULL},
    {SCRUB_TEXT, "Contact(phone_number='+79991234567', first_name='A')", "Contact(phone_number='[Filtered]', first_name='A')"},
    {SCRUB_TEXT, "SuccessfulPayment(telegram_payment_charge_id='abc_1', x=1)", "SuccessfulPayment(telegram_payment_charge_id='[Filtered]', x=1)"},
    {SCRUB_ALL, "C:\\Users\\ann\\bot.py", "C:\\Users\\[Filtered]\\bot.py"},
    {SCRUB_ALL, "/home/ann/bot.py", "/home/[Filtered]/bot.py"},
    {SCRUB_TEXT, "/home/ann/bot.py", NULL},
    {SCRUB_TEXT, "Authorization: Basic dXNlcjpwdw==", "Authorization: Basic [Filtered]"},
    {SCRUB_TEXT, "{'Authorization': 'tma query', 'Host': 'x'}", "{'Authorization': 'tma [Filtered]', 'Host': 'x'}"},
    {SCRUB_TEXT, "login(password=b'hunter2')", "login(password=b'[Filtered]')"},
    {SCRUB_TEXT, "password='correct horse', n=1", "password='[Filtered]', n=1"},
    {SCRUB_TEXT, "body: {\\\"password\\\":\\\"hunter2\\\",\\\"a\\\":1}", "body: {\\\"password\\\":\\\"[Filtered]\\\",\\\"a\\\":1}"},
    {SCRUB_TEXT, "os.environ[\"DB_PASSWORD\"] = \"x y\"", "os.environ[\"DB_PASSWORD\"] = \"[Filtered]\""},
    {SCRUB_TEXT, "password: str = \"x\"", "password: str = \"[Filtered]\""},
    {SCRUB_TEXT, "Cookie: sessionid=abc; csrftoken=d\nHost: x", "Cookie: [Filtered]\nHost: x"},
    {SCRUB_TEXT, "the cookie: it is gone", NULL},
    {SCRUB_TEXT, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\nMIIE\n-----END RSA PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\n[Filtered]-----END RSA PRIVATE KEY-----"},
    {SCRUB_NAMES, "initData=user=%7B%7D&chat_type=private&auth_date=1&hash=ff ok", "initData=[Filtered] ok"},
    /* a bound in bytes never leaves half a code point behind */
    {SCRUB_ALL, "/home/a" P20 P20 P20, "/home/[Filtered]" P20 "\xd0\x9f\xd0\x9f\xd0\x9f\xd0\x9f\xd0\x9f\xd0\x9f\xd0\x9f\xd0\x9f"},
    {SCRUB_ALL, "the password is wrong", "[Filtered]"},
    {SCRUB_ALL, "?foo=bar&api_key=x", "[Filtered]"},
    {SCRUB_ALL, "plain words", NULL},
    /* what went first stood between the name and its sign */
    {SCRUB_ALL, "token\"4111 1111 1111 1111\"=hunter2", "[Filtered]"},
    {SCRUB_ALL, "token/home/ann lee/k=hunter2", "[Filtered]"},
    {SCRUB_ALL, "", NULL},
};

static void check_text(void **state)
{
    const struct text_row *row = *state;
    struct arena *arena = arena_new(1 << 20);
    struct json_value v = {.kind = JSON_STRING_V, .text = row->in, .len = strlen(row->in)};
    int n = scrub_value(scrub, row->reach, &v, arena);
    char *got = arena_str_dup_n(arena, v.text, v.len);
    assert_string_equal(got, row->out ? row->out : row->in);
    assert_int_equal(n > 0, row->out != NULL);
    arena_free(arena);
}

static const char *name_of_text(const void *row)
{
    return ((const struct text_row *)row)->in;
}

struct tree_row {
    const char *in;
    const char *out;
};
static const struct tree_row TREES[] = {
    {"{\"password\":1,\"a\":{\"api_key\":[1,2]}}", "{\"password\":\"[Filtered]\",\"a\":{\"api_key\":\"[Filtered]\"}}"},
    {"{\"password\":null}", "{\"password\":null}"},
    {"[[\"X-Api-Key\",\"k\"],[\"a\",\"b\"]]", "[[\"X-Api-Key\",\"[Filtered]\"],[\"a\",\"b\"]]"},
    {"[{\"key\":\"token\",\"value\":\"k\"}]", "[{\"key\":\"token\",\"value\":\"[Filtered]\"}]"},
    {"{\"max_tokens\":400,\"tokens_used\":17,\"token\":5}", "{\"max_tokens\":400,\"tokens_used\":17,\"token\":\"[Filtered]\"}"},
    {"{\"n\":4571234567890111}", "{\"n\":\"[Filtered]\"}"},
    {"{\"headers\":{\"User-Agent\":\"auth-bot/1.0\",\"Cookie\":\"a=b\"}}", "{\"headers\":{\"User-Agent\":\"auth-bot/1.0\",\"Cookie\":\"[Filtered]\"}}"},
    {"{\"key\":\"auth\",\"value\":1,\"password\":\"hunter2\",\"t\":\"" BOT "\"}", "{\"key\":\"auth\",\"value\":\"[Filtered]\",\"password\":\"[Filtered]\",\"t\":\"110201543:[Filtered]\"}"},
    {"{\"" BOT "\":\"ok\"}", "{\"110201543:[Filtered]\":\"ok\"}"},
    {"{\"contact\":{\"phone_number\":\"+7999\",\"first_name\":\"A\"}}", "{\"contact\":{\"phone_number\":\"[Filtered]\",\"first_name\":\"A\"}}"},
};

static void check_tree(void **state)
{
    const struct tree_row *row = *state;
    struct arena *arena = arena_new(1 << 20);
    struct err err = {0};
    const char *at = row->in;
    struct json_value *v = json_read(at, &at, row->in + strlen(row->in), arena, &err);
    struct buf out;
    buf_init(&out, 4096);
    scrub_tree(scrub, SCRUB_ALL, v, arena);
    json_write(v, &out);
    assert_string_equal(buf_text(&out), row->out);
    buf_fini(&out);
    arena_free(arena);
}

static const char *name_of_tree(const void *row)
{
    return ((const struct tree_row *)row)->in;
}

static void settings_name_their_words(void **state)
{
    (void)state;
    struct err err = {0};
    assert_null(scrub_new(NULL, "creditcard,nonsense", &err));
    assert_non_null(strstr(err.text, "nonsense"));
    assert_non_null(strstr(err.text, "init_data"));
    struct scrub *own = scrub_new("passport_no, (weird[", "phone , password", &err);
    assert_non_null(own);
    assert_true(scrub_key_is_secret(own, "my_PASSPORT_NO", 14));
    assert_true(scrub_key_is_secret(own, "a(weird[b", 9));
    assert_false(scrub_key_is_secret(own, "phone_number", 12));
    assert_false(scrub_key_is_secret(own, "password", 8));
    assert_true(scrub_key_is_secret(own, "cookie", 6));
    scrub_free(own);
}

/* Texts made to be slow: a rule that went back and forth would take hours here. */
static void hostile_texts_end(void **state)
{
    (void)state;
    static const char *const UNITS[] = {"token", "-----BEGIN A PRIVATE KEY-----", "a@", "//a:", "user=&",
                                        "1 ", "4111-", "users/", "phone: 1", "a/profiles/", "Bearer "};
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    for (size_t u = 0; u < sizeof UNITS / sizeof *UNITS; u++) {
        struct arena *arena = arena_new(64 << 20);
        for (size_t i = 0; i < SIZE; i++)
            text[i] = UNITS[u][i % strlen(UNITS[u])];
        struct json_value v = {.kind = JSON_STRING_V, .text = text, .len = SIZE};
        scrub_value(scrub, SCRUB_TEXT, &v, arena);
        v = (struct json_value){.kind = JSON_STRING_V, .text = text, .len = SIZE};
        scrub_value(scrub, SCRUB_ALL, &v, arena);
        arena_free(arena);
    }
    free(text);
}

/* A rule is tried only where its traits are. Texts of the pieces that rules are made of: wherever a rule matches, its
 * traits must have been seen. */
static void traits_hide_no_match(void **state)
{
    (void)state;
    static const char *const PIECES[] = {
        "token", "secret", "password", "passwd", "pwd", "api_key", "access-key", "credentials", "auth", "authorization",
        "passphrase", "privatekey", "mysql_pwd", "otp", "two-factor", "cookie", "phone", "Bearer ", "hash=", "auth_date=",
        "query_id=", "user=", "&", "=", ":", " ", "  ", "\n", "\t", "\"", "'", "\\", "]", "/", "//", "@", "-", "-----BEGIN ",
        "PRIVATE KEY-----", "4111", "4111 1111 1111 1111", "5500-0000-0000-0004", "123-45-6789", "123456", "7654321:",
        "%3A", "AAExxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "DE", "89370400440532013000", "home", "users", "settings", "profiles",
        "a", "B", "7", "example.com", "charge_id", "invoice_payload", "provider_payment_charge_id", "tgWebAppData=", "str"};
    enum { TEXTS_MADE = 30000, PIECES_MAX = 9 };
    pcre2_match_data *match = pcre2_match_data_create(4, NULL);
    pcre2_code *codes[64];
    size_t matched = 0;
    uint32_t dice = 1;
    for (size_t i = 0; i < SCRUB_RULES_COUNT; i++)
        codes[i] = pattern_compile(SCRUB_RULES[i].pattern, 0);
    for (int n = 0; n < TEXTS_MADE; n++) {
        char text[512];
        size_t len = 0;
        for (int k = 0; k < PIECES_MAX; k++) {
            dice = dice * 1664525u + 1013904223u;
            const char *piece = PIECES[(dice >> 8) % (sizeof PIECES / sizeof *PIECES)];
            len += (size_t)snprintf(text + len, sizeof text - len, "%s", piece);
        }
        unsigned has = scrub_traits(text, len);
        for (size_t i = 0; i < SCRUB_RULES_COUNT; i++)
            if (pcre2_match(codes[i], (PCRE2_SPTR)text, len, 0, 0, match, NULL) > 0) {
                matched++;
                if ((has & SCRUB_RULES[i].needs) != SCRUB_RULES[i].needs)
                    fail_msg("rule %zu (%s) matches \"%s\" without its traits", i, SCRUB_RULES[i].class_name, text);
            }
    }
    assert_in_range(matched, 2000, SIZE_MAX); /* else the pieces say nothing */
    for (size_t i = 0; i < SCRUB_RULES_COUNT; i++)
        pcre2_code_free(codes[i]);
    pcre2_match_data_free(match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traits_hide_no_match),
        cmocka_unit_test(settings_name_their_words),
        cmocka_unit_test(hostile_texts_end),
    };
    struct err err = {0};
    scrub = scrub_new(NULL, NULL, &err);
    int failed = ROWS_RUN("secret key", KEYS, check_key, name_of_key) +
                 ROWS_RUN("scrub text", TEXTS, check_text, name_of_text) +
                 ROWS_RUN("scrub tree", TREES, check_tree, name_of_tree) +
                 cmocka_run_group_tests_name("scrub settings", tests, NULL, NULL);
    scrub_free(scrub);
    return failed;
}
