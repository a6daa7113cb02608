/* writer_batch.c -- events of a batch without their repeats, aggregated by group; and whether all it has to know
 * is remembered. What has to be asked is writer_look.c, how it is stored then writer_store.c. */
#include "store/writer_batch.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"
#include "store/id_set.h"

#include <stdlib.h>
#include <string.h>

enum { JUST_NOW_MS = 60 * 1000, NEAR_MIDNIGHT_MS = 60 * 1000 };

void write_batch_init(struct write_batch *batch, size_t events_max)
{
    *batch = (struct write_batch){0};
    batch->events = mem_alloc(events_max * sizeof *batch->events);
}

static void forget_groups(struct write_batch *batch)
{
    free(batch->groups);
    free(batch->facts);
    free(batch->slots);
    free(batch->group_of);
    batch->groups = NULL;
    batch->facts = NULL;
    batch->slots = NULL;
    batch->group_of = NULL;
    batch->groups_count = batch->facts_count = 0;
}

void write_batch_fini(struct write_batch *batch)
{
    forget_groups(batch);
    free(batch->events);
    *batch = (struct write_batch){0};
}

void write_batch_add(struct write_batch *batch, struct event *event)
{
    if (batch->count == 0 || event->received_ms < batch->received_min)
        batch->received_min = event->received_ms;
    if (batch->count == 0 || event->received_ms > batch->received_max)
        batch->received_max = event->received_ms;
    batch->events[batch->count++] = event;
}

void columns_init(struct columns *c, const enum pg_array_type *types, size_t count)
{
    c->count = count;
    for (size_t i = 0; i < count; i++)
        pg_array_init(&c->array[i], types[i], ARRAY_BYTES_MAX);
}

bool columns_add(struct pg_batch *pg, struct columns *c, const char *sql)
{
    bool empty = c->array[0].count == 0;
    if (!empty)
        pg_add(pg, sql);
    for (size_t i = 0; i < c->count; i++) {
        if (!empty)
            pg_array_param(pg, &c->array[i]);
        else
            pg_array_fini(&c->array[i]);
    }
    return !empty;
}

/* ----------------------------------------------------------------------------------- aggregate */

static uint64_t group_id_of(const struct event *e)
{
    uint64_t low = id_hash(e->fingerprint, (uint32_t)e->project_id);
    return (uint64_t)id_hash(e->fingerprint, 0x9e3779b9u) << 32 | low;
}

enum { REPEAT_PROJECT, REPEAT_EVENT_ID };

/* Those that are `known` (may be NULL) in the database, then those of the batch itself. */
void write_batch_drop_repeats(struct write_batch *batch, const PGresult *known)
{
    struct id_set set;
    int rows = known ? PQntuples(known) : 0;
    id_set_init(&set, batch->count + (size_t)rows);
    for (int row = 0; row < rows; row++)
        id_set_add(&set, pg_get_i64(known, row, REPEAT_PROJECT),
                   pg_get_text(known, row, REPEAT_EVENT_ID));
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (id_set_add(&set, batch->events[i]->project_id, batch->events[i]->event_id))
            batch->events[kept++] = batch->events[i];
    batch->repeated += batch->count - kept;
    batch->count = kept;
    id_set_fini(&set);
}

/* A batch that is run again keeps what was decided the first time. */
void write_batch_meter(struct write_batch *batch, struct row_meter *meter, bool counts_only)
{
    int64_t now_ms = clock_wall_ms();
    for (size_t i = 0; (meter || counts_only) && i < batch->count; i++) {
        struct event *e = batch->events[i];
        if (e->is_metered || e->is_import)
            continue;
        e->is_metered = true;
        if (counts_only) {
            e->is_counted_only = true;
            continue;
        }
        if (now_ms - e->received_ms > JUST_NOW_MS)
            continue; /* out of the spool: it was not this minute's */
        e->is_counted_only = !row_meter_keeps(meter, group_id_of(e), now_ms);
    }
}

uint32_t *write_batch_slot(struct write_batch *batch, int64_t project, const char *fingerprint)
{
    size_t at = id_hash(fingerprint, (uint32_t)project) & (batch->slots_count - 1);
    while (batch->slots[at]) {
        const struct event *e = batch->groups[batch->slots[at] - 1].first;
        if (e->project_id == project && strcmp(e->fingerprint, fingerprint) == 0)
            break;
        at = (at + 1) & (batch->slots_count - 1);
    }
    return &batch->slots[at];
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct batch_fact *fact_of(struct write_batch *batch, struct batch_group *group,
                                  const struct event *e)
{
    size_t at = group->first_fact;
    for (; at; at = batch->facts[at - 1].next) {
        struct batch_fact *f = &batch->facts[at - 1];
        if (f->severity == e->severity && same_text(f->environment, e->environment) &&
            same_text(f->origin, e->origin) && same_text(f->handler, e->handler))
            return f;
    }
    struct batch_fact *f = &batch->facts[batch->facts_count++];
    *f = (struct batch_fact){
        .next = group->first_fact,
        .severity = e->severity,
        .environment = e->environment,
        .origin = e->origin,
        .handler = e->handler,
    };
    group->first_fact = batch->facts_count;
    return f;
}

static void count_event(struct write_batch *batch, struct batch_group *group, const struct event *e)
{
    group->n[e->severity]++;
    group->counted_only += e->is_counted_only;
    if (!e->is_import) {
        struct batch_fact *f = fact_of(batch, group, e);
        f->n++;
        if (e->occurred_ms > f->occurred_max)
            f->occurred_max = e->occurred_ms;
    }
    if (e->received_ms < group->received_min)
        group->received_min = e->received_ms;
    if (e->received_ms > group->received_max)
        group->received_max = e->received_ms;
}

void write_batch_aggregate(struct write_batch *batch)
{
    batch->slots_count = id_table_size(batch->count);
    batch->slots = mem_alloc(batch->slots_count * sizeof *batch->slots);
    batch->groups = mem_alloc(batch->count * sizeof *batch->groups);
    batch->group_of = mem_alloc(batch->count * sizeof *batch->group_of);
    batch->facts = mem_alloc(batch->count * sizeof *batch->facts);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        uint32_t *slot = write_batch_slot(batch, e->project_id, e->fingerprint);
        if (!*slot) {
            batch->groups[batch->groups_count] = (struct batch_group){
                .first = e, .received_min = e->received_ms, .received_max = e->received_ms};
            *slot = (uint32_t)++batch->groups_count;
        }
        batch->group_of[i] = *slot - 1;
        count_event(batch, &batch->groups[*slot - 1], e);
    }
}

void write_batch_set_ring_min(struct write_batch *batch, const struct writer_cache *cache,
                              enum severity ring_min)
{
    int rule = writer_cache_rule_min(cache);
    batch->ring_min = rule >= 0 && rule < (int)ring_min ? (enum severity)rule : ring_min;
}

/* Where the two instances' clocks may disagree on the day, one id could land in two leaves. */
bool write_batch_near_midnight(int64_t now_ms)
{
    int64_t in_day = now_ms % DAY_MS;
    return in_day < NEAR_MIDNIGHT_MS || in_day > DAY_MS - NEAR_MIDNIGHT_MS;
}

/* -------------------------------------------------------------------------------------- direct */

static bool remembers_all(struct write_batch *batch, struct writer_cache *cache)
{
    for (size_t i = 0; i < batch->groups_count; i++) {
        struct batch_group *g = &batch->groups[i];
        struct cached_group known;
        if (!writer_cache_find_group(cache, g->first->project_id, g->first->fingerprint, &known))
            return false;
        g->id = known.id;
        g->noisy = known.noisy;
    }
    return true;
}

bool write_batch_is_direct(struct write_batch *batch, struct writer_cache *cache, int64_t now_ms,
                           enum severity ring_min)
{
    if (!writer_cache_epoch(cache)[0] || write_batch_near_midnight(now_ms) ||
        now_ms - batch->received_min > JUST_NOW_MS ||
        batch->received_min / DAY_MS != batch->received_max / DAY_MS ||
        batch->received_max / DAY_MS != now_ms / DAY_MS)
        return false;
    write_batch_drop_repeats(batch, NULL);
    write_batch_aggregate(batch);
    if (!remembers_all(batch, cache)) {
        forget_groups(batch);
        return false;
    }
    write_batch_set_ring_min(batch, cache, ring_min);
    batch->is_direct = true;
    return true;
}
