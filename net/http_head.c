/* http_head.c -- a strict parser of HTTP/1.x request heads: line borders first, then each line.
 *
 * The hard thing: borders. A head is only looked at once its empty line is there, and every line
 * must end in CR LF; a bare CR, a bare LF or a NUL anywhere is 400 before any name is read. */
#include "net/http_head.h"

#include <string.h>
#include <strings.h>

bool slice_equal(struct slice slice, const char *text)
{
    return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

bool slice_equal_nocase(struct slice slice, const char *text)
{
    return slice.at && slice.len == strlen(text) && strncasecmp(slice.at, text, slice.len) == 0;
}

struct slice http_head_find(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->headers_count; i++)
        if (slice_equal_nocase(head->headers[i].name, name))
            return head->headers[i].value;
    return (struct slice){NULL, 0};
}

static bool bad(struct http_head *head, int status, const char *reason)
{
    head->status = status;
    head->reason = reason;
    return false;
}

/* RFC 9110 section 5.6.2 */
static bool is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const struct {
    const char *name;
    enum http_method method;
} METHODS[] = {
    {"GET", HTTP_GET},       {"POST", HTTP_POST},       {"HEAD", HTTP_HEAD},   {"PUT", HTTP_PUT},
    {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS}, {"PATCH", HTTP_PATCH},
};

static bool read_method(struct slice word, struct http_head *head)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        if (slice_equal(word, METHODS[i].name)) {
            head->method = METHODS[i].method;
            return true;
        }
    if (word.len == 0)
        return bad(head, 400, "empty method");
    for (size_t i = 0; i < word.len; i++)
        if (!is_token_char((unsigned char)word.at[i]))
            return bad(head, 400, "method is not a token");
    return bad(head, 501, "unknown method");
}

/* origin-form, or absolute-form whose authority is skipped (RFC 9112 section 3.2). */
static bool read_target(struct slice target, struct http_head *head)
{
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.at[i] <= ' ' || (unsigned char)target.at[i] >= 0x7f)
            return bad(head, 400, "request target has a byte that is not allowed");
    if (memchr(target.at, '#', target.len))
        return bad(head, 400, "request target has a fragment");
    static const char SCHEME[] = "http://";
    if (target.len > sizeof SCHEME - 1 && strncasecmp(target.at, SCHEME, sizeof SCHEME - 1) == 0) {
        struct slice rest = {target.at + sizeof SCHEME - 1, target.len - (sizeof SCHEME - 1)};
        const char *slash = memchr(rest.at, '/', rest.len);
        if (!slash || slash == rest.at)
            return bad(head, 400, "absolute request target without a path");
        for (const char *p = rest.at; p < slash; p++)
            if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                  (*p >= '0' && *p <= '9') || *p == '.' || *p == '-' || *p == ':'))
                return bad(head, 400, "absolute request target with a bad authority");
        /* a port must be a number: what follows the one colon is digits */
        const char *colon = memchr(rest.at, ':', (size_t)(slash - rest.at));
        if (colon && (colon == rest.at || colon + 1 == slash))
            return bad(head, 400, "absolute request target with a bad authority");
        for (const char *p = colon ? colon + 1 : slash; p < slash; p++)
            if (*p < '0' || *p > '9')
                return bad(head, 400, "absolute request target with a bad authority");
        target = (struct slice){slash, target.len - (size_t)(slash - target.at)};
    }
    if (target.len == 0 || target.at[0] != '/')
        return bad(head, 400, "request target does not start with /");
    const char *mark = memchr(target.at, '?', target.len);
    size_t path = mark ? (size_t)(mark - target.at) : target.len;
    head->path = (struct slice){target.at, path};
    head->query =
        (struct slice){target.at + path + (mark ? 1 : 0), target.len - path - (mark ? 1 : 0)};
    return true;
}

static bool read_version(struct slice version, struct http_head *head)
{
    if (version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[6] != '.' ||
        version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' || version.at[7] > '9')
        return bad(head, 400, "request line does not end in an HTTP version");
    if (version.at[5] != '1' || version.at[7] > '1')
        return bad(head, 505, "HTTP/1.0 and HTTP/1.1 are spoken here");
    head->minor_version = version.at[7] - '0';
    head->keep_alive = head->minor_version == 1;
    return true;
}

static bool read_request_line(struct slice line, struct http_head *head)
{
    const char *first = memchr(line.at, ' ', line.len);
    if (!first)
        return bad(head, 400, "request line without a target");
    size_t method_len = (size_t)(first - line.at);
    struct slice rest = {first + 1, line.len - method_len - 1};
    const char *second = memchr(rest.at, ' ', rest.len);
    if (!second)
        return bad(head, 400, "request line without a version");
    size_t target_len = (size_t)(second - rest.at);
    return read_version((struct slice){second + 1, rest.len - target_len - 1}, head) &&
           read_method((struct slice){line.at, method_len}, head) &&
           read_target((struct slice){rest.at, target_len}, head);
}

static bool read_header(struct slice line, struct http_head *head)
{
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return bad(head, 400, "folded header line");
    if (head->headers_count == HTTP_HEADERS_MAX)
        return bad(head, 431, "more than 100 headers");
    const char *colon = memchr(line.at, ':', line.len);
    if (!colon || colon == line.at)
        return bad(head, 400, "header line without a name");
    size_t name_len = (size_t)(colon - line.at);
    for (size_t i = 0; i < name_len; i++)
        if (!is_token_char((unsigned char)line.at[i]))
            return bad(head, 400, "header name has a byte that is not allowed");
    const char *at = colon + 1;
    const char *end = line.at + line.len;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (const char *p = at; p < end; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            return bad(head, 400, "header value has a control character");
    head->headers[head->headers_count++] =
        (struct http_header){{line.at, name_len}, {at, (size_t)(end - at)}};
    return true;
}

static bool read_length(struct slice value, struct http_head *head)
{
    if (head->content_length >= 0)
        return bad(head, 400, "several Content-Length");
    if (value.len == 0)
        return bad(head, 400, "empty Content-Length");
    int64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return bad(head, 400, "Content-Length is not a number");
        if (length > INT64_MAX / 100)
            return bad(head, 413, "Content-Length is too large");
        length = length * 10 + (value.at[i] - '0');
    }
    head->content_length = length;
    return true;
}

static bool read_connection(struct slice value, struct http_head *head, bool *closes)
{
    const char *end = value.at + value.len;
    for (const char *at = value.at; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        struct slice word = {at, (size_t)(stop - at)};
        while (word.len && (*word.at == ' ' || *word.at == '\t')) {
            word.at++;
            word.len--;
        }
        while (word.len && (word.at[word.len - 1] == ' ' || word.at[word.len - 1] == '\t'))
            word.len--;
        if (slice_equal_nocase(word, "close"))
            *closes = true; /* beats keep-alive, wherever it stands and in whichever line */
        else if (slice_equal_nocase(word, "keep-alive"))
            head->keep_alive = true;
        at = stop + 1;
    }
    if (*closes)
        head->keep_alive = false;
    return true;
}

static bool is_host_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-._~:[]%", c));
}

/* Readers disagree on a tab behind what frames the message, and on names that begin like it. */
static bool is_confusable(struct slice name, struct slice value)
{
    static const char TE[] = "transfer-encoding";
    bool length = slice_equal_nocase(name, "content-length");
    bool encoding = name.len >= sizeof TE - 1 && strncasecmp(name.at, TE, sizeof TE - 1) == 0;
    return (encoding && name.len > sizeof TE - 1) ||
           ((length || encoding) && value.at[value.len] == '\t');
}

/* The headers that decide where the message ends, or whether it may be answered at all. */
static bool check_headers(struct http_head *head)
{
    int hosts = 0;
    bool transfer_encoding = false;
    bool closes = false;
    for (size_t i = 0; i < head->headers_count; i++) {
        struct slice name = head->headers[i].name;
        struct slice value = head->headers[i].value;
        if (is_confusable(name, value))
            return bad(head, 400, "a header that readers understand differently");
        if (slice_equal_nocase(name, "content-length")) {
            if (!read_length(value, head))
                return false;
        } else if (slice_equal_nocase(name, "transfer-encoding")) {
            if (transfer_encoding || !slice_equal_nocase(value, "chunked"))
                return bad(head, 400, "Transfer-Encoding is not just chunked");
            transfer_encoding = true;
        } else if (slice_equal_nocase(name, "host")) {
            for (size_t k = 0; k < value.len; k++)
                if (!is_host_char((unsigned char)value.at[k]))
                    return bad(head, 400, "Host has a byte that is not allowed");
            hosts++;
        } else if (slice_equal_nocase(name, "connection")) {
            read_connection(value, head, &closes);
        } else if (slice_equal_nocase(name, "expect")) {
            if (!slice_equal_nocase(value, "100-continue"))
                return bad(head, 417, "Expect takes 100-continue");
            head->expect_continue = head->minor_version == 1;
        }
    }
    if (hosts > 1 || (hosts == 0 && head->minor_version == 1))
        return bad(head, 400, hosts ? "several Host headers" : "no Host header");
    if (transfer_encoding && (head->content_length >= 0 || head->minor_version == 0))
        return bad(head, 400, "Transfer-Encoding with Content-Length or in HTTP/1.0");
    head->chunked = transfer_encoding;
    return true;
}

/* The end of the head, or NULL; sets status for a byte that no head may hold. */
static const char *find_end(const char *at, const char *end, struct http_head *head)
{
    const char *line = at;
    for (const char *p = at; p < end; p++) {
        if (*p == '\0' || (*p == '\n' && (p == at || p[-1] != '\r')) ||
            (p > at && p[-1] == '\r' && *p != '\n')) {
            bad(head, 400, *p ? "bare CR or LF in the head" : "NUL in the head");
            return NULL;
        }
        if (*p != '\n')
            continue;
        if (p == line + 1 && line != at)
            return p + 1;
        line = p + 1;
    }
    return NULL;
}

enum http_head_result http_head_parse(const char *bytes, size_t len, struct http_head *head)
{
    head->headers_count = 0;
    head->content_length = -1;
    head->chunked = head->keep_alive = head->expect_continue = false;
    head->status = 0;
    /* RFC 9112 section 2.2: one empty line before the request line is ignored. */
    size_t skip = len >= 2 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
    const char *at = bytes + skip;
    const char *end = find_end(at, bytes + len, head);
    if (head->status)
        return HTTP_HEAD_BAD;
    if (!end || (size_t)(end - bytes) > HTTP_HEAD_BYTES_MAX) {
        if (len <= HTTP_HEAD_BYTES_MAX)
            return HTTP_HEAD_MORE;
        bad(head, 431, "request head over 16 KiB");
        return HTTP_HEAD_BAD;
    }
    bool first = true;
    while (at < end - 2) {
        const char *stop = memchr(at, '\r', (size_t)(end - at));
        struct slice line = {at, (size_t)(stop - at)};
        if (line.len == 0) {
            bad(head, 400, "empty request line");
            return HTTP_HEAD_BAD;
        }
        if (!(first ? read_request_line(line, head) : read_header(line, head)))
            return HTTP_HEAD_BAD;
        first = false;
        at = stop + 2;
    }
    if (!check_headers(head))
        return HTTP_HEAD_BAD;
    head->bytes = (size_t)(end - bytes);
    return HTTP_HEAD_DONE;
}
