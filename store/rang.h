/* rang.h -- what rang while the database was away, told to it afterwards: cooldowns hold, and the card
 * that is in the chat becomes the group's. */
#ifndef NABAT_STORE_RANG_H
#define NABAT_STORE_RANG_H

#include "spool/record.h"
#include "store/pg.h"

/* Telling the same again changes nothing. `rangs` is BORROWED for the call. */
void store_rang_push(struct pg *pg, const struct rang *rangs, size_t count, pg_outcome_fn *done,
                     void *ctx);
/* Within a round of the decider: rings of groups that are known by now become state, history and card. */
void store_rang_adopt(struct pg_batch *batch);

#endif
