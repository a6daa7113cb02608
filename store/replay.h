/* replay.h -- the spool goes back into the database: file by file, in order, chunk by chunk. */
#ifndef NABAT_STORE_REPLAY_H
#define NABAT_STORE_REPLAY_H

#include "spool/spool.h"
#include "store/writer.h"

struct replay;

struct replay_events {
    bool (*may_begin)(void *ctx);
    void (*caught_up)(void *ctx); /* nothing, or nearly nothing, is left to replay */
    void (*failed)(void *ctx);    /* the database did not take a chunk: it is tried again */
    void *ctx;
};

/* All BORROWED. Looks every second, or when it is poked, as long as the connection is up. */
struct replay *store_replay_new(struct ev_loop *loop, struct spool *spool, struct writer *writer,
                                struct pg *pg, const struct replay_events *events);
void store_replay_free(struct replay *replay);
/* What was received until then (Unix milliseconds) came out of the spool already; 0: nothing did. */
int64_t store_replay_until_ms(const struct replay *replay);
void store_replay_poke(struct replay *replay);

#endif
