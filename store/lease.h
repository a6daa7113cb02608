/* lease.h -- who decides and delivers: one row, renewed every 3 s, valid for 10 (DESIGN: lease).
 *
 * A holder on the same machine whose process is gone is succeeded at once; any other after 10 s. */
#ifndef NABAT_STORE_LEASE_H
#define NABAT_STORE_LEASE_H

#include "store/pg.h"

struct lease;

/* `changed` runs from the loop when the lease was won or lost. `pg` is BORROWED. */
struct lease *store_lease_new(struct ev_loop *loop, struct pg *pg,
                              void (*changed)(void *ctx, bool held), void *ctx);
void store_lease_free(struct lease *lease);
bool store_lease_is_held(const struct lease *lease); /* by the clock, too: not past its time */
/* Grows with every change of holder; writes of the outbox carry it. */
int64_t store_lease_epoch(const struct lease *lease);
const char *store_lease_holder(const struct lease *lease); /* our own name */
/* Gives it up, so that a successor need not wait; `done` runs once. */
void store_lease_release(struct lease *lease, void (*done)(void *ctx), void *ctx);

#endif
