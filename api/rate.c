/* rate.c -- a small hash table of buckets. Tokens are counted in thousandths, so that nothing is a
 * fraction. */
#include "api/rate.h"

#include "core/hash.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 64, PROBES_MAX = 8, MILLI = 1000, MINUTE_MS = 60 * 1000 };

struct bucket {
    char name[NAME_BYTES]; /* "": free */
    int64_t milli_tokens;  /* may be below zero */
    int64_t since_ms;
};

struct rate_table {
    struct bucket *buckets;
    size_t size;
};

struct rate_table *rate_table_new(size_t buckets_max)
{
    struct rate_table *t = mem_alloc(sizeof *t);
    t->size = buckets_max;
    t->buckets = mem_alloc(buckets_max * sizeof *t->buckets);
    return t;
}

void rate_table_free(struct rate_table *t)
{
    if (!t)
        return;
    free(t->buckets);
    free(t);
}

/* The bucket of that name among a few neighbours; else the stalest of them, emptied. */
static struct bucket *find(struct rate_table *t, const char *name, int64_t full, int64_t now_ms)
{
    struct bucket *stalest = NULL;
    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct bucket *b = &t->buckets[((size_t)hash_text(name) + i) % t->size];
        if (strncmp(b->name, name, NAME_BYTES - 1) == 0)
            return b;
        if (!stalest || b->since_ms < stalest->since_ms)
            stalest = b;
    }
    snprintf(stalest->name, sizeof stalest->name, "%s", name);
    stalest->milli_tokens = full;
    stalest->since_ms = now_ms;
    return stalest;
}

int64_t rate_take(struct rate_table *t, const char *name, int64_t per_minute, int64_t n,
                  int64_t now_ms)
{
    if (per_minute <= 0)
        return 0;
    int64_t full = per_minute * MILLI;
    struct bucket *b = find(t, name, full, now_ms);
    int64_t elapsed = now_ms > b->since_ms ? now_ms - b->since_ms : 0;
    if (elapsed > 10 * MINUTE_MS)
        elapsed = 10 * MINUTE_MS;
    int64_t gained = elapsed * per_minute / (MINUTE_MS / MILLI);
    if (gained > 0) {
        b->milli_tokens = b->milli_tokens + gained < full ? b->milli_tokens + gained : full;
        b->since_ms = now_ms;
    }
    if (b->milli_tokens >= MILLI) {
        b->milli_tokens -= n * MILLI;
        if (b->milli_tokens < -10 * full)
            b->milli_tokens = -10 * full;
        return 0;
    }
    int64_t missing = MILLI - b->milli_tokens;
    return (missing * MINUTE_MS / full + MILLI - 1) / MILLI;
}
