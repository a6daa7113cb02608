/* options.h -- what nabat-log was told. */
#ifndef NABAT_LOG_OPTIONS_H
#define NABAT_LOG_OPTIONS_H

#include "c/nabat_client.h"

#include <stdbool.h>

enum { OPTION_TAGS_MAX = 16, OPTION_FINGERPRINT_MAX = 8 };
enum exit_code {
    EXIT_OK = 0,
    EXIT_LOST = 1,
    EXIT_USAGE = 2,
    EXIT_NO_EXEC = 126,
    EXIT_NOT_FOUND = 127
};

struct options {
    bool exec;
    bool quiet;
    bool no_stdin;
    struct nabat_event event;     /* its strings are argv's */
    struct nabat_checkin checkin; /* .monitor is NULL: no check-ins */
    const char *spool;
    long timeout_ms;
    char *const *command; /* of exec, ends with NULL */
    const char *tags[OPTION_TAGS_MAX * 2 + 1];
    const char *fingerprint[OPTION_FINGERPRINT_MAX + 1];
    char tag_names[OPTION_TAGS_MAX][64];
};

/* Reads argv; exits by itself with 0 for --help and --version, with 2 and a line on stderr for wrong usage. */
void options_read(int argc, char **argv, struct options *options);

#endif
