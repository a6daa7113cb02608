/* tools.h -- what nabat does besides serving: each runs to its end and returns an exit code. */
#ifndef NABAT_BOT_TOOLS_H
#define NABAT_BOT_TOOLS_H

#include "core/settings.h"
#include "stats/period.h"

int tool_migrate(const struct settings *settings);
int tool_migrate_dry(const struct settings *settings); /* prints the SQL that is missing */
int tool_dsn(const struct settings *settings);
/* nabat --project WORDS: list, add NAME, set NAME, disable NAME, enable NAME, rotate NAME. */
int tool_project(const struct settings *settings, char *const *words, size_t count); /* project.c */
/* Where an event of the file would ring, and why. */
int tool_explain(const struct settings *settings, const char *file);
/* Sends a test to the channel of that name and says what it answered. */
int tool_channel_test(const struct settings *settings, const char *name);
/* nabat --spool list | dump | refused; spool_tool.c */
int tool_spool(const struct settings *settings, char *const *words, size_t count);
/* nabat --report; report_tool.c */
struct report_options {
    enum stats_period period;
    bool pdf;
};
int tool_report(const struct settings *settings, const struct report_options *options);
int tool_owner(const struct settings *settings, int64_t user_id);
int tool_check(const struct settings *settings);    /* check.c */
int tool_doctor(const struct settings *settings);   /* doctor.c; 3: warnings alone */
int tool_selftest(const struct settings *settings); /* selftest.c */

/* "http://KEY@host:port/1" of a base URL, a key and a project. */
void tool_format_dsn(const char *public_url, const char *key, int project_id, char *out,
                     size_t size);
int tool_fail(const char *what, const struct err *err);

#endif
