/* body.h -- inflating request bodies into a ceiling (RFC 9110 section 8.4; RFC 7932 br; RFC 8878 zstd). */
#ifndef NABAT_INGEST_BODY_H
#define NABAT_INGEST_BODY_H

#include "core/buf.h"
#include "core/err.h"

enum body_coding { BODY_IDENTITY, BODY_GZIP, BODY_DEFLATE, BODY_BROTLI, BODY_ZSTD, BODY_UNKNOWN };

/* What body_coding_of takes, for the 415. */
#define BODY_CODINGS "gzip, deflate, br, zstd or identity"

/* `text` NULL or empty is identity; so is "utf-8", which confused clients send. */
enum body_coding body_coding_of(const char *text, size_t len);

/* Asked before each growth of `out`; false ends with ERR_RETRY ("no memory for it now"). */
typedef bool body_reserve_fn(void *ctx, size_t bytes);

/* Appends the inflated bytes to `out`, whose ceiling is the cap. ERR_INPUT: not what it claims to
 * be or cut short; ERR_LIMIT: over the ceiling, or a bomb: beyond BODY_RATIO_FREE_BYTES more than
 * BODY_RATIO_MAX times what came in. */
bool body_inflate(enum body_coding coding, const char *bytes, size_t len, struct buf *out,
                  body_reserve_fn *reserve, void *ctx, struct err *err);

#endif
