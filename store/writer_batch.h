/* writer_batch.h -- the pure part of the batch writer: events aggregated, and the statements built. */
#ifndef NABAT_STORE_WRITER_BATCH_H
#define NABAT_STORE_WRITER_BATCH_H

#include "core/event.h"
#include "store/pg.h"
#include "store/row_meter.h"
#include "store/writer.h"
#include "store/writer_cache.h"

/* What a batch knows of one group. */
struct batch_group {
    const struct event *first; /* its first event: project, fingerprint, title, … */
    int64_t id;                /* 0: not in the database yet */
    bool is_new;               /* made by this batch */
    bool noisy;                /* see struct cached_group */
    bool has_untold;           /* facts below ring_min, kept back because it is not noisy */
    int64_t n[SEVERITIES];     /* events of each severity */
    int64_t counted_only;      /* of all, those that leave no row */
    size_t first_fact;         /* index + 1 of the first; 0: all its events are imports */
    int64_t received_min;
    int64_t received_max;
};

/* Events of a group that are the same to the rules of ringing. */
struct batch_fact {
    size_t next; /* of the same group, index + 1 */
    enum severity severity;
    const char *environment; /* NULL: none */
    const char *origin;
    const char *handler; /* NULL: none */
    int64_t n;
    int64_t occurred_max;
};

struct write_batch {
    struct event **events; /* without the repeats, once known */
    size_t count;
    size_t repeated;
    bool tells_all; /* every fact goes along: somebody holds a group and may be resolving it */
    bool is_direct; /* all its groups were remembered: nothing was looked up */
    struct batch_group *groups;
    size_t groups_count;
    struct batch_fact *facts;
    size_t facts_count;
    enum severity ring_min; /* what no rule and no setting asks for is nobody's business */
    uint32_t *group_of;     /* of each event, its index in groups */
    uint32_t *slots;        /* hash table of groups, index + 1 */
    size_t slots_count;
    bool has_due;
    forward_render_fn *forward; /* NULL: nothing is forwarded */
    struct writer_cache *cache; /* while it is stored; BORROWED */
    size_t
        counted_at; /* which result of the direct way says whether the groups are as remembered */
    int64_t received_min; /* of all that were added */
    int64_t received_max;
};

/* ---- what the files of the batch share ---- */
enum { ARRAY_BYTES_MAX = 96 * 1024 * 1024, DAY_MS = 86400 * 1000, COLUMNS_MAX = 26 };
/* The first two parameters of what asks for events by their ids: EVENT_IDS. */
void write_batch_add_ids(struct pg_batch *pg, const struct write_batch *batch);
enum severity write_batch_worst(const struct batch_group *group);

/* Parts of statements. Plans are kept, whatever the tables held when they were made; a table that was
 * empty then is still not to be read from end to end. */
#define WRITER_SETTINGS                                                                            \
    "set_config('plan_cache_mode', 'force_generic_plan', true), "                                  \
    "set_config('enable_seqscan', 'off', true), "                                                  \
    "set_config('max_parallel_workers_per_gather', '0', true)"
#define EVENT_IDS "(SELECT unnest($1::bigint[]) AS project_id, unnest($2::text[]) AS event_id)"
/* What memory stems from: the rules, the stacks, the server. */
#define WRITER_EPOCH                                                                               \
    "(SELECT string_agg(value, '.' ORDER BY name) || '.' || "                                      \
    "extract(epoch FROM pg_postmaster_start_time())::bigint FROM service_setting "                 \
    "WHERE name IN ('alert_rules_version', 'stack_epoch'))"
#define WRITER_LOCK "pg_advisory_xact_lock_shared(hashtext('nabat.groups'))"
#define SEVERITY_ORDER "ARRAY['debug', 'info', 'warning', 'error', 'critical']"
#define GROUP_IS_NOISY                                                                             \
    "(g.status = 'resolved' OR EXISTS (SELECT 1 FROM alert_card c "                                \
    "WHERE c.group_id = coalesce(g.merged_into, g.id) AND c.is_current))"

/* Arrays of one length, filled row by row. */
struct columns {
    struct pg_array array[COLUMNS_MAX];
    size_t count;
};
void columns_init(struct columns *c, const enum pg_array_type *types, size_t count);
/* Adds the statement with the columns as its parameters, unless they are empty; frees them. */
bool columns_add(struct pg_batch *pg, struct columns *c, const char *sql);

/* Drops those that are among `known` (rows of project and event id; may be NULL) and those twice in the batch. */
void write_batch_drop_repeats(struct write_batch *batch, const PGresult *known);
void write_batch_meter(struct write_batch *batch, struct row_meter *meter, bool counts_only);
void write_batch_aggregate(struct write_batch *batch);
/* Where a group's index + 1 stands, or will; 0: it has none. */
uint32_t *write_batch_slot(struct write_batch *batch, int64_t project, const char *fingerprint);
void write_batch_set_ring_min(struct write_batch *batch, const struct writer_cache *cache,
                              enum severity ring_min);
/* Where the clocks of two instances may disagree on the day, one id could land in two leaves. */
bool write_batch_near_midnight(int64_t now_ms);

/* ---- a batch's way ---- */
void write_batch_init(struct write_batch *batch, size_t events_max);
void write_batch_fini(struct write_batch *batch);
void write_batch_add(struct write_batch *batch, struct event *event);

/* Whether the batch may be stored without a look-up: received just now, on one day, and every group is
 * remembered. Then it is aggregated. `ring_min` is the settings'. */
bool write_batch_is_direct(struct write_batch *batch, struct writer_cache *cache, int64_t now_ms,
                           enum severity ring_min);

/* Look up: BEGIN, repeats, groups, what the cache is to know. */
struct pg_batch *write_batch_look_up(const struct write_batch *batch, int64_t now_ms);
/* Takes its results in: drops repeats, aggregates the rest by group. `meter` (may be NULL) says which events
 * are only counted: it counts them once, and the events remember; `counts_only`: all of them are. */
void write_batch_take(struct write_batch *batch, const struct pg_reply *reply,
                      struct writer_cache *cache, enum severity ring_min, struct row_meter *meter,
                      bool counts_only);
/* Groups that are not there yet; NULL: none. */
struct pg_batch *write_batch_make_groups(const struct write_batch *batch);
void write_batch_take_groups(struct write_batch *batch, const struct pg_reply *reply);
/* Runs it: everything, and COMMIT; with BEGIN before it, if nothing was looked up. `pg` is idle, or refuses. */
void write_batch_store(struct write_batch *batch, struct writer_cache *cache, struct pg *pg,
                       pg_done_fn *done, void *ctx);
/* It is committed: the cache learns what the batch knows. */
void write_batch_remember(const struct write_batch *batch, const struct pg_reply *reply,
                          struct writer_cache *cache);

#endif
