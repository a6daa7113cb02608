/* buf.h -- a growing byte buffer that can't be made without a ceiling. */
#ifndef NABAT_CORE_BUF_H
#define NABAT_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* `data` is always NUL-terminated once something was appended; `len` does not count the NUL.
 * `full` is sticky: an append that did not fit changes nothing else and sets it. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t bytes_max;
    bool full;
};

void buf_init(struct buf *buf, size_t bytes_max);
void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory */
char *buf_take(struct buf *buf); /* the caller frees; never NULL; the buffer is empty again */
const char *buf_text(const struct buf *buf); /* never NULL */

bool buf_reserve(struct buf *buf, size_t more); /* false and `full` when over the ceiling */
bool buf_add(struct buf *buf, const void *data, size_t len);
bool buf_add_str(struct buf *buf, const char *text);
bool buf_add_char(struct buf *buf, char c);
bool buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_drop(struct buf *buf, size_t len); /* forgets `len` bytes at the front */

#endif
