/* metric_labels.h -- counters with labels. Nobody can make labels without end: what is beyond the bound is counted together.
 */
#ifndef NABAT_CORE_METRIC_LABELS_H
#define NABAT_CORE_METRIC_LABELS_H

#include "core/buf.h"

#include <stdint.h>

/* Events taken, by origin and severity: nabat_events_total. Of origins that were never heard of, the first
 * METRIC_ORIGINS_MAX get a label; what comes after them is counted as "other_origins". */
enum { METRIC_ORIGINS_MAX = 50 };
void metric_event(const char *origin, int severity);

/* Bot API calls, by method and outcome: nabat_telegram_calls_total. Both are literals of ours. */
void metric_call(const char *method, const char *outcome);

/* Alerts of alert_outbox that are not done with, by state: nabat_outbox. As the holder of the lease last saw it. */
enum outbox_gauge { OUTBOX_PENDING, OUTBOX_SENDING, OUTBOX_UNCERTAIN, OUTBOX_GAUGES };
void metric_outbox(enum outbox_gauge state, int64_t rows);

void metric_write_labels(struct buf *out);

#endif
