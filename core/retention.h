/* retention.h -- RETENTION: days by severity or origin, "critical=180,security=365,debug=3". Pure. */
#ifndef NABAT_CORE_RETENTION_H
#define NABAT_CORE_RETENTION_H

#include "core/buf.h"

enum { RETENTION_DAYS_MAX = 3650, RETENTION_CLASSES_MAX = 64 };

/* As PostgreSQL's array literals, "{critical,security}" and "{180,365}" (of NULL: empty arrays). False: it is no such list. */
bool retention_parse(const char *text, struct buf *names, struct buf *days);

#endif
