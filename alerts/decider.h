/* decider.h -- turns facts into verdicts, while this instance holds the lease. */
#ifndef NABAT_ALERTS_DECIDER_H
#define NABAT_ALERTS_DECIDER_H

#include "alerts/engine.h"
#include "store/lease.h"

struct decider;

struct decider_config {
    struct engine_config engine;
    int64_t chat_id; /* 0: none; what would ring is said in the log */
    int64_t thread_id;
};

/* `pg` is BORROWED and the decider's alone. `decided` runs after each round that changed anything. */
struct decider *decider_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                            const struct decider_config *config, void (*decided)(void *ctx),
                            void *ctx);
void decider_free(struct decider *decider);
/* There may be facts now: looks at once instead of within 500 ms. */
void decider_poke(struct decider *decider);
/* While it is not yet known which chat alerts go to, nothing is decided: facts wait. */
void decider_hold(struct decider *decider, bool hold);
/* The alert chat became another one (a group that was upgraded). */
void decider_set_chat(struct decider *decider, int64_t chat_id);

#endif
