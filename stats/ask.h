/* ask.h -- everything that a report needs, asked and handed over at once. */
#ifndef NABAT_STATS_ASK_H
#define NABAT_STATS_ASK_H

#include "stats/report.h"

/* `report` (BORROWED) is NULL on error. */
typedef void report_fn(void *ctx, const struct report *report, const struct err *err);
/* Until now, or until the last hour (six hours, day) that is over: then periods that follow each other leave nothing out. */
enum report_span { SPAN_NOW, SPAN_WHOLE };
/* `look` is copied; its now_ms is now. */
void stats_report(struct pg *pg, enum stats_period period, const struct look *look,
                  enum report_span span, bool is_dark, report_fn *done, void *ctx);

#endif
