/* http_reply.c -- answers: status line, headers, CORS, JSON errors, and the memory of a request. */
#include "net/http_internal.h"

#include "core/json_out.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/random.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
    int status;
    const char *reason;
    const char *code;
} STATUSES_TABLE[] = {
    {200, "OK", "ok"},
    {201, "Created", "created"},
    {202, "Accepted", "accepted"},
    {204, "No Content", "no_content"},
    {400, "Bad Request", "bad_request"},
    {401, "Unauthorized", "unauthorized"},
    {403, "Forbidden", "forbidden"},
    {404, "Not Found", "not_found"},
    {405, "Method Not Allowed", "method_not_allowed"},
    {408, "Request Timeout", "request_timeout"},
    {411, "Length Required", "length_required"},
    {413, "Content Too Large", "too_large"},
    {415, "Unsupported Media Type", "unsupported_encoding"},
    {417, "Expectation Failed", "expectation_failed"},
    {429, "Too Many Requests", "too_many_requests"},
    {431, "Request Header Fields Too Large", "head_too_large"},
    {500, "Internal Server Error", "internal"},
    {501, "Not Implemented", "not_implemented"},
    {503, "Service Unavailable", "unavailable"},
    {505, "HTTP Version Not Supported", "version_not_supported"},
};

enum { REQUEST_ID_BYTES = 65 };

static size_t status_row(int status)
{
    size_t i = 0;
    while (i < sizeof STATUSES_TABLE / sizeof *STATUSES_TABLE && STATUSES_TABLE[i].status != status)
        i++;
    return i < sizeof STATUSES_TABLE / sizeof *STATUSES_TABLE ? i : 16;
}

static const char CORS_HEADERS[] =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: Retry-After, X-Sentry-Error, "
    "X-Sentry-Rate-Limits, X-Nabat-Spooled, X-Nabat-Counted, X-Request-Id\r\n";
static const char PREFLIGHT_HEADERS[] =
    "Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n"
    "Access-Control-Allow-Headers: Content-Type, Content-Encoding, Transfer-Encoding, Accept, "
    "Authorization, Authentication, X-Api-Key, X-Sentry-Auth, X-Requested-With, X-CSRFToken, "
    "X-Forwarded-For, Origin, Referer, sentry-trace, baggage\r\n"
    "Access-Control-Max-Age: 86400\r\n";

/* RFC 9110 section 5.6.7, made once a second. */
static const char *date_now(struct http_server *server)
{
    time_t now = time(NULL);
    if ((int64_t)now != server->date_s) {
        struct tm tm;
        gmtime_r(&now, &tm);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        server->date_s = (int64_t)now;
    }
    return server->date;
}

/* The client's own, if it is a plain word; else one of ours. Whoever is told of an error can be asked for it. */
static void name_request(const struct http_reply *reply, char out[REQUEST_ID_BYTES])
{
    struct slice theirs = reply ? http_head_find(&reply->head, "x-request-id") : (struct slice){0};
    size_t len = 0;
    while (len < theirs.len &&
           (isalnum((unsigned char)theirs.at[len]) || strchr("-_.", theirs.at[len])))
        len++;
    if (len > 0 && len == theirs.len && len < REQUEST_ID_BYTES)
        snprintf(out, REQUEST_ID_BYTES, "%.*s", (int)len, theirs.at);
    else
        random_hex32(out);
}

/* Runs of hex digits as long as a key: some endpoints of SDKs have it in their path. */
static void hide_keys(char *path)
{
    enum { KEY_DIGITS = 32 };
    for (char *at = path; *at;) {
        size_t n = strspn(at, "0123456789abcdefABCDEF");
        if (n >= KEY_DIGITS)
            memset(at, '*', n);
        at += n ? n : 1;
    }
}

/* The query, where a key may stand, is not logged. */
static void log_error_answer(const struct http_reply *reply, int status, const char *request_id)
{
    char path[200] = "";
    if (reply && reply->head.path.len)
        snprintf(path, sizeof path, "%.*s", (int)reply->head.path.len, reply->head.path.at);
    hide_keys(path);
    /* a probe asks for just this answer */
    if (status >= 500 && strncmp(path, "/health", 7) != 0)
        log_warn("a request was answered with an error", LOG_I("status", status),
                 LOG_S("path", path), LOG_S("request_id", request_id), LOG_END);
    else
        log_debug("a request was refused", LOG_I("status", status), LOG_S("path", path),
                  LOG_S("request_id", request_id), LOG_END);
}

static void write_answer(struct http_conn *conn, const struct http_reply *reply, int status,
                         const char *content_type, const char *extra, const char *body,
                         size_t body_len)
{
    struct buf *out = &conn->out;
    bool is_head = reply && reply->head.method == HTTP_HEAD;
    bool cors = reply && reply->route && reply->route->any_origin;
    buf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
             STATUSES_TABLE[status_row(status)].reason, date_now(conn->server));
    if (content_type)
        buf_addf(out, "Content-Type: %s\r\n", content_type);
    if (status != 204)
        buf_addf(out, "Content-Length: %zu\r\n", body_len);
    if (conn->close_after)
        buf_add_str(out, "Connection: close\r\n");
    else if (reply && reply->head.minor_version == 0)
        buf_add_str(out, "Connection: keep-alive\r\n");
    if (cors)
        buf_add_str(out, CORS_HEADERS);
    if (status >= 400) {
        char request_id[REQUEST_ID_BYTES];
        name_request(reply, request_id);
        log_error_answer(reply, status, request_id);
        buf_addf(out, "X-Request-Id: %s\r\n", request_id);
    }
    if (extra)
        buf_add_str(out, extra);
    buf_add_str(out, "\r\n");
    if (!is_head && body_len)
        buf_add(out, body, body_len);
    if (out->full)
        http_conn_kill(conn);
}

static void error_body(struct buf *json, int status, const char *detail)
{
    buf_init(json, 4 * KIB);
    buf_addf(json, "{\"error\":\"%s\",\"detail\":", STATUSES_TABLE[status_row(status)].code);
    json_add_str(json, detail);
    buf_add_str(json, "}\n");
}

void http_memory_release(struct http_reply *reply)
{
    reply->server->body_memory -= reply->reserved;
    reply->reserved = 0;
    metric_set(METRIC_HTTP_BODY_BYTES, (int64_t)reply->server->body_memory);
}

bool http_reply_reserve(struct http_reply *reply, size_t bytes)
{
    struct http_server *server = reply->server;
    if (bytes > server->config.body_memory_max - server->body_memory)
        return false;
    server->body_memory += bytes;
    reply->reserved += bytes;
    metric_set(METRIC_HTTP_BODY_BYTES, (int64_t)server->body_memory);
    return true;
}

void http_reply_drop_body(struct http_reply *reply)
{
    buf_fini(&reply->body);
    http_memory_release(reply);
}

void http_reply_free(struct http_reply *reply)
{
    if (!reply)
        return;
    http_memory_release(reply);
    buf_fini(&reply->body);
    free(reply->head_bytes);
    free(reply);
}

/* Before a handler has it: answers, closes gently. `conn->reply` may be NULL (no head yet). */
void http_reply_refuse(struct http_conn *conn, int status, const char *detail,
                       const char *extra_headers)
{
    metric_add(METRIC_HTTP_REFUSED, 1);
    log_debug("request refused", LOG_I("status", status), LOG_S("detail", detail), LOG_END);
    struct buf json;
    error_body(&json, status, detail);
    conn->close_after = true;
    conn->linger_after = true;
    if (conn->reply)
        conn->reply->chunk.state = CHUNK_BAD;
    buf_fini(&conn->in);
    write_answer(conn, conn->reply, status, "application/json", extra_headers, json.data, json.len);
    buf_fini(&json);
    struct http_reply *reply = conn->reply;
    conn->reply = NULL;
    http_reply_free(reply);
    http_conn_answered(conn);
}

void http_reply_send(struct http_reply *reply, int status, const char *content_type,
                     const char *extra_headers, const char *body, size_t body_len)
{
    struct http_server *server = reply->server;
    struct http_conn *conn = reply->conn;
    metric_add(METRIC_HTTP_REQUESTS, 1);
    server->replies--;
    if (conn) {
        if (server->stopping)
            conn->close_after = true;
        write_answer(conn, reply, status, content_type, extra_headers, body, body_len);
        conn->reply = NULL;
    }
    http_reply_free(reply);
    if (conn)
        http_conn_answered(conn);
    http_server_check_stopped(server);
}

void http_reply_preflight(struct http_reply *reply)
{
    http_reply_send(reply, 204, NULL, PREFLIGHT_HEADERS, NULL, 0);
}

void http_reply_json(struct http_reply *reply, int status, const char *extra_headers,
                     const char *json)
{
    http_reply_send(reply, status, "application/json", extra_headers, json, strlen(json));
}

void http_reply_error_with(struct http_reply *reply, int status, const char *extra_headers,
                           const char *detail)
{
    struct buf json;
    error_body(&json, status, detail);
    http_reply_json(reply, status, extra_headers, json.data);
    buf_fini(&json);
}

void http_reply_error(struct http_reply *reply, int status, const char *detail)
{
    http_reply_error_with(reply, status, status == 503 ? "Retry-After: 5\r\n" : NULL, detail);
}

void http_reply_too_many(struct http_reply *reply, int64_t seconds, const char *extra_headers)
{
    struct buf json;
    char headers[512];
    char detail[80];
    snprintf(detail, sizeof detail, "over the rate of this key or address: again in %lld s",
             (long long)seconds);
    snprintf(headers, sizeof headers, "Retry-After: %lld\r\n%s", (long long)seconds,
             extra_headers ? extra_headers : "");
    error_body(&json, 429, detail);
    http_reply_json(reply, 429, headers, json.data);
    buf_fini(&json);
}

bool http_query_find(struct slice query, const char *name, char *out, size_t out_size)
{
    size_t name_len = strlen(name);
    const char *end = query.at + query.len;
    for (const char *at = query.at; at < end;) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp ? amp : end;
        if ((size_t)(stop - at) > name_len && memcmp(at, name, name_len) == 0 &&
            at[name_len] == '=') {
            size_t n = 0;
            for (const char *p = at + name_len + 1; p < stop; p++) {
                if (n + 1 >= out_size)
                    return false;
                char hex[3] = {0};
                if (*p == '%' && stop - p > 2) {
                    hex[0] = p[1];
                    hex[1] = p[2];
                    char *hex_end = NULL;
                    long value = strtol(hex, &hex_end, 16);
                    if (*hex_end || value == 0)
                        return false;
                    out[n++] = (char)value;
                    p += 2;
                } else {
                    out[n++] = *p == '+' ? ' ' : *p;
                }
            }
            out[n] = '\0';
            return true;
        }
        at = stop + 1;
    }
    return false;
}
