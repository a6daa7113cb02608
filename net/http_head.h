/* http_head.h -- the head of one HTTP/1.x request (RFC 9112): pure, strict, no copies.
 *
 * What two readers could understand differently is refused with 400: that is how request smuggling
 * is closed. Slices point into the caller's bytes. */
#ifndef NABAT_NET_HTTP_HEAD_H
#define NABAT_NET_HTTP_HEAD_H

#include "core/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *at;
    size_t len;
};

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_PUT = 8,
    HTTP_DELETE = 16,
    HTTP_OPTIONS = 32,
    HTTP_PATCH = 64,
};

struct http_header {
    struct slice name;
    struct slice value; /* without blanks around it */
};

struct http_head {
    enum http_method method;
    struct slice path;  /* starts with '/', as sent, without the query */
    struct slice query; /* after '?', may be empty */
    int minor_version;  /* HTTP/1.minor */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t headers_count;
    int64_t content_length; /* -1: none given */
    bool chunked;
    bool keep_alive;
    bool expect_continue;
    size_t bytes;       /* of the whole head, its empty line included */
    int status;         /* of HTTP_HEAD_BAD: 400, 417, 431, 501 or 505 */
    const char *reason; /* of HTTP_HEAD_BAD, for the answer */
};

enum http_head_result { HTTP_HEAD_MORE, HTTP_HEAD_DONE, HTTP_HEAD_BAD };

/* Reads a head from the first bytes of a connection. MORE: call again with more bytes. */
enum http_head_result http_head_parse(const char *bytes, size_t len, struct http_head *head);

/* The value of a header, or one with at == NULL. `name` is matched without case. */
struct slice http_head_find(const struct http_head *head, const char *name);
bool slice_equal(struct slice slice, const char *text); /* exact */
bool slice_equal_nocase(struct slice slice, const char *text);

#endif
