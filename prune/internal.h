/* internal.h -- what the files of a run share: the session, and how it is asked. */
#ifndef NABAT_PRUNE_INTERNAL_H
#define NABAT_PRUNE_INTERNAL_H

#include "prune/prune.h"
#include "store/session.h"

#include <stdint.h>

struct pruning {
    struct session *session;
    const struct prune_options *options;
    struct err *err;
    int64_t rows;
    int64_t bytes;
    int days;
    char names[64 * 66]; /* of RETENTION's classes, as SQL arrays */
    char class_days[64 * 6];
};

/* Text rows of a query; NULL on error. */
PGresult *prune_ask(struct pruning *p, const char *sql, const char *param);
PGresult *prune_ask_all(struct pruning *p, const char *sql, size_t count,
                        const char *const *params);
bool prune_do(struct pruning *p, const char *sql, const char *param);
int64_t prune_number(const PGresult *result, int row, int column);
enum { SIZE_TEXT_BYTES = 32 };
const char *prune_size_text(int64_t bytes, char out[SIZE_TEXT_BYTES]);

/* days.c: what an interrupted run left, then the days before `limit` (a date); then, for STORE_MAX_BYTES, the oldest. */
bool prune_days(struct pruning *p, const char *limit);
bool prune_to_size(struct pruning *p);
/* keep.c: out of a day that goes, what its class or an open error keeps. `full`: to make room, so examples alone. */
bool prune_keep(struct pruning *p, const char *day, bool full);
/* Days anew without what RETENTION keeps for less time than its day. */
bool prune_thin(struct pruning *p);
/* What was kept, and is not any more. */
bool prune_forget_kept(struct pruning *p);
/* chores.c */
bool prune_chores(struct pruning *p);
/* archive_day.c: the day into ARCHIVE_DIR, unless it is there just so; true as well where nothing is archived. A day that was archived
 * before, and has other rows now, gets a file more. */
bool prune_archive(struct pruning *p, const char *day, bool has_events);

#endif
