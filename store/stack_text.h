/* stack_text.h -- a stack text as it is stored: what all events of a stack share, and the piece that one event says. */
#ifndef NABAT_STORE_STACK_TEXT_H
#define NABAT_STORE_STACK_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Stands in the shared text for the piece: nabat_stack() of sql/012_shared.sql puts it back. */
enum { STACK_TEXT_MARK = 1 };

struct stack_text {
    const char *said; /* within the text; NULL: the text is stored whole */
    size_t said_len;  /* above 0 */
    bool in_columns;  /* it is what exception_type and message say, joined by ": " */
};

/* Finds the message of what was raised: the last lines of a Python traceback, the first of most others. `type` and
 * `message` may be NULL. Pure. */
struct stack_text stack_text_split(const char *text, const char *type, const char *message);

#endif
