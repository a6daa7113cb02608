/* id_set.c -- open addressing; the ids stay where they are. */
#include "store/id_set.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

uint32_t id_hash(const char *text, uint32_t seed)
{
    uint32_t h = 2166136261u ^ seed;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

size_t id_table_size(size_t members)
{
    size_t size = 16;
    while (size < members * 2 + 2)
        size *= 2;
    return size;
}

void id_set_init(struct id_set *set, size_t members_max)
{
    set->size = id_table_size(members_max);
    set->keys = mem_alloc(set->size * sizeof *set->keys);
}

void id_set_fini(struct id_set *set)
{
    free(set->keys);
    *set = (struct id_set){0};
}

bool id_set_add(struct id_set *set, int64_t project, const char *id)
{
    size_t at = id_hash(id, (uint32_t)project) & (set->size - 1);
    while (set->keys[at].id) {
        if (set->keys[at].project == project && strcmp(set->keys[at].id, id) == 0)
            return false;
        at = (at + 1) & (set->size - 1);
    }
    set->keys[at] = (struct id_key){project, id};
    return true;
}
