/* sentry_value.h -- fields of a Sentry event in all the shapes that SDKs send them in.
 *
 * Nothing here fails: what is not what it should be reads as absent. Every function takes NULL for
 * "absent" and passes it on. */
#ifndef NABAT_INGEST_SENTRY_VALUE_H
#define NABAT_INGEST_SENTRY_VALUE_H

#include "core/arena.h"
#include "ingest/json_reader.h"
#include "ingest/stack_part.h"

/* A member that is there and not null. */
const struct json_value *sentry_get(const struct json_value *object, const char *key);
/* `a.b.c` */
const struct json_value *sentry_get_path(const struct json_value *object, const char *path);

/* Text of a string or number, "True"/"False" of a boolean; else an empty part. */
struct part sentry_part(const struct json_value *v);
struct part sentry_get_part(const struct json_value *object, const char *key);
bool part_equals(struct part p, const char *text);
/* NUL-terminated and cut at `bytes_max`; NULL when empty or only blanks, or the arena is full. */
const char *sentry_text(struct part p, size_t bytes_max, struct arena *arena);
/* The same of bytes that no JSON reader has cleaned. */
const char *sentry_text_clean(struct part p, size_t bytes_max, struct arena *arena);
/* Text of any value: containers as JSON. */
struct part sentry_any(const struct json_value *v, struct arena *arena);

/* 1, 0, or -1 when it is neither true nor false. */
int sentry_bool(const struct json_value *v);
/* A whole number, also as text or with a fraction; false: none, or outside 64 bits. */
bool sentry_int(const struct json_value *v, int64_t *out);

/* First element of a list in any of its shapes: an array, {"values": array}, one bare object. */
const struct json_value *sentry_list(const struct json_value *v);
/* The next element; NULL at the end, and behind a bare object. */
const struct json_value *sentry_list_next(const struct json_value *list,
                                          const struct json_value *element);
size_t sentry_list_count(const struct json_value *v);

/* Walks what may be an object, a list of [name, value] pairs, or of {"key", "value"} objects.
 * *at starts NULL; false at the end. */
bool sentry_pair_next(const struct json_value *pairs, const struct json_value **at,
                      struct part *name, const struct json_value **value);
/* The value of that name in such pairs. */
const struct json_value *sentry_pair_find(const struct json_value *pairs, const char *name);

/* Seconds (number or text), RFC 3339, or ISO without an offset (UTC). False: no moment between 1970
 * and 9999. */
bool sentry_time(const struct json_value *v, int64_t *out_ms);

#endif
