/* report.h -- reports of people, from a form or a chat: read, scrubbed, and made an event; pure. */
#ifndef NABAT_INGEST_REPORT_H
#define NABAT_INGEST_REPORT_H

#include "core/arena.h"
#include "core/err.h"
#include "core/user_report.h"
#include "ingest/scrub.h"

/* POST /api/reports: {"title", "description", "steps", "expected", "actual", "category", "url", "browser", "contact", "user_id",
 * "code", "environment", "release"}; title or description is needed. INPUT says what is wrong. */
bool report_read(const char *body, size_t len, int32_t project_id, const struct scrub *scrub,
                 struct arena *arena, struct user_report *report, struct err *err);
/* The same of what somebody said in a chat: a code may stand in front, of whichever project, and stays there; its first line
 * is the title. */
bool report_of_text(const char *text, int32_t project_id, const struct scrub *scrub,
                    struct arena *arena, struct user_report *report, struct err *err);

#endif
