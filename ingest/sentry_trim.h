/* sentry_trim.h -- a Sentry event over the limit, made to fit instead of refused (CONTRACT section 3). */
#ifndef NABAT_INGEST_SENTRY_TRIM_H
#define NABAT_INGEST_SENTRY_TRIM_H

#include "ingest/json_reader.h"

enum sentry_trimmed {
    TRIMMED_VARS = 1,
    TRIMMED_BREADCRUMBS = 2,
    TRIMMED_CONTEXT = 4,
    TRIMMED_TEXTS = 8, /* long texts of anything else were cut */
    TRIMMED_REST = 16, /* and what was still too large is gone */
};

/* Takes away local variables, then breadcrumbs, then context lines, then cuts what is long, until
 * the event written as JSON is within `bytes_max`. Returns enum sentry_trimmed, or'ed; 0 when it
 * fitted. */
unsigned sentry_trim(struct json_value *event, size_t bytes_max);
/* "local variables, breadcrumbs" */
const char *sentry_trim_words(unsigned trimmed);

#endif
