/* body.c -- inflating in bounded steps; a bomb costs no more than the ceiling. */
#include "ingest/body.h"

#include "core/limits.h"
#include "ingest/body_decoder.h"

#include <string.h>
#include <strings.h>

enum { STEP_BYTES_MIN = 16 * KIB, STEP_BYTES_MAX = 1 * MIB };

enum body_coding body_coding_of(const char *text, size_t len)
{
    static const struct {
        const char *name;
        enum body_coding coding;
    } NAMES[] = {
        {"", BODY_IDENTITY}, {"identity", BODY_IDENTITY}, {"utf-8", BODY_IDENTITY},
        {"gzip", BODY_GZIP}, {"x-gzip", BODY_GZIP},       {"deflate", BODY_DEFLATE},
        {"br", BODY_BROTLI}, {"zstd", BODY_ZSTD},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strlen(NAMES[i].name) == len &&
            (len == 0 || strncasecmp(text, NAMES[i].name, len) == 0))
            return NAMES[i].coding;
    return BODY_UNKNOWN;
}

static const struct body_decoder *decoder_of(enum body_coding coding)
{
    return coding == BODY_GZIP      ? &BODY_DECODER_GZIP
           : coding == BODY_DEFLATE ? &BODY_DECODER_DEFLATE
           : coding == BODY_BROTLI  ? &BODY_DECODER_BROTLI
                                    : &BODY_DECODER_ZSTD;
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

static bool is_bomb(const struct buf *out, size_t in_len, struct err *err)
{
    if (out->len <= BODY_RATIO_FREE_BYTES || out->len / BODY_RATIO_MAX <= in_len)
        return false;
    err_set(err, ERR_LIMIT, "the body inflates to more than %d times its size", BODY_RATIO_MAX);
    return true;
}

bool body_inflate(enum body_coding coding, const char *bytes, size_t len, struct buf *out,
                  body_reserve_fn *reserve, void *ctx, struct err *err)
{
    const struct body_decoder *decoder = decoder_of(coding);
    struct body_stream s = {.in = (const unsigned char *)bytes, .in_left = len};
    void *state = decoder->open(s.in, len);
    if (!state)
        return err_set(err, ERR_RETRY, "no memory to inflate");
    size_t step = STEP_BYTES_MIN;
    enum body_step at = BODY_MORE_ROOM;
    bool ok = true;
    while (ok && at == BODY_MORE_ROOM) {
        size_t room = out->cap > out->len ? out->cap - out->len - 1 : 0;
        if (room == 0) {
            ok = !is_bomb(out, len, err) && grow(out, step, reserve, ctx, err);
            step = step < STEP_BYTES_MAX ? step * 2 : step;
            continue;
        }
        s.out = (unsigned char *)out->data + out->len;
        s.out_left = room;
        at = decoder->step(state, &s);
        out->len += room - s.out_left;
        out->data[out->len] = '\0';
    }
    decoder->close(state);
    if (ok && at == BODY_BROKEN)
        return err_set(err, ERR_INPUT, "the body is not valid %s, or cut short", decoder->name);
    return ok;
}
