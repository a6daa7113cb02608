/* clock.h -- wall and monotonic time in milliseconds, and times as text. */
#ifndef NABAT_CORE_CLOCK_H
#define NABAT_CORE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ms(void); /* Unix time */
int64_t clock_mono_ms(void); /* since an unknown moment; never jumps */

/* RFC 3339 (section 5.6; a blank for `T` is taken too; without an offset: UTC).
 * False when it is no time at all or outside the years 1 to 9999. */
bool clock_parse_rfc3339(const char *text, size_t len, int64_t *out_ms);

enum { CLOCK_TEXT_BYTES = 40 };
void clock_format_utc(int64_t ms, char out[CLOCK_TEXT_BYTES]); /* 2026-11-21T01:37:30.123Z */
/* Makes `zone` (a tz name such as Europe/Moscow) the process's own; false: unknown. */
bool clock_set_zone(const char *zone);

#endif
