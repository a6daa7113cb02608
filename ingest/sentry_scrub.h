/* sentry_scrub.h -- which rules reach which part of a Sentry event. */
#ifndef NABAT_INGEST_SENTRY_SCRUB_H
#define NABAT_INGEST_SENTRY_SCRUB_H

#include "ingest/scrub.h"

/* In place, the whole event. Exempt as in Relay: file names and paths, exception values and
 * messages (there only the secret itself goes), the user agent, debug_meta. Returns how many. */
int sentry_scrub(const struct scrub *scrub, struct json_value *event, struct arena *arena);

#endif
