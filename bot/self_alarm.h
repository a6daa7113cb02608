/* self_alarm.h -- Nabat tells the chat what is wrong with Nabat: by the same pace, with its own cooldown, and
 * without the database. */
#ifndef NABAT_BOT_SELF_ALARM_H
#define NABAT_BOT_SELF_ALARM_H

#include "alerts/channel_send.h"
#include "bot/talk.h"
#include "bot/worry.h"

/* How each is at this moment: `bad` and, if it is, why. */
struct self_view {
    bool bad[WORRIES];
    char detail[WORRIES][160];
};

struct self_alarm {
    struct bot *bot;
    bool has_spool;            /* errors are kept while the database is away */
    int64_t thread_id;         /* in the alert chat; 0: none */
    struct channels *channels; /* where a revoked token is told; NULL: not read yet */
    struct worry_state states[WORRIES];
    int64_t clock_gap_ms; /* wall clock less the steady one, when last looked */
    bool has_gap;
};

/* One look, some seconds after the last. `may_tell`: this instance is the one that speaks. */
void self_alarm_look(struct self_alarm *alarm, const struct self_view *view, bool may_tell);

/* Nearly full: less than 5 % and 5 GiB free, or less than 256 MiB. False when it can't be asked. */
bool self_disk_is_full(const char *path, char *detail, size_t size);
/* The wall clock moved by more than a minute against the steady one since the last look. */
bool self_clock_jumped(struct self_alarm *alarm, char *detail, size_t size);

#endif
