/* causes.h -- errors that happen while the database is away: what is remembered of each, and whether it
 * rings now. Pure: the clock and what is known are arguments. */
#ifndef NABAT_ALERTS_CAUSES_H
#define NABAT_ALERTS_CAUSES_H

#include "alerts/engine.h"
#include "core/arena.h"
#include "spool/record.h"
#include "store/group.h"

/* An error, as its first event said it. */
struct cause {
    int32_t project_id;
    char fingerprint[FINGERPRINT_BYTES];
    struct fact fact; /* of its group, as it was known; without texts */
    struct place_state states[ROUTES_MAX];
    struct group group;  /* as a card shows it; its texts are `texts` */
    struct arena *texts; /* NULL while nobody waits to tell of it */
    int waiting;         /* places that do */
    bool is_stale;       /* the database was there since: what is known of it is asked again */
};

struct causes;
struct causes *causes_new(void);
void causes_free(struct causes *causes);

struct causes_known {
    struct route_root root;
    const struct rules *rules;
    const struct fact *group; /* of this event; NULL: a new error */
    const char *project;      /* slug */
    const struct rang *rangs; /* of this process and the ones before it */
    size_t rangs_count;
    int64_t now_ms;
};
/* Notes an event. Where it rings now is added to `rings` (texts BORROWED from the rules); its texts are there for
 * as long as somebody waits, which the caller counts. NULL: it rings nowhere by its severity, or EMERGENCY_CAUSES_MAX errors are remembered already. The cause is BORROWED
 * until causes_free. */
struct cause *causes_note(struct causes *causes, const struct event *event,
                          const struct causes_known *known, struct rings *rings);
/* It goes out now: not held back by a cooldown, a silence or the like, and it has somewhere to go. */
bool causes_rings(const struct ring *ring);
/* One place is done with it. */
void causes_told(struct cause *cause);
/* Errors that were not remembered, since the last call. */
int64_t causes_take_overflow(struct causes *causes);
/* The database is back: it knows better from now on. */
void causes_expire(struct causes *causes);

#endif
