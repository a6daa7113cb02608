/* checks.h -- asks addresses whether they answer, how fast, and how long their certificate is good for; the holder of the lease does,
 * with connections of its own, so that an address that hangs holds up no alert. */
#ifndef NABAT_CHECKS_CHECKS_H
#define NABAT_CHECKS_CHECKS_H

#include "core/check_spec.h"
#include "store/lease.h"
#include "store/pg.h"

#include <ev.h>

struct checks;

/* All BORROWED; `setting` is CHECKS (NULL: none), which was found to be right. */
struct checks *checks_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                          const char *setting, bool is_russian);
/* The end begins: what is being asked ends unanswered, and nothing is written. */
void checks_close(struct checks *checks);
void checks_free(struct checks *checks);
/* The lease was won: CHECKS is written down. */
void checks_begin(struct checks *checks);

#endif
