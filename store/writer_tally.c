/* writer_tally.c -- a batch counted: by hour, group, severity, origin and release, and by hour and user.
 *
 * Both are hash tables of cells, each of which points at the first event that it counts. */
#include "store/writer_tally.h"

#include "core/clock.h"
#include "core/mem.h"
#include "store/id_set.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000 };

/* cells: what it costs to add up. A user is named in two tables, that is as much as four kinds. */
static const char TALLY_SQL[] =
    "INSERT INTO event_tally (cells, hours, groups, projects, severities, origins, releases, "
    "counts, made, counted, user_hours, user_projects, user_ids, user_counts, rank_hours, "
    "rank_projects, rank_places, ranks) VALUES (cardinality($1::timestamptz[]) + 4 * "
    "cardinality($10::timestamptz[]) + cardinality($14::timestamptz[]), $1, $2::bigint[], "
    "$3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], "
    "$10::timestamptz[], $11::bigint[], $12::text[], $13::bigint[], $14::timestamptz[], "
    "$15::bigint[], $16::bigint[], $17::bigint[])";

/* Events that are counted together. */
struct cell {
    const struct event *first;
    uint32_t group; /* index in the batch's groups */
    int64_t hour;
    int64_t n;
    int64_t made;    /* groups that were met for the first time */
    int64_t counted; /* of n, those that leave no row */
};

typedef bool same_cell_fn(const struct cell *cell, uint32_t group, const struct event *e);

struct tally {
    same_cell_fn *same;
    struct cell *cells;
    size_t count;
    uint32_t *slots; /* index + 1 */
    size_t slots_count;
};

static void tally_init(struct tally *t, same_cell_fn *same, size_t events)
{
    *t = (struct tally){.same = same,
                        .cells = mem_alloc(events * sizeof *t->cells),
                        .slots_count = id_table_size(events)};
    t->slots = mem_alloc(t->slots_count * sizeof *t->slots);
}

static void tally_fini(struct tally *t)
{
    free(t->cells);
    free(t->slots);
}

static const char *release_of(const struct event *e)
{
    return e->release ? e->release : "";
}

static int64_t hour_of(const struct event *e)
{
    return e->received_ms / HOUR_MS;
}

static bool same_kind(const struct cell *cell, uint32_t group, const struct event *e)
{
    const struct event *f = cell->first;
    return cell->group == group && cell->hour == hour_of(e) && f->severity == e->severity &&
           strcmp(f->origin, e->origin) == 0 && strcmp(release_of(f), release_of(e)) == 0;
}

static bool same_user(const struct cell *cell, uint32_t group, const struct event *e)
{
    (void)group;
    return cell->hour == hour_of(e) && cell->first->project_id == e->project_id &&
           strcmp(cell->first->user_id, e->user_id) == 0;
}

static struct cell *cell_of(struct tally *t, uint32_t hash, uint32_t group, const struct event *e)
{
    size_t at = hash & (t->slots_count - 1);
    while (t->slots[at] && !t->same(&t->cells[t->slots[at] - 1], group, e))
        at = (at + 1) & (t->slots_count - 1);
    if (!t->slots[at]) {
        t->cells[t->count] = (struct cell){.first = e, .group = group, .hour = hour_of(e)};
        t->slots[at] = (uint32_t)++t->count;
    }
    return &t->cells[t->slots[at] - 1];
}

static void count_kind(struct tally *t, const struct write_batch *batch, size_t i)
{
    const struct event *e = batch->events[i];
    uint32_t group = batch->group_of[i];
    uint32_t seed = (group * 31 + (uint32_t)e->severity) * 31 + (uint32_t)hour_of(e);
    struct cell *cell = cell_of(t, id_hash(release_of(e), id_hash(e->origin, seed)), group, e);
    cell->n++;
    cell->counted += e->is_counted_only;
    cell->made += batch->groups[group].is_new && batch->groups[group].first == e;
}

/* Events of imports and replays have times of their own: they are metered by when they come. */
static void count_user(struct tally *t, const struct event *e, struct user_meter *meter,
                       int64_t now_ms)
{
    int64_t weight = user_meter_weight(meter, now_ms);
    if (weight)
        cell_of(t, id_hash(e->user_id, (uint32_t)hour_of(e)), 0, e)->n += weight;
}

static void add_rank(struct columns *c, const struct event *e, const struct user_meter *meter)
{
    struct user_rank rank = user_rank_of(e->user_id);
    if (!user_meter_is_news(meter, hour_of(e), e->project_id, rank))
        return;
    pg_array_time(&c->array[13], hour_of(e) * HOUR_MS);
    pg_array_i64(&c->array[14], e->project_id);
    pg_array_i64(&c->array[15], rank.place);
    pg_array_i64(&c->array[16], rank.rank);
}

static void add_kinds(struct columns *c, const struct write_batch *batch, const struct tally *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct cell *cell = &t->cells[i];
        pg_array_time(&c->array[0], cell->hour * HOUR_MS);
        pg_array_i64(&c->array[1], batch->groups[cell->group].id);
        pg_array_i64(&c->array[2], cell->first->project_id);
        pg_array_text(&c->array[3], severity_name(cell->first->severity));
        pg_array_text(&c->array[4], cell->first->origin);
        pg_array_text(&c->array[5], release_of(cell->first));
        pg_array_i64(&c->array[6], cell->n);
        pg_array_i64(&c->array[7], cell->made);
        pg_array_i64(&c->array[8], cell->counted);
    }
}

static void add_users(struct columns *c, const struct tally *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct cell *cell = &t->cells[i];
        pg_array_time(&c->array[9], cell->hour * HOUR_MS);
        pg_array_i64(&c->array[10], cell->first->project_id);
        pg_array_text(&c->array[11], cell->first->user_id);
        pg_array_i64(&c->array[12], cell->n);
    }
}

void write_batch_add_tally(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {
        PG_TIME_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
        PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TIME_ARRAY, PG_INT8_ARRAY, PG_TEXT_ARRAY,
        PG_INT8_ARRAY, PG_TIME_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY};
    struct user_meter *meter = writer_cache_users(batch->cache);
    int64_t now_ms = clock_mono_ms();
    struct columns c;
    struct tally kinds;
    struct tally users;
    tally_init(&kinds, same_kind, batch->count);
    tally_init(&users, same_user, batch->count);
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        count_kind(&kinds, batch, i);
        if (!e->user_id)
            continue;
        count_user(&users, e, meter, now_ms);
        add_rank(&c, e, meter);
    }
    add_kinds(&c, batch, &kinds);
    add_users(&c, &users);
    columns_add(pg, &c, TALLY_SQL);
    tally_fini(&kinds);
    tally_fini(&users);
}

void write_batch_keep_users(const struct write_batch *batch, struct writer_cache *cache)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        if (e->user_id)
            user_meter_keep(writer_cache_users(cache), hour_of(e), e->project_id,
                            user_rank_of(e->user_id));
    }
}
