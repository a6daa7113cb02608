/* body.c -- zlib's inflate in bounded steps; a bomb costs no more than the ceiling. */
#include "ingest/body.h"

#include "core/limits.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { STEP_BYTES_MIN = 16 * KIB, STEP_BYTES_MAX = 1 * MIB };

enum body_coding body_coding_of(const char *text, size_t len)
{
    static const struct {
        const char *name;
        enum body_coding coding;
    } NAMES[] = {{"", BODY_IDENTITY}, {"identity", BODY_IDENTITY}, {"utf-8", BODY_IDENTITY},
                 {"gzip", BODY_GZIP}, {"x-gzip", BODY_GZIP},       {"deflate", BODY_DEFLATE}};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strlen(NAMES[i].name) == len &&
            (len == 0 || strncasecmp(text, NAMES[i].name, len) == 0))
            return NAMES[i].coding;
    return BODY_UNKNOWN;
}

/* "deflate" is zlib by RFC 9110, raw by habit: the first two bytes tell (RFC 1950 section 2.2). */
static int window_bits(enum body_coding coding, const unsigned char *bytes, size_t len)
{
    if (coding == BODY_GZIP)
        return 15 + 16;
    bool zlib = len >= 2 && (bytes[0] & 0x0F) == 8 && (bytes[0] * 256 + bytes[1]) % 31 == 0;
    return zlib ? 15 : -15;
}

static bool grow(struct buf *out, size_t step, body_reserve_fn *reserve, void *ctx, struct err *err)
{
    size_t room = out->bytes_max - out->len;
    if (room == 0)
        return err_set(err, ERR_LIMIT, "the inflated body is over the limit of %zu bytes",
                       out->bytes_max);
    /* the buffer doubles: what it may grow to is what is counted */
    size_t growth = step > out->cap ? step : out->cap;
    if (reserve && !reserve(ctx, growth < room ? growth : room))
        return err_set(err, ERR_RETRY, "too many bytes of requests in hand (HTTP_BODY_MEMORY)");
    return buf_reserve(out, step < room ? step : room);
}

bool body_inflate(enum body_coding coding, const char *bytes, size_t len, struct buf *out,
                  body_reserve_fn *reserve, void *ctx, struct err *err)
{
    z_stream z = {0};
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)len;
    if (inflateInit2(&z, window_bits(coding, (const unsigned char *)bytes, len)) != Z_OK)
        return err_set(err, ERR_RETRY, "no memory to inflate");
    size_t step = STEP_BYTES_MIN;
    int rc = Z_OK;
    bool ok = true;
    while (rc != Z_STREAM_END) {
        size_t room = out->cap > out->len ? out->cap - out->len - 1 : 0;
        if (room == 0) {
            ok = grow(out, step, reserve, ctx, err);
            if (!ok)
                break;
            step = step < STEP_BYTES_MAX ? step * 2 : step;
            room = out->cap - out->len - 1;
        }
        z.next_out = (Bytef *)out->data + out->len;
        z.avail_out = (uInt)room;
        rc = inflate(&z, Z_NO_FLUSH);
        out->len += room - z.avail_out;
        out->data[out->len] = '\0';
        if (rc == Z_STREAM_END && z.avail_in > 0 && coding == BODY_GZIP) {
            rc = inflateReset(&z); /* RFC 1952: several members follow each other */
        } else if (rc != Z_OK && rc != Z_STREAM_END && !(rc == Z_BUF_ERROR && z.avail_in > 0)) {
            ok = err_set(err, ERR_INPUT, "the body is not valid %s, or cut short",
                         coding == BODY_GZIP ? "gzip" : "deflate");
            break;
        }
    }
    inflateEnd(&z);
    return ok;
}
