/* json_reader.h -- reads JSON that real producers send: one pass, bounded, tolerant.
 *
 * Beyond RFC 8259 it takes invalid UTF-8, lone surrogates, NUL, raw control characters in strings,
 * NaN and Infinity, numbers of any size and any depth. What can't be kept becomes something that
 * can: U+FFFD, a string, a marker. What is no JSON value at all is an error with its position. */
#ifndef NABAT_INGEST_JSON_READER_H
#define NABAT_INGEST_JSON_READER_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind {
    JSON_NULL_V,
    JSON_TRUE_V,
    JSON_FALSE_V,
    JSON_NUMBER_V,
    JSON_STRING_V,
    JSON_ARRAY_V,
    JSON_OBJECT_V
};

/* Text points into the input or the arena: clean UTF-8 without NUL, not NUL-terminated. A number
 * keeps its text. Members of an object carry their key; children are a list in input order. */
struct json_value {
    enum json_kind kind;
    const char *text;
    size_t len;
    const char *key;
    size_t key_len;
    struct json_value *first;
    struct json_value *last; /* where the next child is hung on */
    struct json_value *next;
};

/* Reads one value from *at, leaving *at behind it. NULL: `err` is INPUT (not JSON; says where,
 * counted from `start`) or LIMIT (the arena is full). */
struct json_value *json_read(const char *start, const char **at, const char *end,
                             struct arena *arena, struct err *err);
/* The same without the values of members of these names (NULL-terminated), at any depth: they read as
 * null and cost nothing. For what was too large to be read whole. */
struct json_value *json_read_without(const char *start, const char **at, const char *end,
                                     const char *const *names, struct arena *arena,
                                     struct err *err);
const char *json_skip_blanks(const char *at, const char *end);

/* The last member of that name, as PostgreSQL's jsonb has it; NULL: none, or no object. */
struct json_value *json_find(const struct json_value *object, const char *key);

/* Writes a value as strict JSON that jsonb accepts. */
void json_write(const struct json_value *value, struct buf *out);

#endif
