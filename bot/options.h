/* options.h -- the command line of nabat. */
#ifndef NABAT_BOT_OPTIONS_H
#define NABAT_BOT_OPTIONS_H

#include "bot/tools.h"
#include "core/buf.h"
#include "core/err.h"

#include <stdint.h>

enum mode {
    MODE_SERVE,
    MODE_MIGRATE,
    MODE_CHECK,
    MODE_DOCTOR,
    MODE_SELFTEST,
    MODE_DSN,
    MODE_OWNER,
    MODE_PROJECT,
    MODE_SPOOL,
    MODE_EXPLAIN,
    MODE_CHANNEL_TEST,
    MODE_REPORT,
    MODE_VERSION,
    MODE_HELP,
    MODE_ENV_EXAMPLE
};

struct options {
    enum mode mode;
    const char *env_file; /* NULL: .env if there is one */
    int64_t owner_id;
    bool dry_run; /* of --migrate */
    struct report_options report;
    const char *file;   /* of --explain; of --channel-test the name */
    char *const *words; /* of --project: what follows it up to the next flag */
    size_t words_count;
};

/* False: ERR_INPUT that names the flag, what it held and what it takes. */
bool options_parse(int argc, char **argv, struct options *options, struct err *err);
void options_help(struct buf *out);

#endif
