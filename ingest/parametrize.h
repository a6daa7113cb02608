/* parametrize.h -- a message without what varies: numbers, ids, dates, addresses, quoted values. */
#ifndef NABAT_INGEST_PARAMETRIZE_H
#define NABAT_INGEST_PARAMETRIZE_H

#include "core/buf.h"

#include <stddef.h>

/* Appends the first two lines of `text` (at most 1 KiB of it) with values replaced by <int>,
 * <float>, <hex>, <uuid>, <date>, <duration>, <ip>, <url>, <email>, <hostname>, <quoted> and their kin. Linear. */
void parametrize(const char *text, size_t len, struct buf *out);

#endif
