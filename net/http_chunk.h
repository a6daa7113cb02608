/* http_chunk.h -- decoder of chunked bodies (RFC 9112 section 7.1): pure, fed in pieces, strict. */
#ifndef NABAT_NET_HTTP_CHUNK_H
#define NABAT_NET_HTTP_CHUNK_H

#include "core/buf.h"

#include <stdint.h>

enum http_chunk_state {
    CHUNK_SIZE_FIRST,
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER_FIRST,
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_DONE,
    CHUNK_BAD,
    CHUNK_FULL, /* the body is over the ceiling of its buffer */
};

struct http_chunk {
    enum http_chunk_state state;
    uint64_t left;  /* of the chunk at hand */
    unsigned extra; /* bytes of extensions and trailers so far */
    char name[20];  /* of the trailer at hand, to refuse those that frame a message */
    unsigned name_len;
};

/* A zeroed struct is ready. Feeds `len` bytes, appends data to `body`; returns the bytes used: all
 * of them unless the state is DONE, BAD or FULL. */
size_t http_chunk_feed(struct http_chunk *chunk, const char *bytes, size_t len, struct buf *body);

#endif
