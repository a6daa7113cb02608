/* keeper.h -- keeps events: in the database while that takes them, else in the spool, from where they
 * are replayed in order when it is back.
 *
 *     take --> writer --committed--> "kept"
 *        \        \__given back__
 *         \__database away______\--> spool --synced--> "kept, spooled" --> replay --> writer
 *
 * The database's way is closed when it is away, slow or says "not now", and opened again when it has
 * committed nearly all of the spool: what proves that it works is real work, and whoever sends meanwhile
 * does not wait behind it. */
#ifndef NABAT_STORE_KEEPER_H
#define NABAT_STORE_KEEPER_H

#include "spool/spool.h"
#include "store/writer.h"

struct keeper;

/* `spool` NULL: there is none; events that the database does not take are refused. BORROWED. */
struct keeper *store_keeper_new(struct ev_loop *loop, struct spool *spool);
/* Once the database was reached: both are BORROWED. */
void store_keeper_open(struct keeper *keeper, struct writer *writer, struct pg *pg);
void store_keeper_free(struct keeper *keeper);

enum kept { KEPT_COMMITTED, KEPT_SPOOLED };
/* `err` NULL: kept. ERR_RETRY, ERR_LIMIT: not known to be. ERR_BUG: the database refuses them. */
typedef void keeper_done_fn(void *ctx, enum kept kept, const struct err *err);
/* Events stay BORROWED until `done`, which runs exactly once, from the loop. False (ERR_RETRY,
 * ERR_LIMIT): they can't be kept now; nothing will be called. */
bool store_keeper_take(struct keeper *keeper, struct event *events, size_t count,
                       keeper_done_fn *done, void *ctx, struct err *err);

struct keeper_events {
    /* Events are on disk and the database does not have them; BORROWED for the call. */
    void (*spooled)(void *ctx, const struct event *events, size_t count);
    /* May events go to the database again? What rings without it wants to be written down first. */
    bool (*may_open)(void *ctx);
    void *ctx;
};
void store_keeper_watch(struct keeper *keeper, const struct keeper_events *events);

/* The database takes events: the way to it is open. */
bool store_keeper_is_direct(const struct keeper *keeper);
/* Spooled events that were received until then (Unix milliseconds) are in the database; 0: none. */
int64_t store_keeper_replayed_ms(const struct keeper *keeper);
/* It or the spool does. */
bool store_keeper_can_take(const struct keeper *keeper);

#endif
