/* stack_part.h -- a piece of a stack's line, and the little that readers of lines do with it. */
#ifndef NABAT_INGEST_STACK_PART_H
#define NABAT_INGEST_STACK_PART_H

#include "ingest/stack.h"

#include <stddef.h>

struct part {
    const char *at;
    size_t len;
};

struct part part_trim(struct part p);
const char *part_find(struct part p, const char *text);
const char *part_find_last(struct part p, char c);
bool part_starts(struct part p, const char *text);
bool part_ends(struct part p, const char *text);
struct part part_skip(struct part p, size_t n);                  /* without its first n bytes */
struct part part_until(struct part p, const char *stop);         /* `stop` points into p */
bool part_contains_any(struct part p, const char *const *words); /* NULL-terminated */
struct part part_strip_position(struct part p); /* without ":12:3" or ":12" at its end */

/* Into a frame, cut at a code point. */
void part_put(char out[FRAME_TEXT_BYTES], struct part p);
/* Base name without directories, query, and content hashes ("app-8f3e2c1d.js" -> "app.js"). */
void part_put_file(char out[FRAME_TEXT_BYTES], struct part path);
/* Without the counters of generated code ("lambda$run$17" -> "lambda$run"). */
void part_put_generated(char out[FRAME_TEXT_BYTES], struct part name);

/* Readers and library rules of compiled languages, for the table in stack_lines.c. */
bool stack_java_frame(const char *line, size_t len, const char *next, struct stack_frame *f);
bool stack_java_library(const char *line, size_t len, const struct stack_frame *f);
bool stack_go_frame(const char *line, size_t len, const char *next, struct stack_frame *f);
bool stack_go_library(const char *line, size_t len, const struct stack_frame *f);
bool stack_rust_frame(const char *line, size_t len, const char *next, struct stack_frame *f);
bool stack_rust_library(const char *line, size_t len, const struct stack_frame *f);
bool stack_native_frame(const char *line, size_t len, const char *next, struct stack_frame *f);
bool stack_native_library(const char *line, size_t len, const struct stack_frame *f);

#endif
