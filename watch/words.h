/* words.h -- a trouble of a watched bot as an event, and its group's fingerprint. */
#ifndef NABAT_WATCH_WORDS_H
#define NABAT_WATCH_WORDS_H

#include "core/buf.h"
#include "core/event.h"
#include "watch/judge.h"

/* The bot as people know it; never its token. */
struct watch_bot {
    const char *name; /* @username, or its id */
    int64_t id;
    bool is_russian; /* what language the title is in */
};

/* JSON as POST /api/events takes it; `detail` may be NULL. */
void watch_word(const struct watch_bot *bot, enum trouble trouble, const char *detail,
                int64_t now_ms, char event_id[RANDOM_HEX_BYTES], struct buf *json);
void watch_fingerprint(const struct watch_bot *bot, enum trouble trouble,
                       char out[FINGERPRINT_BYTES]);

#endif
