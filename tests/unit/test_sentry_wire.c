/* test_sentry_wire.c -- framing, paths, keys, bodies, rates, addresses: what comes before an
 * event is read, and beside it. Envelope vectors are those of Relay's own tests. */
#include "tests/unit/rows.h"

#include "api/client.h"
#include "api/rate.h"
#include "api/sentry_auth.h"
#include "api/sentry_path.h"
#include "ingest/body.h"
#include "ingest/envelope.h"
#include "ingest/multipart.h"
#include "ingest/sentry.h"

/* ---------------------------------------------------------------------------------------- envelopes */

#define ID "\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\""
#define HEAD "{" ID ",\"dsn\":\"https://e12d836b15bb49d7bbf99e64295d995b:@sentry.io/42\"}"

struct envelope_row {
    const char *name;
    const char *bytes;
    const char *want; /* "type:length …", or "bad" and what is wrong */
};
static const struct envelope_row ENVELOPES[] = {
    {"empty", HEAD, ""},
    {"empty newline", HEAD "\n", ""},
    {"request meta", "{" ID ",\"dsn\":\"https://e12d836b15bb49d7bbf99e64295d995b:@other.sentry.io/42\",\"client\":\"sentry/javascript\",\"version\":6,\"origin\":\"http://localhost/\",\"remote_addr\":\"127.0.0.1\"}", ""},
    {"empty item newline", HEAD "\n{\"type\":\"attachment\",\"length\":0}\n\n{\"type\":\"attachment\",\"length\":0}\n", "attachment:0 attachment:0 "},
    {"empty item eof", HEAD "\n{\"type\":\"attachment\",\"length\":0}\n\n{\"type\":\"attachment\",\"length\":0}", "attachment:0 attachment:0 "},
    {"implicit length", HEAD "\n{\"type\":\"attachment\"}\nhelloworld\n", "attachment:10 "},
    {"implicit length eof", HEAD "\n{\"type\":\"attachment\"}\nhelloworld", "attachment:10 "},
    {"implicit length empty eof", HEAD "\n{\"type\":\"attachment\"}", "attachment:0 "},
    {"multiple items", HEAD "\n{\"type\":\"attachment\",\"length\":10,\"content_type\":\"text/plain\",\"filename\":\"hello.txt\"}\n\xef\xbb\xbfHello\r\n\n{\"type\":\"event\",\"length\":41,\"content_type\":\"application/json\",\"filename\":\"application.log\"}\n{\"message\":\"hello world\",\"level\":\"error\"}\n", "attachment:10 event:41 "},
    {"unknown item", HEAD "\n{\"type\":\"invalid_unknown\"}\nhelloworld\n", "invalid_unknown:10 "},
    {"replay recording", HEAD "\n{\"type\":\"replay_recording\"}\nhelloworld\n", "replay_recording:10 "},
    {"replay video", HEAD "\n{\"type\":\"replay_video\"}\nhelloworld\n", "replay_video:10 "},
    {"view hierarchy", HEAD "\n{\"type\":\"attachment\",\"length\":44,\"content_type\":\"application/json\",\"attachment_type\":\"event.view_hierarchy\"}\n{\"rendering_system\":\"compose\",\"windows\":[]}\n", "attachment:44 "},
    {"no dsn", "{" ID "}", ""},
    {"sent_at", "{" ID ", \"sent_at\": \"1970-01-01T00:02:03Z\"}", ""},
    {"sent_at null", "{" ID ", \"sent_at\": null}", ""},
    {"no header members", "{}\n{\"type\":\"session\"}\n{}", "session:2 "},
    {"header with blanks before", " \n" HEAD "\n", ""},
    {"length null", HEAD "\n{\"type\":\"a\",\"length\":null}\nxy\n", "a:2 "},
    {"newlines within a length", HEAD "\n{\"type\":\"a\",\"length\":5}\na\nb\nc\n{\"type\":\"b\"}\n", "a:5 b:0 "},
    {"CR belongs to the payload", HEAD "\n{\"type\":\"a\"}\nxy\r\n{\"type\":\"b\"}\nz", "a:3 b:1 "},
    {"no type", HEAD "\n{}\nxy", ":2 "},
    {"length too long", HEAD "\n{\"type\":\"a\",\"length\":11}\nhelloworld", "bad longer than what is left"},
    {"length too short", HEAD "\n{\"type\":\"a\",\"length\":5}\nhelloworld\n", "bad no newline behind a payload"},
    {"length negative", HEAD "\n{\"type\":\"a\",\"length\":-1}\nx", "bad length of an item"},
    {"length fraction", HEAD "\n{\"type\":\"a\",\"length\":1.5}\nx", "bad length of an item"},
    {"length text", HEAD "\n{\"type\":\"a\",\"length\":\"1\"}\nx", "bad length of an item"},
    {"length over 32 bits", HEAD "\n{\"type\":\"a\",\"length\":4294967296}\nx", "bad length of an item"},
    {"something behind the header", HEAD " {\"type\":\"a\"}\nx", "bad no newline behind a header"},
    {"CR behind the header", HEAD "\r\n{\"type\":\"a\"}\nx", "bad no newline behind a header"},
    {"item header is no JSON", HEAD "\nhello\n", "bad header:"},
    {"item header is a list", HEAD "\n[1]\nx", "bad a header must be an object"},
    {"header is no JSON", "hello", "bad header:"},
    {"nothing", "", "bad the body is empty"},
    {"only blanks", " \n\n", "bad the body is empty"},
};

static void check_envelope(void **state)
{
    const struct envelope_row *row = *state;
    struct envelope e;
    struct envelope_item item;
    struct err err = {0};
    struct buf got;
    struct arena *arena = arena_new(1 << 20);
    buf_init(&got, 4096);
    enum envelope_step step = ENVELOPE_BAD;
    if (envelope_open(&e, row->bytes, strlen(row->bytes), arena, &err))
        while ((step = envelope_next(&e, &item, &err)) == ENVELOPE_ITEM)
            buf_addf(&got, "%.*s:%zu ", (int)item.type_len, item.type, item.payload_len);
    if (strncmp(row->want, "bad ", 4) == 0) {
        assert_int_equal(step, ENVELOPE_BAD);
        assert_int_equal(err.kind, ERR_INPUT);
        if (!strstr(err.text, row->want + 4))
            fail_msg("\"%s\" is not in \"%s\"", row->want + 4, err.text);
    } else {
        assert_int_equal(step, ENVELOPE_END);
        assert_string_equal(buf_text(&got), row->want);
    }
    buf_fini(&got);
    arena_free(arena);
}

static const char *name_of(const void *row)
{
    return *(const char *const *)row;
}

/* -------------------------------------------------------------------------------------------- paths */

struct path_row {
    const char *path;
    int endpoint; /* -1: not one of ours */
    int64_t project;
    const char *slug;
    const char *key;
};
static const struct path_row PATHS[] = {
    {"/api/42/envelope/", SENTRY_ENVELOPE, 42, NULL, NULL},
    {"/api/42/envelope", SENTRY_ENVELOPE, 42, NULL, NULL},
    {"//api//42//envelope//", SENTRY_ENVELOPE, 42, NULL, NULL},
    {"/prefix/deep/api/42/envelope/", SENTRY_ENVELOPE, 42, NULL, NULL},
    {"/api/1/api/42/envelope/", SENTRY_ENVELOPE, 42, NULL, NULL},
    {"/api/42/store/", SENTRY_STORE, 42, NULL, NULL},
    {"/api/store/", SENTRY_STORE, 0, NULL, NULL},
    {"/api/42/security/", SENTRY_SECURITY, 42, NULL, NULL},
    {"/api/42/csp-report", SENTRY_SECURITY, 42, NULL, NULL},
    {"/api/42/cron/nightly/", SENTRY_CRON, 42, "nightly", NULL},
    {"/api/42/cron/nightly/abcdef", SENTRY_CRON, 42, "nightly", "abcdef"},
    {"/api/42/minidump/", SENTRY_MINIDUMP, 42, NULL, NULL},
    {"/api/42/nel/", SENTRY_NOT_KEPT, 42, NULL, NULL},
    {"/api/42/otlp/v1/traces", SENTRY_NOT_KEPT, 42, NULL, NULL},
    {"/api/x/envelope/", SENTRY_ENVELOPE, -1, NULL, NULL},
    {"/api/99999999999/envelope/", SENTRY_ENVELOPE, -1, NULL, NULL},
    {"/api/42/envelope/x", -1, 0, NULL, NULL},
    {"/api/42/cron/", -1, 0, NULL, NULL},
    {"/api/events", -1, 0, NULL, NULL},
    {"/api/42/events/0123/other", -1, 0, NULL, NULL},
    {"/health", -1, 0, NULL, NULL},
    {"/", -1, 0, NULL, NULL},
};

static void check_path(void **state)
{
    const struct path_row *row = *state;
    struct sentry_path path;
    bool ours = sentry_path_parse((struct slice){row->path, strlen(row->path)}, &path);
    assert_int_equal(ours, row->endpoint >= 0);
    if (!ours)
        return;
    assert_int_equal(path.endpoint, row->endpoint);
    assert_int_equal(path.project_id, row->project);
    assert_true(row->slug ? slice_equal(path.slug, row->slug) : path.slug.at == NULL);
    assert_true(row->key ? slice_equal(path.key, row->key) : path.key.at == NULL);
}

/* --------------------------------------------------------------------------------------------- keys */

struct auth_row {
    const char *head; /* of a request, without its empty line */
    const char *key;  /* NULL: none */
};
#define KEY "0123456789abcdef0123456789abcdef"
#define POST "POST /api/42/envelope/ HTTP/1.1\r\nHost: h\r\n"
static const struct auth_row AUTHS[] = {
    {POST "X-Sentry-Auth: Sentry sentry_key=" KEY ", sentry_version=7, sentry_client=x\r\n", KEY},
    {POST "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=x, sentry_timestamp=1, sentry_key=" KEY "\r\n", KEY},
    {POST "x-sentry-auth:Sentry sentry_key=" KEY ",sentry_version=7\r\n", KEY},
    {POST "X-Sentry-Auth: SENTRY  sentry_key = " KEY " , sentry_secret=s\r\n", KEY},
    {POST "X-Sentry-Auth: Sentry sentry_key=0123456789ABCDEF0123456789ABCDEF\r\n", KEY},
    {POST "Authorization: Sentry sentry_key=" KEY "\r\n", KEY},
    {POST "Authorization: Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6\r\n", KEY},
    {POST "Authorization: DSN http://" KEY "@h.example/42\r\n", KEY},
    {POST "Authorization: Bearer " KEY "\r\n", KEY},
    {"POST /api/42/envelope/?sentry_version=7&sentry_key=" KEY "&sentry_client=a%2Fb HTTP/1.1\r\nHost: h\r\n", KEY},
    {"GET /api/42/cron/job/" KEY "/?status=ok HTTP/1.1\r\nHost: h\r\n", KEY},
    {"POST /api/42/envelope/?sentry_key=ffff HTTP/1.1\r\nHost: h\r\nX-Sentry-Auth: Sentry sentry_key=" KEY "\r\n", KEY},
    {POST "X-Sentry-Auth: Sentry sentry_version=7\r\n", NULL},
    {POST "X-Sentry-Auth: Sentry sentry_key=\r\n", NULL},
    {POST "X-Sentry-Auth: sentry\r\n", NULL},
    {POST "X-Sentry-Auth: Something sentry_key=" KEY "\r\n", NULL},
    {POST "Authorization: Basic !!!!\r\n", NULL},
    {POST "Authorization: DSN nonsense\r\n", NULL},
    {POST, NULL},
};

static void check_auth(void **state)
{
    const struct auth_row *row = *state;
    struct http_head head = {0};
    struct sentry_path path;
    char text[1024];
    char key[SENTRY_KEY_BYTES] = "";
    snprintf(text, sizeof text, "%s%s\r\n", row->head,
             strncmp(row->head, "POST", 4) == 0 ? "Content-Length: 0\r\n" : "");
    assert_int_equal(http_head_parse(text, strlen(text), &head), HTTP_HEAD_DONE);
    assert_true(sentry_path_parse(head.path, &path));
    bool found = sentry_auth_key(&head, &path, key);
    assert_int_equal(found, row->key != NULL);
    if (found)
        assert_string_equal(key, row->key);
}

struct dsn_row {
    const char *dsn;
    int64_t project; /* -1: no DSN */
};
static const struct dsn_row DSNS[] = {
    {"https://" KEY "@h.example/42", 42}, {"http://" KEY ":secret@h.example:9000/path/42", 42},
    {"https://" KEY ":@h/42", 42},        {"ftp://" KEY "@h/42", -1},
    {"https://h/42", -1},                 {"https://@h/42", -1},
    {"https://" KEY "@h", -1},            {"https://" KEY "@h/", -1},
    {"https://" KEY "@h/x", -1},          {"", -1},
};

static void check_dsn(void **state)
{
    const struct dsn_row *row = *state;
    char key[64];
    int64_t project = 0;
    bool ok = sentry_dsn_parse(row->dsn, strlen(row->dsn), key, &project);
    assert_int_equal(ok, row->project >= 0);
    if (ok) {
        assert_int_equal(project, row->project);
        assert_string_equal(key, KEY);
    }
}

/* ------------------------------------------------------------------------------------------- bodies */

/* {"a":1} in each coding, as bytes. */
struct coding_row {
    const char *name;
    const char *bytes;
    size_t len;
    const char *want; /* NULL: refused */
};
static const struct coding_row CODINGS[] = {
    {"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00", 27, "{\"a\":1}"},
    {"x-gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00", 54, "{\"a\":1}{\"a\":1}"},
    {"deflate", "\x78\x9c\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\x08\x2a\x02\x09", 15, "{\"a\":1}"},
    {"deflate", "\xab\x56\x4a\x54\xb2\x32\xac\x05\x00", 9, "{\"a\":1}"},
    {"br", "\x0b\x03\x80\x7b\x22\x61\x22\x3a\x31\x7d\x03", 11, "{\"a\":1}"},
    {"zstd", "\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00\x7b\x22\x61\x22\x3a\x31\x7d", 16, "{\"a\":1}"},
    {"ZSTD", "\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00\x7b\x22\x61\x22\x3a\x31\x7d\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00\x7b\x22\x61\x22\x3a\x31\x7d", 32, "{\"a\":1}{\"a\":1}"},
    {"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00", 26, NULL},
    {"x-gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00", 53, NULL},
    {"deflate", "\x78\x9c\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\x08\x2a\x02", 14, NULL},
    {"deflate", "\xab\x56\x4a\x54\xb2\x32\xac\x05", 8, NULL},
    {"br", "\x0b\x03\x80\x7b\x22\x61\x22\x3a\x31\x7d", 10, NULL},
    {"zstd", "\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00\x7b\x22\x61\x22\x3a\x31", 15, NULL},
    {"ZSTD", "\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00\x7b\x22\x61\x22\x3a\x31\x7d\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00\x7b\x22\x61\x22\x3a\x31", 31, NULL},
    {"br", "garbage", 7, NULL},
    {"zstd", "garbage", 7, NULL},
    {"gzip", "", 0, NULL},
};

static void check_coding(void **state)
{
    const struct coding_row *row = *state;
    struct buf out;
    struct err err = {0};
    buf_init(&out, 1 << 20);
    bool ok = body_inflate(body_coding_of(row->name, strlen(row->name)), row->bytes, row->len, &out, NULL, NULL, &err);
    if (row->want) {
        assert_true(ok);
        assert_string_equal(buf_text(&out), row->want);
    } else {
        assert_false(ok);
        assert_int_equal(err.kind, ERR_INPUT);
    }
    buf_fini(&out);
}

struct store_row {
    const char *name;
    const char *body;
    const char *want; /* NULL: refused */
};
static const struct store_row STORES[] = {
    {"JSON", "{\"a\":1}", "{\"a\":1}"},
    {"JSON behind blanks", " \n{\"a\":1}", " \n{\"a\":1}"},
    {"base64 of JSON", "eyJhIjoxfQ==", "{\"a\":1}"},
    {"base64 without padding", "eyJhIjoxfQ", "{\"a\":1}"},
    {"base64 in lines", "eyJh\nIjox\nfQ==\n", "{\"a\":1}"},
    {"base64 of zlib of JSON, as raven sends", "eJyrVkpUsjKsBQAIKgIJ", "{\"a\":1}"},
    {"neither", "!!!", NULL},
    {"base64 of nonsense", "aGVsbG8gd29ybGQ=", NULL},
};

static void check_store(void **state)
{
    const struct store_row *row = *state;
    struct buf out;
    struct err err = {0};
    const char *body = row->body;
    size_t len = strlen(body);
    buf_init(&out, 1 << 20);
    bool ok = sentry_store_open(&body, &len, &out, &err);
    assert_int_equal(ok, row->want != NULL);
    if (ok) {
        assert_int_equal(len, strlen(row->want));
        assert_memory_equal(body, row->want, len);
    }
    buf_fini(&out);
}

struct form_row {
    const char *name;
    const char *type;
    const char *body;
    const char *want; /* "name/file:length …"; NULL: not opened */
};
#define FORM "multipart/form-data; boundary=XX"
static const struct form_row FORMS[] = {
    {"two parts", FORM, "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.dmp\"\r\nContent-Type: application/octet-stream\r\n\r\nMDMP\r\n--XX--\r\n", "a/:3 f/x.dmp:4 "},
    {"quoted boundary", "multipart/form-data; boundary=\"XX\"", "--XX\r\n\r\nx\r\n--XX--", "/:1 "},
    {"preamble", FORM, "hi\r\n--XX\r\n\r\nx\r\n--XX--", "/:1 "},
    {"empty part", FORM, "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--", "a/:0 "},
    {"cut off", FORM, "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nabc", ""},
    {"no boundary", "multipart/form-data", "--XX\r\n", NULL},
    {"other type", "application/json", "--XX\r\n", NULL},
    {"body without it", FORM, "hello", NULL},
};

static void check_form(void **state)
{
    const struct form_row *row = *state;
    struct multipart m;
    struct multipart_part p;
    struct buf got;
    buf_init(&got, 4096);
    bool ok = multipart_open(&m, row->type, strlen(row->type), row->body, strlen(row->body));
    assert_int_equal(ok, row->want != NULL);
    while (ok && multipart_next(&m, &p))
        buf_addf(&got, "%.*s/%.*s:%zu ", (int)p.name.len, p.name.at ? p.name.at : "", (int)p.file_name.len,
                 p.file_name.at ? p.file_name.at : "", p.len);
    if (ok)
        assert_string_equal(buf_text(&got), row->want);
    buf_fini(&got);
}

/* ------------------------------------------------------------------------------- rates and addresses */

static void a_bucket_refills(void **state)
{
    (void)state;
    struct rate_table *t = rate_table_new(64);
    for (int i = 0; i < 60; i++)
        assert_int_equal(rate_take(t, "a", 60, 1, 1000), 0);
    assert_int_equal(rate_take(t, "a", 60, 1, 1000), 1);
    assert_int_equal(rate_take(t, "b", 60, 1, 1000), 0);
    assert_int_equal(rate_take(t, "a", 60, 1, 1500), 1);
    assert_int_equal(rate_take(t, "a", 60, 1, 2000), 0);
    assert_int_equal(rate_take(t, "a", 60, 1, 2000), 1);
    assert_int_equal(rate_take(t, "a", 60, 10, 3000), 0); /* let in whole, paid back */
    assert_int_equal(rate_take(t, "a", 60, 1, 4000), 9);
    assert_int_equal(rate_take(t, "a", 0, 1, 4000), 0); /* no limit */
    assert_int_equal(rate_take(t, "a", 60, 1, 3600 * 1000), 0);
    for (int i = 0; i < 1000; i++) { /* more names than buckets: nothing breaks */
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(rate_take(t, name, 60, 1, 5000 + i), 0);
    }
    rate_table_free(t);
}

struct client_row {
    const char *trusted;
    const char *peer;
    const char *forwarded; /* NULL: no header */
    const char *want;
};
static const struct client_row CLIENTS[] = {
    {NULL, "203.0.113.1", NULL, "203.0.113.1"},
    {NULL, "203.0.113.1", "1.2.3.4", "203.0.113.1"},
    {"10.0.0.0/8", "203.0.113.1", "1.2.3.4", "203.0.113.1"},
    {"10.0.0.0/8", "10.1.2.3", "1.2.3.4", "1.2.3.4"},
    {"10.0.0.0/8", "10.1.2.3", "9.9.9.9, 1.2.3.4", "1.2.3.4"},
    {"10.0.0.0/8, 1.2.3.4", "10.1.2.3", "9.9.9.9, 1.2.3.4", "9.9.9.9"},
    {"10.0.0.0/8", "10.1.2.3", "9.9.9.9, 10.5.5.5", "9.9.9.9"},
    {"10.0.0.0/8", "10.1.2.3", "spoof, unknown", "10.1.2.3"},
    {"10.0.0.0/8", "10.1.2.3", "", "10.1.2.3"},
    {"::1, fd00::/8", "fd12::1", "2001:db8::5", "2001:db8::5"},
    {"10.0.0.0/9", "10.200.0.1", "1.2.3.4", "10.200.0.1"},
};

static void check_client(void **state)
{
    const struct client_row *row = *state;
    struct proxies proxies;
    struct err err = {0};
    struct http_head head = {.headers_count = row->forwarded != NULL};
    struct http_request request = {.head = &head, .peer = row->peer};
    char got[CLIENT_BYTES];
    if (row->forwarded)
        head.headers[0] = (struct http_header){{"X-Forwarded-For", 15}, {row->forwarded, strlen(row->forwarded)}};
    assert_true(proxies_parse(row->trusted, &proxies, &err));
    client_address(&proxies, &request, got);
    assert_string_equal(got, row->want);
}

static const char *name_of_client(const void *row)
{
    const struct client_row *r = row;
    return r->forwarded ? r->forwarded : "-";
}

static void wrong_proxies_are_named(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"10.0.0.0/33", "proxy.local", "10.0.0.1 x", "::1/129", "10.0.0.0/"};
    struct proxies proxies;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct err err = {0};
        assert_false(proxies_parse(WRONG[i], &proxies, &err));
        assert_non_null(strstr(err.text, "TRUSTED_PROXIES"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_refills),
        cmocka_unit_test(wrong_proxies_are_named),
    };
    return ROWS_RUN("envelope", ENVELOPES, check_envelope, name_of) +
           ROWS_RUN("path", PATHS, check_path, name_of) + ROWS_RUN("auth", AUTHS, check_auth, name_of) +
           ROWS_RUN("dsn", DSNS, check_dsn, name_of) + ROWS_RUN("coding", CODINGS, check_coding, name_of) +
           ROWS_RUN("store", STORES, check_store, name_of) + ROWS_RUN("form", FORMS, check_form, name_of) +
           ROWS_RUN("client", CLIENTS, check_client, name_of_client) +
           cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
