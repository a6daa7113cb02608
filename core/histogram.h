/* histogram.h -- how long and how much: histograms of the process with fixed buckets, for /metrics. */
#ifndef NABAT_CORE_HISTOGRAM_H
#define NABAT_CORE_HISTOGRAM_H

#include "core/buf.h"

enum histogram {
    HISTOGRAM_BATCH_EVENTS,   /* events of a committed batch */
    HISTOGRAM_COMMIT_SECONDS, /* from a batch's beginning to its commit */
    HISTOGRAM_ALERT_SECONDS,  /* from due to delivered */
    HISTOGRAM_LOOP_SECONDS,   /* one turn of the loop: so long nobody else was served */
    HISTOGRAMS
};

void histogram_observe(enum histogram histogram, double value);
/* Prometheus text format 0.0.4: buckets, sum, count. */
void histogram_write_all(struct buf *out);

#endif
