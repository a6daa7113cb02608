/* hours.h -- keeps the hours' counts up to date: what batches counted is added up every 2 s (sql/013_hours.sql).
 *
 * Only the holder of the lease does; a second one that believes to hold it does no harm. */
#ifndef NABAT_STORE_HOURS_H
#define NABAT_STORE_HOURS_H

#include "store/lease.h"

struct hours;

/* Both are BORROWED. */
struct hours *store_hours_new(struct ev_loop *loop, struct pg *pg, struct lease *lease);
void store_hours_free(struct hours *hours);

#endif
