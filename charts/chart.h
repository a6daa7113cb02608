/* chart.h -- what a chart shows, as its description says it: read from JSON, bounded, drawn by draw.c.
 *
 *     {"title": "Errors, last 7 days", "subtitle": "by 3 hours", "headline": "1,204", "trend": "▲ 12 %",
 *      "theme": "light" | "dark", "thousands": ",", "empty": "No errors at all",
 *      "series": [{"name": "Critical 12", "color": "critical", "values": [0, 3, …]}, …],   stacked from below
 *      "ghost": {"name": "the week before", "values": […]},                               a line behind the bars
 *      "ticks": [{"at": 0.5, "text": "Mon 23"}, …],                                       in buckets from the left
 *      "marks": [{"at": 5.2, "kind": "deploy" | "alert", "text": "1a2b3c"}, …],
 *      "keys": {"deploy": "deploy", "alert": "alert"}}                                    words of the legend
 *
 * Numbers are drawn as they stand: whoever describes a chart has done the counting. */
#ifndef NABAT_CHARTS_CHART_H
#define NABAT_CHARTS_CHART_H

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    CHART_BUCKETS_MAX = 400, /* more are thinner than a pixel */
    CHART_SERIES_MAX = 5,
    CHART_TICKS_MAX = 40,
    CHART_MARKS_MAX = 400
};

enum chart_color { COLOR_CRITICAL, COLOR_ERROR, COLOR_WARNING, COLOR_INFO, COLOR_DEBUG, COLORS };

struct chart_series {
    const char *name;
    enum chart_color color;
    double values[CHART_BUCKETS_MAX];
};
struct chart_tick {
    double at;
    const char *text;
};
struct chart_mark {
    double at;
    bool is_deploy; /* else an alert */
    const char *text;
};

/* Text is BORROWED from the JSON. */
struct chart {
    bool is_dark;
    const char *title;
    const char *subtitle;
    const char *headline;
    const char *trend;
    const char *thousands;
    const char *empty;
    const char *deploy_key;
    const char *alert_key;
    const char *ghost_name; /* NULL: no ghost */
    size_t buckets;
    size_t series_count;
    size_t ticks_count;
    size_t marks_count;
    struct chart_series series[CHART_SERIES_MAX];
    double ghost[CHART_BUCKETS_MAX];
    struct chart_tick ticks[CHART_TICKS_MAX];
    struct chart_mark marks[CHART_MARKS_MAX];
};

/* ERR_INPUT names the field that is missing, of another type or too long. */
bool chart_read(const json_t *json, struct chart *chart, struct err *err);

#endif
