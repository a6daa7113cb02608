/* chart.h -- a period as the description of a chart (charts/chart.h), and as words under it: pure. */
#ifndef NABAT_STATS_CHART_H
#define NABAT_STATS_CHART_H

#include "stats/period.h"

#include <jansson.h>

struct stats_view {
    const struct stats *stats;
    const struct stats_ask *ask;
    enum stats_period period;
    const struct look *look;
    bool is_dark;
};
/* How this period compares with the one before, of which as much is counted as has passed of this one. */
struct stats_trend {
    int64_t now;
    int64_t before;
    int64_t percent; /* of change, without its sign */
};
struct stats_trend stats_trend(const struct stats *stats, const struct stats_ask *ask,
                               int64_t now_ms);

/* NEW: the caller json_decref's it. */
json_t *stats_chart(const struct stats_view *view);
/* HTML, at most TG_CAPTION_UNITS_MAX visible units. */
void stats_caption(const struct stats_view *view, struct buf *html);
/* "Events, last 7 days · critical · celery" */
void stats_title(const struct stats_view *view, struct buf *html);
/* "▲ 12 % on the week before", plain text. */
void stats_trend_words(const struct stats_view *view, struct buf *html);

/* /top as bars, HTML. */
void stats_top_render(enum stats_top what, enum stats_period period, const struct look *look,
                      const struct stats_line *lines, size_t count, int64_t total,
                      struct buf *html);
/* "▁▂█▁", one sign a number; UTF-8, "" where nothing is to be seen. */
void stats_sparkline(const int64_t *values, size_t count, struct buf *out);

#endif
