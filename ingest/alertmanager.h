/* alertmanager.h -- Alertmanager's webhook (version 4) into events, and what is over. Pure.
 *
 *     {"version": "4", "alerts": [{"status": "firing" | "resolved", "labels": {…}, "annotations": {…},
 *      "startsAt", "endsAt", "generatorURL", "fingerprint"}, …], "externalURL", "receiver", "truncatedAlerts", …}
 *
 * Prometheus' documentation, "webhook_config". Alertmanager sends all firing alerts of a group each time that one of them
 * changes, and again after repeat_interval: so an alert has one event an hour, whose id says so, and repeats are dropped
 * like any other. That it still fires an hour after a person resolved it is news again. */
#ifndef NABAT_INGEST_ALERTMANAGER_H
#define NABAT_INGEST_ALERTMANAGER_H

#include "ingest/native.h"

struct alert_over {
    char fingerprint[FINGERPRINT_BYTES]; /* of its group */
    const char *name;                    /* in the arena */
    int64_t minutes;                     /* how long it fired */
};

struct alertmanager_batch {
    struct native_batch firing;
    struct alert_over *over; /* in the arena */
    size_t over_count;
    bool has_left_out; /* Alertmanager did not send all of them (max_alerts) */
};

/* False: nothing is to be stored; `err` is INPUT (400) or LIMIT (413). `arena` owns what the batch points to. */
bool alertmanager_read(const char *body, size_t len, const struct native_config *config,
                       struct arena *arena, struct alertmanager_batch *batch, struct err *err);

#endif
