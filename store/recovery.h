/* recovery.h -- groups that resolve themselves: what they reported is over. */
#ifndef NABAT_STORE_RECOVERY_H
#define NABAT_STORE_RECOVERY_H

#include "store/pg.h"

struct recovery {
    const char *fingerprint; /* of the group */
    const char *name;        /* what runs again, or is over */
    int64_t minutes;         /* how long it lasted */
    int64_t failures;        /* of a job or a bot; 0: an alert, that does not fail but fire */
};

/* Adds the statement that resolves them, with a note under their cards. Not those that are resolved already, and not what
 * people merged: that is theirs to resolve. `actor` is what the history names. */
void store_recovery_add(struct pg_batch *batch, int32_t project_id, const char *actor,
                        const struct recovery *list, size_t count);

#endif
