/* test_http_head.c -- request heads and chunked bodies: what is taken, what is refused and how. */
#include "tests/unit/rows.h"

#include "net/http_chunk.h"
#include "net/http_head.h"

struct row {
    const char *bytes;
    int want; /* 0: taken whole; -1: more is needed; else the status of the refusal */
};

#define H "Host: x\r\n"
static const struct row HEADS[] = {
    {"GET / HTTP/1.1\r\n" H "\r\n", 0},
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"\r\nGET / HTTP/1.1\r\n" H "\r\n", 0},
    {"POST /api/events?key=1 HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5 \r\n\r\n", 0},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", 0},
    {"GET http://h:80/x HTTP/1.1\r\n" H "\r\n", 0},
    {"OPTIONS /a%20b HTTP/1.1\r\nHOST:x\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" H "X: \xc3\xa9\ttab\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" H "Empty:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
    {"", -1},
    {"GET", -1},
    {"GET / HTTP/1.1\r\n" H, -1},
    {"GET / HTTP/1.1\r\n" H "\r", -1},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H H "\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\n" H "\n", 400},
    {"GET / HTTP/1.1\r\nHost: x\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H " folded\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "\tfolded\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H ": noname\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "noname\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "Na me: x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "Name : x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "Na\x01me: x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "X: a\x07z\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n", 413},
    {"POST / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encodingx: y\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 5\t\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" H "Expect: 200-maybe\r\n\r\n", 417},
    {"FOO / HTTP/1.1\r\n" H "\r\n", 501},
    {"get / HTTP/1.1\r\n" H "\r\n", 501},
    {"CONNECT h:1 HTTP/1.1\r\n" H "\r\n", 501},
    {"G\tET / HTTP/1.1\r\n" H "\r\n", 400},
    {" GET / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET / HTTP/1.2\r\n" H "\r\n", 505},
    {"GET / HTTP/2.0\r\n" H "\r\n", 505},
    {"GET / HTTP/1.10\r\n" H "\r\n", 400},
    {"GET / http/1.1\r\n" H "\r\n", 400},
    {"GET /\r\n" H "\r\n", 400},
    {"GET\r\n\r\n", 400},
    {"\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET  / HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET * HTTP/1.1\r\n" H "\r\n", 400},
    {"GET x HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /\x80 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /#f HTTP/1.1\r\n" H "\r\n", 400},
    {"GET http://h HTTP/1.1\r\n" H "\r\n", 400},
    {"GET http:///x HTTP/1.1\r\n" H "\r\n", 400},
    {"GET https://h/x HTTP/1.1\r\n" H "\r\n", 400},
};

static int outcome(const char *bytes, size_t len, struct http_head *head)
{
    switch (http_head_parse(bytes, len, head)) {
    case HTTP_HEAD_DONE:
        return 0;
    case HTTP_HEAD_MORE:
        return -1;
    default:
        return head->status;
    }
}

static void check_head(void **state)
{
    const struct row *row = *state;
    struct http_head head;
    size_t len = strlen(row->bytes);
    assert_int_equal(outcome(row->bytes, len, &head), row->want);
    if (row->want == 0)
        assert_int_equal(head.bytes, len);
    /* byte by byte it must come to the same: never taken early, never refused for being short */
    for (size_t n = 0; n < len && row->want == 0; n++)
        assert_int_equal(outcome(row->bytes, n, &head), -1);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->bytes;
}

static void heads_have_bounds(void **state)
{
    (void)state;
    static char big[HTTP_HEAD_BYTES_MAX + 100];
    struct http_head head;
    memset(big, 'a', sizeof big);
    memcpy(big, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 28);
    assert_int_equal(outcome(big, HTTP_HEAD_BYTES_MAX, &head), -1);
    assert_int_equal(outcome(big, HTTP_HEAD_BYTES_MAX + 1, &head), 431);
    char *at = big + 25;
    for (int i = 0; i <= HTTP_HEADERS_MAX; i++, at += 6)
        memcpy(at, "A: b\r\n", 6);
    memcpy(at, "\r\n", 2);
    assert_int_equal(outcome(big, (size_t)(at - big) + 2, &head), 431);
}

static void nul_is_refused(void **state)
{
    (void)state;
    struct http_head head;
    static const char BYTES[] = "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n";
    assert_int_equal(outcome(BYTES, sizeof BYTES - 1, &head), 400);
}

static void fields_are_read(void **state)
{
    (void)state;
    struct http_head h;
    static const char BYTES[] = "POST /p/q?a=1&b=%41+c HTTP/1.1\r\nhost: x\r\nConnection: Foo, Close\r\n"
                                "Expect: 100-Continue\r\ncontent-length: 12\r\n\r\nrest";
    assert_int_equal(outcome(BYTES, sizeof BYTES - 1, &h), 0);
    assert_int_equal(h.bytes, sizeof BYTES - 1 - 4);
    assert_true(slice_equal(h.path, "/p/q") && slice_equal(h.query, "a=1&b=%41+c"));
    assert_int_equal(h.content_length, 12);
    assert_false(h.keep_alive);
    assert_true(h.expect_continue);
    assert_true(slice_equal(http_head_find(&h, "HOST"), "x"));
    assert_null(http_head_find(&h, "x").at);
}

struct chunk_row {
    const char *bytes;
    enum http_chunk_state want;
    const char *body;
};

static const struct chunk_row CHUNKS[] = {
    {"5\r\nhello\r\n0\r\n\r\n", CHUNK_DONE, "hello"},
    {"5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n", CHUNK_DONE, "hello"},
    {"2\r\nhe\r\n3\r\nllo\r\n00\r\n\r\n", CHUNK_DONE, "hello"},
    {"A\r\n0123456789\r\n0\r\nX-T: v\r\nY: \r\n\r\n", CHUNK_DONE, "0123456789"},
    {"0\r\n\r\nGET /", CHUNK_DONE, ""},
    {"5\r\nhel", CHUNK_DATA, "hel"},
    {"\r\n", CHUNK_BAD, ""},
    {"g\r\n", CHUNK_BAD, ""},
    {"5 \r\nhello\r\n", CHUNK_BAD, ""},
    {"-5\r\n", CHUNK_BAD, ""},
    {"0x5\r\n", CHUNK_BAD, ""},
    {"5\nhello\r\n0\r\n\r\n", CHUNK_BAD, ""},
    {"5\r\nhelloX\r\n", CHUNK_BAD, "hello"},
    {"5\r\nhello\n0\r\n\r\n", CHUNK_BAD, "hello"},
    {"FFFFFFFFFFFFFFFFF\r\n", CHUNK_BAD, ""},
    {"0\r\nContent-Length: 5\r\n\r\n", CHUNK_BAD, ""},
    {"0\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK_BAD, ""},
    {"0\r\nHost: x\r\n\r\n", CHUNK_BAD, ""},
    {"0\r\nbad trailer\r\n\r\n", CHUNK_BAD, ""},
    {"0\r\n folded: x\r\n\r\n", CHUNK_BAD, ""},
    {"0\r\nX: y\n\r\n", CHUNK_BAD, ""},
    {"40\r\n0123456789012345678901234567890123456789012345678901234567890123", CHUNK_FULL, ""},
};

static void check_chunks(void **state)
{
    const struct chunk_row *row = *state;
    for (size_t step = 1; step < 30; step += 4) {
        struct http_chunk chunk = {0};
        struct buf body;
        size_t len = strlen(row->bytes);
        buf_init(&body, 40);
        for (size_t at = 0; at < len && chunk.state < CHUNK_DONE;) {
            size_t n = len - at < step ? len - at : step;
            at += http_chunk_feed(&chunk, row->bytes + at, n, &body);
        }
        assert_int_equal(chunk.state, row->want);
        if (row->want != CHUNK_FULL)
            assert_string_equal(buf_text(&body), row->body);
        buf_fini(&body);
    }
}

static const char *name_of_chunks(const void *row)
{
    return ((const struct chunk_row *)row)->bytes;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_have_bounds),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(fields_are_read),
    };
    return ROWS_RUN("head", HEADS, check_head, name_of_row) +
           ROWS_RUN("chunk", CHUNKS, check_chunks, name_of_chunks) +
           cmocka_run_group_tests_name("head bounds", tests, NULL, NULL);
}
