/* writer_tally.c -- events of a batch counted by hour, group, severity, origin and release: the cells of its row. */
#include "store/writer_tally.h"

#include "core/mem.h"
#include "store/id_set.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000 };

static const char TALLY_SQL[] =
    "INSERT INTO event_tally (cells, hours, groups, projects, severities, origins, releases, "
    "counts) VALUES (cardinality($1::timestamptz[]), $1, $2::bigint[], $3::bigint[], $4::text[], "
    "$5::text[], $6::text[], $7::bigint[])";

/* Events that are counted together. */
struct cell {
    const struct event *first;
    uint32_t group; /* index in the batch's groups */
    int64_t hour;
    int64_t n;
};

struct tally {
    struct cell *cells;
    size_t count;
    uint32_t *slots; /* index + 1 */
    size_t slots_count;
};

static const char *release_of(const struct event *e)
{
    return e->release ? e->release : "";
}

static int64_t hour_of(const struct event *e)
{
    return e->received_ms / HOUR_MS;
}

static bool fits(const struct cell *cell, uint32_t group, const struct event *e)
{
    const struct event *f = cell->first;
    return cell->group == group && cell->hour == hour_of(e) && f->severity == e->severity &&
           strcmp(f->origin, e->origin) == 0 && strcmp(release_of(f), release_of(e)) == 0;
}

static void count_event(struct tally *t, uint32_t group, const struct event *e)
{
    uint32_t seed = (group * 31 + (uint32_t)e->severity) * 31 + (uint32_t)hour_of(e);
    size_t at = id_hash(release_of(e), id_hash(e->origin, seed)) & (t->slots_count - 1);
    while (t->slots[at] && !fits(&t->cells[t->slots[at] - 1], group, e))
        at = (at + 1) & (t->slots_count - 1);
    if (!t->slots[at]) {
        t->cells[t->count] = (struct cell){.first = e, .group = group, .hour = hour_of(e)};
        t->slots[at] = (uint32_t)++t->count;
    }
    t->cells[t->slots[at] - 1].n++;
}

void write_batch_add_tally(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_TIME_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY,
                                               PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
                                               PG_INT8_ARRAY};
    struct columns c;
    struct tally t = {.cells = mem_alloc(batch->count * sizeof *t.cells),
                      .slots_count = id_table_size(batch->count)};
    t.slots = mem_alloc(t.slots_count * sizeof *t.slots);
    for (size_t i = 0; i < batch->count; i++)
        count_event(&t, batch->group_of[i], batch->events[i]);
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < t.count; i++) {
        const struct cell *cell = &t.cells[i];
        pg_array_time(&c.array[0], cell->hour * HOUR_MS);
        pg_array_i64(&c.array[1], batch->groups[cell->group].id);
        pg_array_i64(&c.array[2], cell->first->project_id);
        pg_array_text(&c.array[3], severity_name(cell->first->severity));
        pg_array_text(&c.array[4], cell->first->origin);
        pg_array_text(&c.array[5], release_of(cell->first));
        pg_array_i64(&c.array[6], cell->n);
    }
    columns_add(pg, &c, TALLY_SQL);
    free(t.cells);
    free(t.slots);
}
