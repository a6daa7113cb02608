/* child.h -- a program that is given its input, says its output, and is gone.
 *
 * It gets none of our environment but PATH, HOME and LANG: settings hold secrets. The loop is the default one, since libev
 * hears of children there alone. */
#ifndef NABAT_CORE_CHILD_H
#define NABAT_CORE_CHILD_H

#include <ev.h>
#include <stddef.h>

enum { CHILD_OUTPUT_BYTES_MAX = 4 * 1024 * 1024, CHILDREN_MAX = 4 };

/* `why` NULL: it exited with 0, and `data` is all that it said (BORROWED). Else its last words, or what became of it. */
typedef void child_done_fn(void *ctx, const char *data, size_t len, const char *why);

/* `path` and `arg` (one argument, NULL: none) name the program; `input` is copied. It is killed when it takes more than
 * `seconds` or says more than CHILD_OUTPUT_BYTES_MAX. `done` runs exactly once, from the loop. */
void child_run(struct ev_loop *loop, const char *path, const char *arg, const char *input,
               size_t len, double seconds, child_done_fn *done, void *ctx);
/* The end: those under way are killed and told. */
void child_end_all(void);

/* The program of that name beside the one that runs: "/usr/bin/nabat-chart". */
void child_path(const char *name, char *out, size_t size);

#endif
