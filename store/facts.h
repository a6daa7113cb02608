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

/* The engine's memory of a group in a chat. */
struct place_state {
    int64_t chat_id;
    int64_t last_ring_ms; /* 0: never */
    int64_t held;
};

/* Texts are BORROWED until done returns; NULL: none. */
struct fact {
    enum fact_kind kind;
    int64_t group_id;
    int64_t n;
    enum severity severity;
    const char *environment;
    bool is_new;            /* the events made the group */
    int64_t quiet_since_ms; /* when it had been seen before; 0: never */
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
    const char *origin;
    const char *project; /* slug */
    const char *handler;
    const char *title;
    const char *minutes; /* "age:n,…": events by minutes ago, when there are rules about rates */
    const struct place_state *states;
    size_t states_count;
};

/* What rings, or was held back, in one chat. Texts live as long as the rules they come from. */
struct ring {
    int64_t chat_id;
    int64_t thread_id;
    int64_t rule_id;
    int rings;          /* messages to send, 0 or 1 (more only without a cooldown) */
    const char *reason; /* "new", "again", "regression" */
    int64_t held_said;  /* events held back before this ring */
    int64_t held;       /* from now on */
    bool remember;      /* last_ring_at becomes the round's time if it rings, held is written */
    bool silent;
    const char *language; /* "" is the chat's */
    const char *hold;     /* why it waits; NULL: it does not */
    const char *hold_about;
    int64_t hold_until_ms;
    int64_t held_by;
    const char *environment; /* of the event */
    int64_t last_ring_ms;    /* the engine's own, within the round */
};
struct rings {
    struct ring *rings;
    size_t count;
    size_t size;
};
/* A new one at the end, zeroed; BORROWED until the next. */
struct ring *store_rings_add(struct rings *rings);
void store_rings_fini(struct rings *rings);

struct verdict {
    int64_t group_id;
    bool reopen;
    enum severity reopen_severity;
    bool edit_count;
    bool edit_change;
    int64_t events;    /* of the round, for rates */
    size_t first_ring; /* in the round's rings */
    size_t rings_count;
};

/* Sources of inhibition that fired or ceased in the round. */
struct firing_change {
    int64_t inhibition_id; /* 0: the group was resolved, it holds back nothing */
    int64_t group_id;
    const char *environment; /* BORROWED */
    int64_t until_ms;        /* what it holds back waits until then */
};

struct round {
    int64_t now_ms;
    struct verdict *verdicts;
    size_t count;
    struct rings rings;
    struct firing_change *firings;
    size_t firings_count;
};

struct facts_config {
    const char *holder;
    int64_t epoch;
    bool has_rates; /* events are counted by the minute */
};

/* Facts in order of group, then time; at most DUE_ROWS_MAX. `now_ms` is the database's. An error
 * or no lease (count 0, `now_ms` 0) ends the round: nothing to settle. */
typedef void facts_done_fn(void *ctx, const struct fact *facts, size_t count, int64_t now_ms,
                           const struct err *err);
void store_facts_take(struct pg *pg, const struct facts_config *config, facts_done_fn *done,
                      void *ctx);
typedef void settled_fn(void *ctx, const struct err *err);
void store_facts_settle(struct pg *pg, const struct facts_config *config, const struct round *round,
                        settled_fn *done, void *ctx);

/* What a round would know of an event that never came: one fact, or none where there is no such group.
 * Changes nothing; `now_ms` is the database's. */
void store_facts_suppose(struct pg *pg, const struct event *event, facts_done_fn *done, void *ctx);
/* Ends a round that can't be settled; harmless when the connection is gone. */
void store_facts_roll_back(struct pg *pg);

/* What was held and is due: is it held on? The texts of `fact` are BORROWED until done returns. */
struct held_row {
    int64_t id;
    int64_t chat_id;
    struct fact fact; /* the group, and the environment of the event that rang */
};
typedef void held_fn(void *ctx, const struct held_row *rows, size_t count, int64_t now_ms,
                     const struct err *err);
void store_held_due(struct pg *pg, held_fn *done, void *ctx);
/* `hold` NULL: it is free. */
struct held_verdict {
    int64_t id;
    const char *hold;
    const char *about;
    int64_t until_ms;
    int64_t by;
};
void store_held_settle(struct pg *pg, const struct facts_config *config,
                       const struct held_verdict *verdicts, size_t count, settled_fn *done,
                       void *ctx);

/* Groups that would not ring as a new one does, for when the database can't be asked. The facts' texts
 * are BORROWED from the rows. */
struct known_groups {
    struct fact *facts;
    struct group_key {
        int32_t project_id;
        char fingerprint[FINGERPRINT_BYTES];
    } * keys;
    struct place_state *states;
    size_t count;
};
void store_facts_ask_known(struct pg_batch *batch, int64_t rung_within_s);
struct known_groups *store_facts_read_known(const PGresult *rows);
void store_known_groups_free(struct known_groups *known);
/* NULL: it is not among them. */
const struct fact *store_known_groups_find(const struct known_groups *known, int32_t project_id,
                                           const char *fingerprint);

/* Is there anything, is anything held and due, and which version of the rules holds? Cheap. */
typedef void facts_any_fn(void *ctx, bool any, bool held_due, int64_t rules_version);
void store_facts_any(struct pg *pg, facts_any_fn *done, void *ctx);

#endif
