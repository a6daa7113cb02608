/* row_meter.c -- a table of places by hash, eight ways each: a new group takes over a place of an older minute.
 *
 * Where all eight belong to this minute, groups share the last one and its count. */
#include "store/row_meter.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

enum { WAYS = 8, SETS = 512, MINUTE_MS = 60 * 1000 };

struct place {
    uint64_t group;
    int64_t minute;
    int64_t events;
};

struct row_meter {
    int64_t rows_a_minute;
    struct place places[SETS][WAYS];
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

static struct place *place_of(struct row_meter *m, uint64_t group, int64_t minute)
{
    struct place *set = m->places[group % SETS];
    struct place *old = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].minute == minute && set[i].group == group)
            return &set[i];
        if (set[i].minute != minute)
            old = &set[i];
    }
    if (!old)
        return &set[WAYS - 1];
    *old = (struct place){group, minute, 0};
    return old;
}

bool row_meter_keeps(struct row_meter *m, uint64_t group, int64_t now_ms)
{
    int64_t beyond = ++place_of(m, group, now_ms / MINUTE_MS)->events - m->rows_a_minute;
    return beyond <= 0 || beyond % ROW_SAMPLE_EVERY == 0;
}
