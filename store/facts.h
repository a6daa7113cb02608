/* facts.h -- what the engine decides on: facts of alert_due with their groups, and what it decided.
 *
 * A round is one transaction: store_facts_take opens it, store_facts_settle closes it. The
 * connection is the decider's alone. Every round holds the lease's row, so a stale holder can't
 * write (its epoch is not there any more). */
#ifndef NABAT_STORE_FACTS_H
#define NABAT_STORE_FACTS_H

#include "core/event.h"
#include "store/pg.h"

enum fact_kind { FACT_EVENT, FACT_CHANGE, FACT_REOPEN };

struct fact {
    enum fact_kind kind;
    int64_t group_id;
    int64_t n;
    enum severity severity;
    int64_t occurred_max_ms;
    int64_t created_ms;
    /* the group, the same in all its facts of a round */
    enum group_status status;
    bool resolved_by_person;
    int64_t resolved_ms; /* 0: not resolved */
    int64_t taken_ms;
    int64_t muted_until_ms;
    int64_t muted_until_count;
    int64_t occurrences;
    /* the engine's memory of the group in the alert chat */
    int64_t last_ring_ms; /* 0: never */
    int64_t held;
};

struct verdict {
    int64_t group_id;
    bool reopen;
    enum severity reopen_severity;
    int rings;          /* messages to send, 0 or 1 (more only without a cooldown) */
    const char *reason; /* "new", "again", "regression" */
    int64_t held_said;  /* events held back before this ring */
    int64_t held;       /* from now on */
    bool remember;      /* last_ring_at becomes the round's time, held is written */
    bool edit_count;
    bool edit_change;
};

struct facts_config {
    int64_t chat_id; /* 0: none, rings go nowhere */
    int64_t thread_id;
    const char *holder;
    int64_t epoch;
};

/* Facts in order of group, then time; at most DUE_ROWS_MAX. `now_ms` is the database's. An error
 * or no lease (count 0, `now_ms` 0) ends the round: nothing to settle. */
typedef void facts_done_fn(void *ctx, const struct fact *facts, size_t count, int64_t now_ms,
                           const struct err *err);
void store_facts_take(struct pg *pg, const struct facts_config *config, facts_done_fn *done,
                      void *ctx);
typedef void settled_fn(void *ctx, const struct err *err);
void store_facts_settle(struct pg *pg, const struct facts_config *config,
                        const struct verdict *verdicts, size_t count, settled_fn *done, void *ctx);

/* Is there anything? Cheap. */
typedef void facts_any_fn(void *ctx, bool any);
void store_facts_any(struct pg *pg, facts_any_fn *done, void *ctx);

#endif
