/* row_meter.c -- a table of places, one a hash: a newer group takes over an older minute's place. */
#include "store/row_meter.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 4096, MINUTE_MS = 60 * 1000, WAYS = 8 };

struct place {
    uint64_t group;
    int64_t minute;
    int64_t events;
};

struct row_meter {
    int64_t rows_a_minute;
    struct place places[PLACES];
    uint64_t ids[ROW_METER_IDS_MAX / WAYS][WAYS]; /* by the low bits; in each the newest first */
};

struct row_meter *row_meter_new(int64_t rows_a_minute)
{
    struct row_meter *m = mem_alloc(sizeof *m);
    m->rows_a_minute = rows_a_minute;
    return m;
}

void row_meter_free(struct row_meter *m)
{
    free(m);
}

bool row_meter_keeps(struct row_meter *m, uint64_t group, int64_t now_ms)
{
    struct place *p = &m->places[group % PLACES];
    int64_t minute = now_ms / MINUTE_MS;
    if (p->group != group || p->minute != minute)
        *p = (struct place){group, minute, 0};
    p->events++;
    int64_t beyond = p->events - m->rows_a_minute;
    return beyond <= 0 || beyond % ROW_SAMPLE_EVERY == 0;
}

bool row_meter_knows(const struct row_meter *m, uint64_t id)
{
    const uint64_t *set = m->ids[id % (ROW_METER_IDS_MAX / WAYS)];
    for (int i = 0; id && i < WAYS; i++)
        if (set[i] == id)
            return true;
    return false;
}

void row_meter_note(struct row_meter *m, uint64_t id)
{
    uint64_t *set = m->ids[id % (ROW_METER_IDS_MAX / WAYS)];
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = id;
}
