/* memo.c -- two places for each text; the value stands behind it. */
#include "ingest/memo.h"

#include "core/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    uint64_t hash;
    size_t len;
    size_t value_len;
    char *bytes; /* text, then value; NULL: free */
};

struct memo {
    size_t mask;
    size_t bytes;
    size_t bytes_max;
    struct slot *slots;
};

/* For finding, not for proof: eight bytes a step. */
static uint64_t hash_of(const char *text, size_t len)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ len;
    for (; len >= 8; text += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        h = (h ^ word) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    for (; len; text++, len--)
        h = (h ^ (unsigned char)*text) * 0x100000001B3u;
    return h ^ h >> 29;
}

struct memo *memo_new(size_t slots, size_t bytes_max)
{
    struct memo *memo = mem_alloc(sizeof *memo);
    *memo = (struct memo){.mask = slots - 1, .bytes_max = bytes_max};
    return memo;
}

static void clear(struct memo *memo, struct slot *slot)
{
    if (slot->bytes)
        memo->bytes -= slot->len + slot->value_len;
    free(slot->bytes);
    slot->bytes = NULL;
}

static void forget(struct memo *memo)
{
    for (size_t i = 0; memo->slots && i <= memo->mask; i++)
        clear(memo, &memo->slots[i]);
}

void memo_free(struct memo *memo)
{
    if (!memo)
        return;
    forget(memo);
    free(memo->slots);
    free(memo);
}

static bool holds(const struct slot *slot, uint64_t hash, const char *text, size_t len)
{
    return slot->bytes && slot->hash == hash && slot->len == len &&
           memcmp(slot->bytes, text, len) == 0;
}

const void *memo_get(const struct memo *memo, const char *text, size_t len, size_t *value_len)
{
    if (!memo->slots)
        return NULL;
    uint64_t hash = hash_of(text, len);
    const struct slot *slot = &memo->slots[hash & memo->mask];
    if (!holds(slot, hash, text, len))
        slot = &memo->slots[hash >> 32 & memo->mask];
    if (!holds(slot, hash, text, len))
        return NULL;
    *value_len = slot->value_len;
    return slot->bytes + slot->len;
}

void memo_put(struct memo *memo, const char *text, size_t len, const void *value, size_t value_len)
{
    if (len + value_len > memo->bytes_max)
        return;
    if (!memo->slots) /* with the first text: an idle service holds none */
        memo->slots = mem_alloc((memo->mask + 1) * sizeof *memo->slots);
    uint64_t hash = hash_of(text, len);
    struct slot *slot = &memo->slots[hash & memo->mask];
    if (slot->bytes && !memo->slots[hash >> 32 & memo->mask].bytes)
        slot = &memo->slots[hash >> 32 & memo->mask];
    if (memo->bytes + len + value_len > memo->bytes_max)
        forget(memo);
    clear(memo, slot);
    *slot = (struct slot){hash, len, value_len, mem_alloc(len + value_len + 1)};
    memcpy(slot->bytes, text, len);
    memcpy(slot->bytes + len, value, value_len);
    memo->bytes += len + value_len;
}
