/* writer_batch.h -- the pure part of the batch writer: events aggregated, and the statements built. */
#ifndef NABAT_STORE_WRITER_BATCH_H
#define NABAT_STORE_WRITER_BATCH_H

#include "core/event.h"
#include "store/pg.h"
#include "store/row_meter.h"

/* What a batch knows of one group. */
struct batch_group {
    const struct event *first; /* its first event: project, fingerprint, title, … */
    int64_t id;                /* 0: not in the database yet */
    bool locked;               /* we hold its row; else its counters go to group_delta */
    bool resolved;
    bool carded;
    int64_t seen_before_ms; /* before this batch; 0: never */
    int64_t n[SEVERITIES];  /* events of each severity */
    int64_t counted_only;   /* of all, those that leave no row */
    size_t first_fact;      /* index + 1 of the first; 0: all its events are imports */
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
    struct batch_group *groups;
    size_t groups_count;
    struct batch_fact *facts;
    size_t facts_count;
    enum severity ring_min; /* what no rule and no setting asks for is nobody's business */
    uint32_t *slots;        /* hash table of groups, index + 1 */
    size_t slots_count;
    bool has_due;
    int64_t received_min; /* of all that were added */
};

/* What the two files of the batch share: bounds of an array, FNV-1a over text that already is a hash
 * or an id, and the size of a hash table (a power of two, more than twice its members). */
enum { ARRAY_BYTES_MAX = 96 * 1024 * 1024 };
uint32_t write_batch_hash(const char *text, uint32_t seed);
size_t write_batch_table_size(size_t members);

void write_batch_init(struct write_batch *batch, size_t events_max);
void write_batch_fini(struct write_batch *batch);
void write_batch_add(struct write_batch *batch, struct event *event);

/* First round trip: BEGIN, repeats, groups. */
struct pg_batch *write_batch_look_up(const struct write_batch *batch, int64_t now_ms);
/* Takes its results in: drops repeats, aggregates the rest by group. `ring_min` is the settings'; `meter`
 * (may be NULL) says which events are only counted: it counts them once, and the events remember. */
void write_batch_take(struct write_batch *batch, const struct pg_reply *reply,
                      enum severity ring_min, struct row_meter *meter);
/* Second round trip: everything, and COMMIT. */
struct pg_batch *write_batch_store(struct write_batch *batch);

#endif
