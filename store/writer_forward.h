/* writer_forward.h -- what a batch puts into forward_queue (SENTRY_DSN), in its own transaction. */
#ifndef NABAT_STORE_WRITER_FORWARD_H
#define NABAT_STORE_WRITER_FORWARD_H

#include "store/writer_batch.h"

void write_batch_add_forward(struct pg_batch *pg, const struct write_batch *batch);

#endif
