/* writer_cache.c -- two open-addressing tables of 16-byte keys in two generations each.
 *
 * A generation that is full becomes the old one, and what the old one held is forgotten unless it is asked for
 * again: then it moves into the new one. So memory is bounded, and what is in use stays. */
#include "store/writer_cache.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 16, FIRST_SLOTS = 256 };

struct entry {
    unsigned char key[KEY_BYTES];
    int64_t id;    /* 0: free */
    int32_t place; /* project, or day */
    uint32_t noisy;
};

struct generation {
    struct entry *slots;
    size_t size; /* a power of two, or 0 */
    size_t used;
};

struct table {
    struct generation young;
    struct generation old;
    size_t max; /* of a generation */
};

struct writer_cache {
    struct table groups;
    struct table stacks;
    struct user_meter *users;
    char epoch[EPOCH_BYTES];
    int rule_min;
};

static void table_clear(struct table *t)
{
    free(t->young.slots);
    free(t->old.slots);
    t->young = t->old = (struct generation){0};
}

struct writer_cache *writer_cache_new(void)
{
    struct writer_cache *cache = mem_alloc(sizeof *cache);
    cache->groups.max = WRITER_CACHE_GROUPS_MAX / 2;
    cache->stacks.max = WRITER_CACHE_STACKS_MAX / 2;
    cache->rule_min = -1;
    cache->users = user_meter_new();
    return cache;
}

void writer_cache_free(struct writer_cache *cache)
{
    if (!cache)
        return;
    table_clear(&cache->groups);
    table_clear(&cache->stacks);
    user_meter_free(cache->users);
    free(cache);
}

struct user_meter *writer_cache_users(struct writer_cache *cache)
{
    return cache->users;
}

void writer_cache_forget_stacks(struct writer_cache *cache)
{
    table_clear(&cache->stacks);
}

void writer_cache_forget(struct writer_cache *cache)
{
    table_clear(&cache->groups);
    table_clear(&cache->stacks);
    user_meter_forget(cache->users);
    cache->epoch[0] = '\0';
    cache->rule_min = -1;
}

void writer_cache_set_epoch(struct writer_cache *cache, const char *epoch, int rule_min)
{
    if (strcmp(cache->epoch, epoch) != 0) {
        writer_cache_forget(cache);
        snprintf(cache->epoch, sizeof cache->epoch, "%s", epoch);
    }
    cache->rule_min = rule_min;
}

const char *writer_cache_epoch(const struct writer_cache *cache)
{
    return cache->epoch;
}

int writer_cache_rule_min(const struct writer_cache *cache)
{
    return cache->rule_min;
}

/* --------------------------------------------------------------------------------------- tables */

/* The key's own bytes are a cryptographic hash: any of them will do. */
static struct entry *find(const struct generation *g, const unsigned char key[KEY_BYTES],
                          int32_t place)
{
    uint64_t h = 0;
    if (!g->size)
        return NULL;
    memcpy(&h, key, sizeof h);
    for (size_t at = (h ^ (uint32_t)place) & (g->size - 1);; at = (at + 1) & (g->size - 1)) {
        struct entry *e = &g->slots[at];
        if (!e->id || (e->place == place && memcmp(e->key, key, KEY_BYTES) == 0))
            return e;
    }
}

static void grow(struct generation *g)
{
    struct generation larger = {.size = g->size ? g->size * 2 : FIRST_SLOTS, .used = g->used};
    larger.slots = mem_alloc(larger.size * sizeof *larger.slots);
    for (size_t i = 0; i < g->size; i++)
        if (g->slots[i].id)
            *find(&larger, g->slots[i].key, g->slots[i].place) = g->slots[i];
    free(g->slots);
    *g = larger;
}

static void table_put(struct table *t, const struct entry *entry)
{
    struct entry *e = find(&t->young, entry->key, entry->place);
    if (e && e->id) {
        *e = *entry;
        return;
    }
    if (t->young.used == t->max) {
        free(t->old.slots);
        t->old = t->young;
        t->young = (struct generation){0};
    }
    if (t->young.used * 2 >= t->young.size)
        grow(&t->young);
    *find(&t->young, entry->key, entry->place) = *entry;
    t->young.used++;
}

static bool table_get(struct table *t, const unsigned char key[KEY_BYTES], int32_t place,
                      struct entry *out)
{
    const struct entry *e = find(&t->young, key, place);
    bool is_young = e && e->id;
    if (!is_young)
        e = find(&t->old, key, place);
    if (!e || !e->id)
        return false;
    *out = *e;
    if (!is_young)
        table_put(t, out);
    return true;
}

/* --------------------------------------------------------------------------------------- groups */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool key_of(const char *fingerprint, unsigned char key[KEY_BYTES])
{
    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = digit(fingerprint[2 * i]);
        int low = high < 0 ? -1 : digit(fingerprint[2 * i + 1]);
        if (low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return fingerprint[(size_t)2 * KEY_BYTES] == '\0';
}

bool writer_cache_find_group(struct writer_cache *cache, int32_t project, const char *fingerprint,
                             struct cached_group *out)
{
    unsigned char key[KEY_BYTES];
    struct entry e;
    if (!key_of(fingerprint, key) || !table_get(&cache->groups, key, project, &e))
        return false;
    *out = (struct cached_group){e.id, e.noisy != 0};
    return true;
}

void writer_cache_put_group(struct writer_cache *cache, int32_t project, const char *fingerprint,
                            const struct cached_group *group)
{
    struct entry e = {.place = project, .id = group->id, .noisy = group->noisy};
    if (group->id && key_of(fingerprint, e.key))
        table_put(&cache->groups, &e);
}

/* --------------------------------------------------------------------------------------- stacks */

bool writer_cache_has_stack(struct writer_cache *cache, int32_t day,
                            const unsigned char hash[STACK_HASH_BYTES])
{
    struct entry e;
    return table_get(&cache->stacks, hash, day, &e);
}

void writer_cache_put_stack(struct writer_cache *cache, int32_t day,
                            const unsigned char hash[STACK_HASH_BYTES])
{
    struct entry e = {.place = day, .id = 1};
    memcpy(e.key, hash, KEY_BYTES);
    table_put(&cache->stacks, &e);
}
