/* sentry_security.h -- what browsers report by themselves: CSP and its relatives, as events. */
#ifndef NABAT_INGEST_SENTRY_SECURITY_H
#define NABAT_INGEST_SENTRY_SECURITY_H

#include "ingest/sentry_event.h"

enum { SECURITY_REPORTS_MAX = 100, SECURITY_TITLE_BYTES = 320 };

/* {"csp-report": …}, Expect-CT, Expect-Staple, HPKP, or an array of the Reporting API. Reads
 * report number `index` of the body; false: there is none (err untouched) or LIMIT. Grouped by
 * directive and blocked host. */
bool sentry_security_read(const struct json_value *body, size_t index,
                          const struct sentry_config *config, struct arena *arena,
                          struct sentry_notes *notes, struct event *event, struct err *err);

/* Title and group of an event that carries such a report as an interface of its own (csp, expectct,
 * expectstaple, hpkp). False: it carries none. */
bool sentry_security_title(const struct json_value *event, char title[SECURITY_TITLE_BYTES],
                           char key[SECURITY_TITLE_BYTES]);

#endif
