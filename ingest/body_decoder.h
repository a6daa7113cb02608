/* body_decoder.h -- one content coding as a decoder that body.c drives; nobody else includes it. */
#ifndef NABAT_INGEST_BODY_DECODER_H
#define NABAT_INGEST_BODY_DECODER_H

#include <stdbool.h>
#include <stddef.h>

struct body_stream {
    const unsigned char *in;
    size_t in_left;
    unsigned char *out;
    size_t out_left;
};

enum body_step { BODY_MORE_ROOM, BODY_DONE, BODY_BROKEN };

/* `step` moves as many bytes as it can. MORE_ROOM: call again with room; DONE: all of the input
 * was a whole; BROKEN: it is not what it claims to be, or ends in the middle. */
struct body_decoder {
    const char *name;
    void *(*open)(const unsigned char *in, size_t len); /* NULL: no memory */
    enum body_step (*step)(void *state, struct body_stream *s);
    void (*close)(void *state);
};

extern const struct body_decoder BODY_DECODER_GZIP;
extern const struct body_decoder BODY_DECODER_DEFLATE;
extern const struct body_decoder BODY_DECODER_BROTLI;
extern const struct body_decoder BODY_DECODER_ZSTD;

#endif
