/* stats_sql.h -- the statements of stats.c: what they take and what their columns are. */
#ifndef NABAT_STORE_STATS_SQL_H
#define NABAT_STORE_STATS_SQL_H

#include "store/stats.h"

/* All begin with the filter: $1 severities as text[], $2 to $4 words; NULL is any. */
extern const char
    STATS_PROJECT_CELLS_SQL[]; /* $5 from, $6 width in s, $7 the first hour, $8 the end */
extern const char STATS_KIND_CELLS_SQL[]; /* the same, narrowed */
extern const char STATS_NOW_SQL[];        /* open, open and critical */
extern const char STATS_ALERTS_SQL[];     /* as the cells: bucket, alerts */
extern const char STATS_DEPLOYS_SQL[];    /* $5 from, $6 to, $7 how many: name, ms */
extern const char STATS_USERS_SQL[];      /* $5 to $8 a period: registers */
extern const char STATS_LIFE_SQL[];       /* $1 group, $2 buckets: bucket, events */

/* $5 to $8 a period: from, to, and the whole days within; $9 how many. */
extern const char *const STATS_TOP_SQL[TOPS];
enum {
    TOP_COL_NAME,
    TOP_COL_GROUP,
    TOP_COL_EVENTS,
    TOP_COL_MADE,
    TOP_COL_REGRESSED,
    TOP_COL_SEVERITY,
    TOP_COL_TOTAL
};

#endif
