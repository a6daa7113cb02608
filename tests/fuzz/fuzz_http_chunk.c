/* fuzz_http_chunk.c -- chunked bodies: the same result however they are cut. */
#include "net/http_chunk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_chunk whole = {0};
    struct http_chunk pieces = {0};
    struct buf a;
    struct buf b;
    if (size < 1)
        return 0;
    size_t step = data[0] % 13 + 1;
    const char *bytes = (const char *)data + 1;
    size--;
    buf_init(&a, 4096);
    buf_init(&b, 4096);
    http_chunk_feed(&whole, bytes, size, &a);
    for (size_t at = 0; at < size && pieces.state < CHUNK_DONE;)
        at += http_chunk_feed(&pieces, bytes + at, size - at < step ? size - at : step, &b);
    if (whole.state != pieces.state)
        abort();
    if (whole.state != CHUNK_FULL && (a.len != b.len || memcmp(buf_text(&a), buf_text(&b), a.len)))
        abort();
    buf_fini(&a);
    buf_fini(&b);
    return 0;
}
