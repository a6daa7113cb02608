/* pattern.h -- a regular expression of ours, compiled for the life of its owner.
 *
 * Include it after defining PCRE2_CODE_UNIT_WIDTH as 8. */
#ifndef NABAT_INGEST_PATTERN_H
#define NABAT_INGEST_PATTERN_H

#include <pcre2.h>
#include <stdint.h>

/* `pattern` is NUL-terminated and ours: one that does not compile is a bug and aborts. The caller
 * frees it with pcre2_code_free. */
pcre2_code *pattern_compile(const char *pattern, uint32_t options);

#endif
