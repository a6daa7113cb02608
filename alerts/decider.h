/* decider.h -- turns facts into verdicts, while this instance holds the lease. */
#ifndef NABAT_ALERTS_DECIDER_H
#define NABAT_ALERTS_DECIDER_H

#include "alerts/engine.h"
#include "store/lease.h"

struct decider;

struct decider_config {
    struct route_root root; /* without a chat what would ring is said in the log */
};
struct decider_events {
    void (*decided)(void *ctx); /* after each round that changed anything */
    /* The rules that hold from now on; BORROWED for the call. */
    void (*rules_read)(void *ctx, const struct rules *rules);
    void *ctx;
};

/* `pg` is BORROWED and the decider's alone. */
struct decider *decider_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                            const struct decider_config *config,
                            const struct decider_events *events);
void decider_free(struct decider *decider);
/* There may be facts now: looks at once instead of within 500 ms. */
void decider_poke(struct decider *decider);
/* Why the rules that are written down can't be read (then those read last hold); "" when all is well. */
const char *decider_trouble(const struct decider *decider);
/* The lease was won: what another holder decided meanwhile is read first. */
void decider_begin_anew(struct decider *decider);
/* While it is not yet known which chat alerts go to, nothing is decided: facts wait. */
void decider_hold(struct decider *decider, bool hold);
/* The alert chat became another one (a group that was upgraded). */
void decider_set_chat(struct decider *decider, int64_t chat_id);

#endif
