/* fuzz_http_head.c -- whole messages: what ours accepts, libhttp-parser accepts with the same border. */
#include "net/http_chunk.h"
#include "net/http_head.h"
#include "tests/fuzz/oracle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the first message ends for ours; 0: refused or cut short. */
static size_t our_end(const char *bytes, size_t size)
{
    struct http_head head;
    if (http_head_parse(bytes, size, &head) != HTTP_HEAD_DONE)
        return 0;
    if (!head.chunked) {
        size_t body = head.content_length > 0 ? (size_t)head.content_length : 0;
        return body <= size - head.bytes ? head.bytes + body : 0;
    }
    struct http_chunk chunk = {0};
    struct buf body;
    buf_init(&body, size + 1);
    size_t used = http_chunk_feed(&chunk, bytes + head.bytes, size - head.bytes, &body);
    buf_fini(&body);
    return chunk.state == CHUNK_DONE ? head.bytes + used : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    size_t end = our_end(bytes, size);
    if (end == 0)
        return 0;
    if (!oracle_accepts(bytes, size, end))
        abort();
    return 0;
}
