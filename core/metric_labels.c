/* metric_labels.c -- small tables that are searched from the beginning: they hold dozens. */
#include "core/metric_labels.h"

#include "core/event.h"
#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CALLS_MAX = 160 };

/* Origins in the order they were met; the last row is everybody else's. */
static struct {
    char origin[ORIGIN_BYTES_MAX + 1];
    int64_t count[SEVERITIES];
} origins[METRIC_ORIGINS_MAX + 1];
static size_t origins_count;

static struct {
    const char *method;
    const char *outcome;
    int64_t count;
} calls[CALLS_MAX + 1];
static size_t calls_count;

static int64_t outbox[OUTBOX_GAUGES];

void metric_event(const char *origin, int severity)
{
    size_t i = 0;
    while (i < origins_count && strcmp(origins[i].origin, origin) != 0)
        i++;
    if (i == origins_count && i < METRIC_ORIGINS_MAX) {
        snprintf(origins[i].origin, sizeof origins[i].origin, "%s", origin);
        origins_count++;
    }
    origins[i].count[severity]++;
}

void metric_call(const char *method, const char *outcome)
{
    size_t i = 0;
    while (i < calls_count &&
           (strcmp(calls[i].method, method) != 0 || strcmp(calls[i].outcome, outcome) != 0))
        i++;
    if (i == calls_count && i < CALLS_MAX) {
        calls[i].method = method;
        calls[i].outcome = outcome;
        calls_count++;
    }
    calls[i].count++;
}

void metric_outbox(enum outbox_gauge state, int64_t rows)
{
    outbox[state] = rows;
}

static void write_head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

/* Origins are slugs, methods and outcomes ours: nothing in them needs an escape. */
void metric_write_labels(struct buf *out)
{
    static const char *const STATES[OUTBOX_GAUGES] = {"pending", "sending", "uncertain"};
    write_head(out, "nabat_events_total", "counter", "Events taken, by origin and severity.");
    for (size_t i = 0; i <= METRIC_ORIGINS_MAX; i++)
        for (int s = 0; s < SEVERITIES; s++)
            if (origins[i].count[s])
                buf_addf(out, "nabat_events_total{origin=\"%s\",severity=\"%s\"} %" PRId64 "\n",
                         i < METRIC_ORIGINS_MAX ? origins[i].origin : "other_origins",
                         severity_name((enum severity)s), origins[i].count[s]);
    write_head(out, "nabat_telegram_calls_total", "counter",
               "Bot API calls answered or given up, by method and outcome.");
    for (size_t i = 0; i <= calls_count && i <= CALLS_MAX; i++)
        if (calls[i].count)
            buf_addf(out, "nabat_telegram_calls_total{method=\"%s\",outcome=\"%s\"} %" PRId64 "\n",
                     calls[i].method ? calls[i].method : "other",
                     calls[i].outcome ? calls[i].outcome : "other", calls[i].count);
    write_head(out, "nabat_outbox", "gauge",
               "Alerts that are not done with, by state, as the holder of the lease sees them.");
    for (int s = 0; s < OUTBOX_GAUGES; s++)
        buf_addf(out, "nabat_outbox{state=\"%s\"} %" PRId64 "\n", STATES[s], outbox[s]);
}
