/* random.h -- random bytes and ids from the kernel, hex, and comparison of secrets. */
#ifndef NABAT_CORE_RANDOM_H
#define NABAT_CORE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANDOM_HEX_BYTES = 33 };

void random_bytes(void *out, size_t len);
uint32_t random_u32(void);
void random_hex32(char out[RANDOM_HEX_BYTES]); /* 32 lower-case hex digits and NUL */
/* For an event that came without an id: a UUID of version 7 (RFC 9562), its first 48 bits the time, so that ids
 * made one after another stand beside each other in an index. */
void random_event_id(int64_t now_ms, char out[RANDOM_HEX_BYTES]);
/* Takes as long for a wrong first letter as for a wrong last one. */
bool secret_equal(const char *a, const char *b);
/* Exactly 32 hex digits, any case, or a UUID with dashes; written lower-cased without dashes. */
bool hex32_parse(const char *text, size_t len, char out[RANDOM_HEX_BYTES]);

#endif
