/* http_chunk.c -- a chunked-body decoder, one byte at a time but for the data. */
#include "net/http_chunk.h"

#include "core/limits.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { CHUNK_EXTRA_BYTES_MAX = 8 * KIB };
static const uint64_t CHUNK_BYTES_MAX = UINT64_C(1) << 40;

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_token(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_text(char c)
{
    return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

static enum http_chunk_state on_size(struct http_chunk *k, char c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        k->left = k->left * 16 + (uint64_t)digit;
        return k->left > CHUNK_BYTES_MAX ? CHUNK_BAD : CHUNK_SIZE;
    }
    if (k->state == CHUNK_SIZE_FIRST)
        return CHUNK_BAD;
    if (c == '\r')
        return CHUNK_SIZE_LF;
    return c == ';' ? CHUNK_EXTENSION : CHUNK_BAD;
}

/* RFC 9110 section 6.5.1: a trailer must not frame or route the message. */
static bool is_forbidden_trailer(const struct http_chunk *k)
{
    static const char *const NAMES[] = {"content-length", "transfer-encoding", "host",
                                        "connection",     "upgrade",           "proxy-connection"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strlen(NAMES[i]) == k->name_len && strncasecmp(NAMES[i], k->name, k->name_len) == 0)
            return true;
    return false;
}

static enum http_chunk_state on_trailer(struct http_chunk *k, char c)
{
    switch (k->state) {
    case CHUNK_TRAILER_FIRST:
        if (c == '\r')
            return CHUNK_END_LF;
        k->name_len = 0;
        /* fall through */
    case CHUNK_TRAILER_NAME:
        if (c == ':')
            return k->name_len == 0 || is_forbidden_trailer(k) ? CHUNK_BAD : CHUNK_TRAILER_VALUE;
        if (!is_token(c))
            return CHUNK_BAD;
        if (k->name_len < sizeof k->name)
            k->name[k->name_len] = c;
        k->name_len++;
        return CHUNK_TRAILER_NAME;
    case CHUNK_TRAILER_VALUE:
        if (c == '\r')
            return CHUNK_TRAILER_LF;
        return is_text(c) ? CHUNK_TRAILER_VALUE : CHUNK_BAD;
    default:
        return c == '\n' ? CHUNK_TRAILER_FIRST : CHUNK_BAD;
    }
}

static enum http_chunk_state on_byte(struct http_chunk *k, char c)
{
    switch (k->state) {
    case CHUNK_SIZE_FIRST:
    case CHUNK_SIZE:
        return on_size(k, c);
    case CHUNK_EXTENSION:
        if (c == '\r')
            return CHUNK_SIZE_LF;
        return is_text(c) && ++k->extra <= CHUNK_EXTRA_BYTES_MAX ? CHUNK_EXTENSION : CHUNK_BAD;
    case CHUNK_SIZE_LF:
        if (c != '\n')
            return CHUNK_BAD;
        return k->left ? CHUNK_DATA : CHUNK_TRAILER_FIRST;
    case CHUNK_DATA_CR:
        return c == '\r' ? CHUNK_DATA_LF : CHUNK_BAD;
    case CHUNK_DATA_LF:
        return c == '\n' ? CHUNK_SIZE_FIRST : CHUNK_BAD;
    case CHUNK_END_LF:
        return c == '\n' ? CHUNK_DONE : CHUNK_BAD;
    default:
        return ++k->extra <= CHUNK_EXTRA_BYTES_MAX ? on_trailer(k, c) : CHUNK_BAD;
    }
}

size_t http_chunk_feed(struct http_chunk *k, const char *bytes, size_t len, struct buf *body)
{
    size_t i = 0;
    while (i < len && k->state < CHUNK_DONE) {
        if (k->state != CHUNK_DATA) {
            k->state = on_byte(k, bytes[i++]);
            continue;
        }
        size_t n = len - i < k->left ? len - i : (size_t)k->left;
        if (!buf_add(body, bytes + i, n)) {
            k->state = CHUNK_FULL;
            break;
        }
        i += n;
        k->left -= n;
        if (k->left == 0)
            k->state = CHUNK_DATA_CR;
    }
    return i;
}
