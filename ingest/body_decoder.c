/* body_decoder.c -- zlib, brotli and zstd behind one small interface. */
#include "ingest/body_decoder.h"

#include "core/limits.h"
#include "core/mem.h"

#include <brotli/decode.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* ---- zlib: gzip and deflate */

static void *zlib_open(int window_bits)
{
    z_stream *z = mem_alloc(sizeof *z);
    if (inflateInit2(z, window_bits) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

static void *gzip_open(const unsigned char *in, size_t len)
{
    (void)in;
    (void)len;
    return zlib_open(15 + 16);
}

/* "deflate" is zlib by RFC 9110, raw by habit: the first two bytes tell (RFC 1950 section 2.2). */
static void *deflate_open(const unsigned char *in, size_t len)
{
    bool zlib = len >= 2 && (in[0] & 0x0F) == 8 && (in[0] * 256 + in[1]) % 31 == 0;
    return zlib_open(zlib ? 15 : -15);
}

static int zlib_run(z_stream *z, struct body_stream *s)
{
    z->next_in = (Bytef *)(uintptr_t)s->in;
    z->avail_in = (uInt)s->in_left;
    z->next_out = s->out;
    z->avail_out = (uInt)s->out_left;
    int rc = inflate(z, Z_NO_FLUSH);
    s->in = z->next_in;
    s->in_left = z->avail_in;
    s->out = z->next_out;
    s->out_left = z->avail_out;
    return rc;
}

static enum body_step deflate_step(void *state, struct body_stream *s)
{
    int rc = zlib_run(state, s);
    if (rc == Z_STREAM_END)
        return BODY_DONE;
    if ((rc == Z_OK || rc == Z_BUF_ERROR) && s->out_left == 0)
        return BODY_MORE_ROOM;
    return BODY_BROKEN; /* all input is used up, and there is no end */
}

/* RFC 1952: several members follow each other. */
static enum body_step gzip_step(void *state, struct body_stream *s)
{
    for (;;) {
        enum body_step step = deflate_step(state, s);
        if (step != BODY_DONE || s->in_left == 0)
            return step;
        inflateReset(state);
    }
}

static void zlib_close(void *state)
{
    inflateEnd(state);
    free(state);
}

const struct body_decoder BODY_DECODER_GZIP = {"gzip", gzip_open, gzip_step, zlib_close};
const struct body_decoder BODY_DECODER_DEFLATE = {"deflate", deflate_open, deflate_step,
                                                  zlib_close};

/* ---- brotli */

static void *brotli_open(const unsigned char *in, size_t len)
{
    (void)in;
    (void)len;
    return BrotliDecoderCreateInstance(NULL, NULL, NULL);
}

static enum body_step brotli_step(void *state, struct body_stream *s)
{
    BrotliDecoderResult rc =
        BrotliDecoderDecompressStream(state, &s->in_left, &s->in, &s->out_left, &s->out, NULL);
    if (rc == BROTLI_DECODER_RESULT_SUCCESS)
        return s->in_left == 0 ? BODY_DONE : BODY_BROKEN;
    return rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ? BODY_MORE_ROOM : BODY_BROKEN;
}

static void brotli_close(void *state)
{
    BrotliDecoderDestroyInstance(state);
}

const struct body_decoder BODY_DECODER_BROTLI = {"br", brotli_open, brotli_step, brotli_close};

/* ---- zstd: the window is bounded, or a frame header of 20 bytes asks for gigabytes */

enum { ZSTD_WINDOW_LOG_MAX = 23 }; /* 8 MiB: RFC 8878 section 3.1.1.1.2 recommends to take that */

static void *zstd_open(const unsigned char *in, size_t len)
{
    (void)in;
    (void)len;
    ZSTD_DStream *z = ZSTD_createDStream();
    if (z)
        ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    return z;
}

static enum body_step zstd_step(void *state, struct body_stream *s)
{
    ZSTD_inBuffer in = {s->in, s->in_left, 0};
    ZSTD_outBuffer out = {s->out, s->out_left, 0};
    size_t rc = 1;
    while (out.pos < out.size) {
        size_t before = in.pos + out.pos;
        rc = ZSTD_decompressStream(state, &out, &in);
        if (ZSTD_isError(rc) || in.pos + out.pos == before)
            break;
        if (rc == 0 && in.pos == in.size)
            break;
    }
    s->in += in.pos;
    s->in_left -= in.pos;
    s->out += out.pos;
    s->out_left -= out.pos;
    if (ZSTD_isError(rc))
        return BODY_BROKEN;
    if (rc == 0 && s->in_left == 0)
        return BODY_DONE;
    return s->out_left == 0 ? BODY_MORE_ROOM : BODY_BROKEN;
}

static void zstd_close(void *state)
{
    ZSTD_freeDStream(state);
}

const struct body_decoder BODY_DECODER_ZSTD = {"zstd", zstd_open, zstd_step, zstd_close};
