/* err.h -- one error by value: a kind that says what the caller does, and a text for people. */
#ifndef NABAT_CORE_ERR_H
#define NABAT_CORE_ERR_H

#include <stdbool.h>

enum err_kind {
    ERR_NONE = 0,
    ERR_INPUT, /* the sender's fault: tell the sender */
    ERR_LIMIT, /* over a named bound: 413 or 429 */
    ERR_RETRY, /* the world's fault and passing: try later */
    ERR_GONE,  /* final: stop trying */
    ERR_BUG,   /* ours */
};

enum { ERR_TEXT_BYTES_MAX = 400 };

/* `text` is UTF-8, NUL-terminated, cut at ERR_TEXT_BYTES_MAX; it never holds a secret. */
struct err {
    enum err_kind kind;
    char text[ERR_TEXT_BYTES_MAX];
};

/* Sets the error and returns false, so that `return err_set(...)` reads well. `err` may be NULL. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
