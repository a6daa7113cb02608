/* ask.h -- everything that a report needs, asked and handed over at once. */
#ifndef NABAT_STATS_ASK_H
#define NABAT_STATS_ASK_H

#include "stats/report.h"

/* `report` (BORROWED) is NULL on error. */
typedef void report_fn(void *ctx, const struct report *report, const struct err *err);
/* `look` is copied; its now_ms is when the period ends. */
void stats_report(struct pg *pg, enum stats_period period, const struct look *look, bool is_dark,
                  report_fn *done, void *ctx);

#endif
