/* fuzz_body.c -- what was packed by zlib and zstd themselves comes out the same; what was not is refused, and
 * nothing grows beyond its ceiling. */
#include "core/limits.h"
#include "ingest/body.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CEILING = 256 * KIB };

static size_t pack(enum body_coding coding, const uint8_t *data, size_t size, char *out,
                   size_t room)
{
    if (coding == BODY_ZSTD)
        return ZSTD_compress(out, room, data, size, 1);
    z_stream z = {0};
    if (deflateInit2(&z, 1, Z_DEFLATED, coding == BODY_GZIP ? 31 : 15, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        abort();
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    size_t n = room - z.avail_out;
    deflateEnd(&z);
    return n;
}

static void round_trip(enum body_coding coding, const uint8_t *data, size_t size)
{
    size_t room = size + size / 2 + 256;
    char *packed = malloc(room);
    size_t n = pack(coding, data, size, packed, room);
    struct buf out;
    struct err err = {0};
    buf_init(&out, CEILING);
    bool ok = body_inflate(coding, packed, n, &out, NULL, NULL, &err);
    if (ok != (size <= CEILING) ||
        (ok && (out.len != size || memcmp(buf_text(&out), data, size) != 0)))
        abort();
    buf_fini(&out);
    /* cut short it is none */
    buf_init(&out, CEILING);
    if (n > 1 && body_inflate(coding, packed, n - 1, &out, NULL, NULL, &err))
        abort();
    buf_fini(&out);
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum body_coding CODINGS[] = {BODY_GZIP, BODY_DEFLATE, BODY_ZSTD, BODY_BROTLI};
    if (size == 0)
        return 0;
    enum body_coding coding = CODINGS[data[0] % 4];
    struct buf out;
    struct err err = {0};
    buf_init(&out, CEILING);
    if (!body_inflate(coding, (const char *)data + 1, size - 1, &out, NULL, NULL, &err) &&
        err.kind != ERR_INPUT && err.kind != ERR_LIMIT)
        abort();
    if (out.len > CEILING)
        abort();
    buf_fini(&out);
    if (coding != BODY_BROTLI)
        round_trip(coding, data + 1, size - 1);
    return 0;
}
