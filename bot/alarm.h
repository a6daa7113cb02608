/* alarm.h -- the alert chat can't be written to: its owners hear of it in private. */
#ifndef NABAT_BOT_ALARM_H
#define NABAT_BOT_ALARM_H

#include "bot/talk.h"
#include "core/settings.h"

struct alarm_bell {
    struct bot *bot;
    const struct id_list *owners; /* of the settings; those of the database are added */
    int64_t told_ms;              /* 0: never */
    char trouble[ERR_TEXT_BYTES_MAX];
};

/* Tells each owner, at most once in six hours: who can't be reached is not told again and again. */
void alarm_ring(struct alarm_bell *bell, const char *trouble);

#endif
