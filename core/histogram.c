/* histogram.c -- one table: name, help, upper bounds. */
#include "core/histogram.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

enum { BUCKETS_MAX = 12 };

static const struct {
    const char *name;
    const char *help;
    double bounds[BUCKETS_MAX]; /* growing; 0: no more */
} TABLE[HISTOGRAMS] = {
    [HISTOGRAM_BATCH_EVENTS] = {"nabat_batch_events",
                                "Events of a committed batch.",
                                {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000}},
    [HISTOGRAM_COMMIT_SECONDS] = {"nabat_commit_seconds",
                                  "From the beginning of a batch to its commit.",
                                  {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}},
    [HISTOGRAM_ALERT_SECONDS] = {"nabat_alert_seconds",
                                 "From the moment that an alert was due until a chat had it.",
                                 {.01, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300}},
    [HISTOGRAM_LOOP_SECONDS] = {"nabat_loop_seconds",
                                "One turn of the loop: so long nobody else was served.",
                                {.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .5}},
};

static struct {
    int64_t counts[BUCKETS_MAX + 1];
    double sum;
} values[HISTOGRAMS];

void histogram_observe(enum histogram histogram, double value)
{
    size_t i = 0;
    while (i < BUCKETS_MAX && TABLE[histogram].bounds[i] > 0 && value > TABLE[histogram].bounds[i])
        i++;
    if (i < BUCKETS_MAX && TABLE[histogram].bounds[i] <= 0)
        i = BUCKETS_MAX; /* beyond the last bound */
    values[histogram].counts[i]++;
    values[histogram].sum += value;
}

static void write_one(struct buf *out, enum histogram histogram)
{
    const char *name = TABLE[histogram].name;
    int64_t count = 0;
    buf_addf(out, "# HELP %s %s\n# TYPE %s histogram\n", name, TABLE[histogram].help, name);
    for (size_t i = 0; i < BUCKETS_MAX && TABLE[histogram].bounds[i] > 0; i++) {
        count += values[histogram].counts[i];
        buf_addf(out, "%s_bucket{le=\"%g\"} %" PRId64 "\n", name, TABLE[histogram].bounds[i],
                 count);
    }
    count += values[histogram].counts[BUCKETS_MAX];
    buf_addf(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum %.9g\n%s_count %" PRId64 "\n", name,
             count, name, values[histogram].sum, name, count);
}

void histogram_write_all(struct buf *out)
{
    for (int i = 0; i < HISTOGRAMS; i++)
        write_one(out, (enum histogram)i);
}
