/* writer_tally.h -- what a batch counts for its hours: one row, in the batch's own transaction (sql/013_hours.sql, 017_statistics.sql). */
#ifndef NABAT_STORE_WRITER_TALLY_H
#define NABAT_STORE_WRITER_TALLY_H

#include "store/writer_batch.h"

/* Every event that was accepted, those without a row too. The batch is aggregated, and knows its groups' ids. */
void write_batch_add_tally(struct pg_batch *pg, const struct write_batch *batch);
/* It is committed: its users are no news any more. */
void write_batch_keep_users(const struct write_batch *batch, struct writer_cache *cache);

#endif
