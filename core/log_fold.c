/* log_fold.c -- a small table of lines, each with the time since it began to be said. */
#include "core/log_fold.h"

#include <stdio.h>

static struct line {
    uint64_t hash; /* 0: free */
    int64_t since_ms;
    int64_t times;
    struct log_folded folded;
} lines[LOG_FOLD_LINES];

static bool is_over(const struct line *l, int64_t now_ms)
{
    return now_ms - l->since_ms >= LOG_FOLD_MS || now_ms < l->since_ms;
}

static void begin(struct line *l, uint64_t hash, int level, const char *message, int64_t now_ms)
{
    *l = (struct line){.hash = hash, .since_ms = now_ms, .times = 1, .folded = {.level = level}};
    snprintf(l->folded.message, sizeof l->folded.message, "%s", message);
}

bool log_fold(uint64_t hash, int level, const char *message, int64_t now_ms, struct log_folded *out)
{
    struct line *oldest = &lines[0];
    struct line *place = NULL;
    hash += hash == 0;
    out->missed = 0;
    for (size_t i = 0; i < LOG_FOLD_LINES; i++) {
        struct line *l = &lines[i];
        if (l->hash == hash) {
            place = l;
            break;
        }
        if (!l->hash || (oldest->hash && l->since_ms < oldest->since_ms))
            oldest = l;
    }
    if (!place || is_over(place, now_ms)) {
        place = place ? place : oldest;
        if (place->hash)
            *out = place->folded;
        begin(place, hash, level, message, now_ms);
        return true;
    }
    if (++place->times <= LOG_FOLD_PRINTED)
        return true;
    place->folded.missed++;
    return false;
}

bool log_fold_next(int64_t now_ms, struct log_folded *out)
{
    for (size_t i = 0; i < LOG_FOLD_LINES; i++) {
        struct line *l = &lines[i];
        if (!l->hash || !is_over(l, now_ms))
            continue;
        *out = l->folded;
        l->hash = 0;
        if (out->missed)
            return true;
    }
    return false;
}
