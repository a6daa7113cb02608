/* log_fold.h -- lines that say the same again and again: which are printed, and how many were not. Pure: the clock is an argument. */
#ifndef NABAT_CORE_LOG_FOLD_H
#define NABAT_CORE_LOG_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOG_FOLD_PRINTED = 5,
    LOG_FOLD_MS = 60 * 1000,
    LOG_FOLD_LINES = 64,
    LOG_FOLD_TEXT_BYTES = 160
};

/* A line that came more than LOG_FOLD_PRINTED times within LOG_FOLD_MS. */
struct log_folded {
    int level;
    char message[LOG_FOLD_TEXT_BYTES];
    int64_t missed; /* not printed */
};

/* Whether the line is to be printed. Lines are the same when `hash` is. Of more than LOG_FOLD_LINES different ones within the
 * time, the oldest is forgotten: what was held back of it comes out in `*out` (`missed` 0: nothing was). */
bool log_fold(uint64_t hash, int level, const char *message, int64_t now_ms,
              struct log_folded *out);
/* The next line whose time is over and that was held back; false: there is none. */
bool log_fold_next(int64_t now_ms, struct log_folded *out);

#endif
