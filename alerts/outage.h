/* outage.h -- when a chat counts as out of reach, so that critical alerts ring elsewhere: pure. */
#ifndef NABAT_ALERTS_OUTAGE_H
#define NABAT_ALERTS_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

struct outage_view {
    bool is_channel;
    bool refuses;      /* its last answer was that we may not write there (401, 403 and the like) */
    int failures;      /* sends in a row that came to nothing */
    int64_t paused_ms; /* how long a 429 still forbids it */
    int64_t silent_ms; /* how long no call of the Bot API was answered, probes included */
};

/* A chat: refused, forbidden for over a minute, or nothing answered for a minute; a send that hangs is
 * none by itself. A channel: refused, or three failures in a row. */
bool outage_is(const struct outage_view *view);

#endif
