/* rate.h -- token buckets of keys and addresses in a table of fixed size: pure, time is given. */
#ifndef NABAT_API_RATE_H
#define NABAT_API_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rate_table;

/* When it is full, the bucket untouched for longest makes room. */
struct rate_table *rate_table_new(size_t buckets_max);
void rate_table_free(struct rate_table *table);

/* Takes `n` from the bucket `name`, which refills with `per_minute` and holds as many. 0: taken.
 * Else nothing was taken, and so many seconds until one would be. A request of more than is there
 * is let in whole as long as the bucket was not empty, and paid back later. */
int64_t rate_take(struct rate_table *table, const char *name, int64_t per_minute, int64_t n,
                  int64_t now_ms);

#endif
