/* metric.h -- counters and gauges of the whole process, named once, read by /metrics and /health. */
#ifndef NABAT_CORE_METRIC_H
#define NABAT_CORE_METRIC_H

#include "core/buf.h"

#include <stdint.h>

enum metric {
    METRIC_HTTP_REQUESTS,
    METRIC_HTTP_REFUSED,
    METRIC_HTTP_CONNECTIONS,
    METRIC_HTTP_EVICTED,
    METRIC_HTTP_BODY_BYTES,
    METRIC_EVENTS_ACCEPTED,
    METRIC_EVENTS_REPEATED,
    METRIC_EVENTS_REFUSED,
    METRIC_EVENTS_COUNTED,
    METRIC_EVENTS_SPOOLED,
    METRIC_SPOOLING,
    METRIC_SPOOL_SYNCS,
    METRIC_SPOOL_BYTES,
    METRIC_SPOOL_FILES,
    METRIC_SPOOL_REPLAYED,
    METRIC_SPOOL_REFUSED,
    METRIC_SPOOL_DAMAGED_BYTES,
    METRIC_EMERGENCY_RUNG,
    METRIC_WRITER_BATCHES,
    METRIC_WRITER_DIRECT,
    METRIC_WRITER_RETRIES,
    METRIC_WRITER_QUEUE_EVENTS,
    METRIC_WRITER_QUEUE_BYTES,
    METRIC_DB_RECONNECTS,
    METRIC_INBOX_DRAINED,
    METRIC_INBOX_FAILED,
    METRIC_ALERTS_RUNG,
    METRIC_ALERTS_HELD,
    METRIC_ALERTS_SENT,
    METRIC_ALERTS_EDITED,
    METRIC_ALERTS_FOLDED,
    METRIC_ALERTS_FALLEN_BACK,
    METRIC_DIGESTS_SHOWN,
    METRIC_ANSWERS_DROPPED,
    METRIC_ALERTS_FAILED,
    METRIC_ALERTS_RETRIED,
    METRIC_CHAT_REFUSALS,
    METRIC_SELF_ALARMS,
    METRIC_TELEGRAM_CALLS,
    METRIC_TELEGRAM_ERRORS,
    METRIC_UPDATES_HANDLED,
    METRIC_UPDATES_REFUSED,
    METRIC_SCRUBBED,
    METRIC_SDK_ITEMS_NOT_KEPT,
    METRIC_SDK_FIELDS_UNREADABLE,
    METRIC_SDK_EVENTS_TRIMMED,
    METRIC_SDK_ERRORS_DROPPED,
    METRIC_SDK_OTHERS_DROPPED,
    METRIC_RATE_LIMITED,
    METRIC_CHECKINS,
    METRIC_CHECKINS_REFUSED,
    METRIC_FEEDBACK,
    METRIC_SESSIONS,
    METRICS,
};

void metric_add(enum metric metric, int64_t n);
void metric_set(enum metric metric, int64_t value);
int64_t metric_get(enum metric metric);
/* Events taken, by origin and severity: nabat_events_total. Of origins that were never heard of, the first
 * METRIC_ORIGINS_MAX get a label; what comes after them is counted as "other_origins", so that nobody can
 * make labels without end. */
enum { METRIC_ORIGINS_MAX = 50 };
void metric_event(const char *origin, int severity);
/* Prometheus text format 0.0.4, names start with nabat_. */
void metric_write_all(struct buf *out);

#endif
