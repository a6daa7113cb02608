/* memo.h -- texts that came before, each with what was found out about it.
 *
 * A bot that fails sends the same stack a thousand times: what is a function of a text alone need not be worked out
 * again. Texts are compared whole, never by a hash alone. Bounded: a new text takes the place of an old one, and when
 * the bytes are used up all of them go. */
#ifndef NABAT_INGEST_MEMO_H
#define NABAT_INGEST_MEMO_H

#include <stddef.h>

struct memo;

/* `slots` is a power of two. */
struct memo *memo_new(size_t slots, size_t bytes_max);
void memo_free(struct memo *memo);

/* What was put for exactly this text; NULL: it is not there. BORROWED until the next memo_put. */
const void *memo_get(const struct memo *memo, const char *text, size_t len, size_t *value_len);
void memo_put(struct memo *memo, const char *text, size_t len, const void *value, size_t value_len);

#endif
