/* tail.h -- the end of what a command said: a ring of fixed size. */
#ifndef NABAT_LOG_TAIL_H
#define NABAT_LOG_TAIL_H

#include <stddef.h>

enum { TAIL_BYTES = 8 * 1024 };

struct tail {
    char bytes[TAIL_BYTES];
    size_t total; /* of everything that went through */
};

void tail_add(struct tail *tail, const char *bytes, size_t len);

/* Appends the end of it, from the beginning of a line where it was cut; NUL bytes are blanks. `text` has room for
 * TAIL_TEXT_BYTES more; returns how many were added, behind them stands a NUL. */
enum { TAIL_TEXT_BYTES = TAIL_BYTES + 16 };
size_t tail_copy(const struct tail *tail, char *text);

#endif
