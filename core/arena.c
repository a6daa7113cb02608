/* arena.c -- chunks in a list; a piece larger than a chunk gets a chunk of its own. */
#include "core/arena.h"

#include "core/mem.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_CHUNK_BYTES = 8 * 1024, ARENA_CHUNK_BYTES_MAX = 256 * 1024 };

struct chunk {
    struct chunk *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char data[];
};

struct arena {
    struct chunk *head;
    size_t used;
    size_t bytes_max;
    size_t next_size;
};

struct arena *arena_new(size_t bytes_max)
{
    struct arena *arena = mem_alloc(sizeof *arena);
    arena->bytes_max = bytes_max;
    arena->next_size = ARENA_CHUNK_BYTES;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct chunk *c = arena->head, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > arena->bytes_max)
        return NULL;
    size = (size + align - 1) & ~(align - 1);
    struct chunk *c = arena->head;
    if (!c || c->size - c->used < size) {
        size_t want = size > arena->next_size ? size : arena->next_size;
        if (want > arena->bytes_max - arena->used)
            want = size;
        if (size > arena->bytes_max - arena->used)
            return NULL;
        c = mem_realloc(NULL, sizeof *c + want);
        c->size = want;
        c->used = 0;
        c->next = arena->head;
        arena->head = c;
        arena->used += want;
        if (arena->next_size < ARENA_CHUNK_BYTES_MAX)
            arena->next_size *= 2;
    }
    void *piece = c->data + c->used;
    c->used += size;
    return piece;
}

char *arena_str_dup_n(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}
