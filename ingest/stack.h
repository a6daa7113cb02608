/* stack.h -- stack text of many languages read into frames, for grouping and for the culprit.
 *
 * Knows Python, JavaScript, Go, Java, Rust, PHP, Ruby and native (gdb, glibc, sanitizers). */
#ifndef NABAT_INGEST_STACK_H
#define NABAT_INGEST_STACK_H

#include "core/limits.h"

#include <stdbool.h>
#include <stddef.h>

enum { FRAME_TEXT_BYTES = 160 };

/* Cleaned for comparison: no directories, line numbers, addresses, hashes or generated counters. */
struct stack_frame {
    char file[FRAME_TEXT_BYTES];     /* base name, or module/class; may be empty */
    char function[FRAME_TEXT_BYTES]; /* may be empty, not both */
    bool in_app;                     /* not a library's or the runtime's */
};

struct stack {
    struct stack_frame frames[STACK_FRAMES_READ_MAX]; /* innermost (where it was raised) first */
    size_t count;
    char type[FRAME_TEXT_BYTES]; /* of the exception, when the text names it */
};

/* False when no frame was recognised. */
bool stack_parse(const char *text, struct stack *stack);

/* One line of a stack in one language. False: not a frame of that language. Pure; stack_lines.c. */
struct stack_language {
    const char *name;
    bool innermost_last; /* Python */
    bool (*frame)(const char *line, size_t len, const char *next_line, struct stack_frame *frame);
    bool (*library)(const char *line, size_t len, const struct stack_frame *frame);
};
extern const struct stack_language STACK_LANGUAGES[];
extern const size_t STACK_LANGUAGES_COUNT;

#endif
