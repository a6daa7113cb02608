/* utf8.h -- text that came from anywhere, made safe: valid UTF-8 (RFC 3629) without NUL. */
#ifndef NABAT_CORE_UTF8_H
#define NABAT_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads one code point at `at` (at < end). Returns its length in bytes, 0 when invalid. */
size_t utf8_decode(const unsigned char *at, const unsigned char *end, uint32_t *out);
/* Writes a code point (below 0x110000) as up to 4 bytes; returns their number. */
size_t utf8_encode(uint32_t code, char out[4]);

/* Copies `len` bytes to `out` (at least 3 * len + 1 bytes): what is invalid or NUL becomes U+FFFD.
 * NUL-terminated; returns the length written. */
size_t utf8_clean(const char *text, size_t len, char *out);
bool utf8_is_clean(const char *text, size_t len);

/* The longest prefix of at most `bytes_max` bytes that does not split a code point. */
size_t utf8_cut(const char *text, size_t len, size_t bytes_max);
/* UTF-16 code units of clean text: what Telegram's entity offsets count, and never fewer than the
 * code points that its length limits count. */
size_t utf8_utf16_units(const char *text, size_t len);
/* The longest prefix with at most `units_max` UTF-16 units. */
size_t utf8_cut_units(const char *text, size_t len, size_t units_max);

#endif
