/* reports.h -- reports of people are shown in the alert chat, their reporters hear when they are over, and who is asked to look at one
 * hears that; the holder of the lease says each once. */
#ifndef NABAT_BOT_REPORTS_H
#define NABAT_BOT_REPORTS_H

#include "bot/talk.h"
#include "store/lease.h"

struct reports;

/* All BORROWED. */
struct reports *reports_new(struct bot *bot, struct pg *pg, struct lease *lease, int64_t thread_id);
void reports_free(struct reports *reports);

#endif
