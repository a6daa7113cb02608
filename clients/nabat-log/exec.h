/* exec.h -- runs a command with its output passed through, and remembers the end of it. */
#ifndef NABAT_LOG_EXEC_H
#define NABAT_LOG_EXEC_H

#include "tail.h"

#include <sys/types.h>

struct run {
    struct tail out, err; /* apart: a pipe full of the one would push the other's last words out */
    int code;             /* the command's own, or 126, 127, or 128 + signal */
    int signal;           /* that ended it, or 0 */
    int start_errno;      /* why it could not be started, or 0 */
    double seconds;
};

/* Returns when the command has ended; what it left in the background is not waited for. SIGTERM, SIGINT, SIGHUP, SIGUSR1
 * and SIGUSR2 go on to the command. */
void exec_run(char *const *command, struct run *run);

#endif
