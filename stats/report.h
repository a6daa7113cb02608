/* report.h -- a day or a week as words, as JSON, as a document: pure. */
#ifndef NABAT_STATS_REPORT_H
#define NABAT_STATS_REPORT_H

#include "stats/chart.h"
#include "store/report.h"

struct report {
    struct stats_view view; /* numbers and chart of the period */
    const struct report_facts *facts;
};

/* What to do about it, from plain rules; each a line of HTML, "\n" behind it. Nothing to do: one line that says so. */
void report_advice(const struct report *report, struct buf *html);
/* The whole, HTML for a chat, at most TG_TEXT_UNITS_MAX visible units. */
void report_words(const struct report *report, struct buf *html);
/* NEW. For programs; the description that nabat-chart --pdf draws is in it, as "document". */
json_t *report_json(const struct report *report);

#endif
