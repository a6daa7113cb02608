/* report.h -- the report that comes by itself, at REPORT_AT, to the alert chat; the holder of the lease sends it, once a day. Its hours are whole, so that one report
 * begins where the one before ended. */
#ifndef NABAT_BOT_REPORT_H
#define NABAT_BOT_REPORT_H

#include "bot/talk.h"
#include "core/daily.h"
#include "store/lease.h"

struct reporter;

/* All BORROWED. `at` is copied. */
struct reporter *reporter_new(struct bot *bot, struct pg *pg, struct lease *lease,
                              const struct daily *at, int64_t thread_id);
void reporter_free(struct reporter *reporter);

#endif
