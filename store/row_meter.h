/* row_meter.h -- how many rows each group got in this minute: beyond a limit its events are only counted.
 * Pure: the clock is an argument. */
#ifndef NABAT_STORE_ROW_METER_H
#define NABAT_STORE_ROW_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row_meter;

/* `rows_a_minute` above 0. */
struct row_meter *row_meter_new(int64_t rows_a_minute);
void row_meter_free(struct row_meter *meter);

/* Whether the next event of that group is kept as a row; counts it. Beyond the limit one in
 * ROW_SAMPLE_EVERY is. A group is known by a hash of project and fingerprint. */
bool row_meter_keeps(struct row_meter *meter, uint64_t group, int64_t now_ms);

#endif
