/* watch.h -- what is remembered of watched bots, and what is told of them. */
#ifndef NABAT_STORE_WATCH_H
#define NABAT_STORE_WATCH_H

#include "core/event.h"
#include "store/pg.h"

enum { WATCH_NEWS_MAX = 8 };
/* An event (JSON as POST /api/events takes it), or that a trouble is over. */
struct watch_news {
    const char *event_id; /* NULL: it is over */
    const char *body;
    const char *fingerprint; /* of its group, when it is over */
    const char *name;        /* the bot */
    int64_t minutes;         /* how long it lasted */
};
/* State and news in one transaction. */
void store_watch_write(struct pg *pg, int64_t bot_id, const char *state,
                       const struct watch_news *news, size_t count, pg_outcome_fn *done, void *ctx);

#endif
