/* arena.h -- memory of one request or flow: many small pieces, one free, one ceiling. */
#ifndef NABAT_CORE_ARENA_H
#define NABAT_CORE_ARENA_H

#include <stddef.h>

struct arena;

/* `bytes_max` bounds what may be handed out; the first chunk is made with the first piece. */
struct arena *arena_new(size_t bytes_max);
void arena_free(struct arena *arena); /* NULL is fine */

/* NULL when the ceiling is reached: the caller answers LIMIT. Pieces are aligned, not zeroed. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_str_dup_n(struct arena *arena, const char *text, size_t len);

#endif
