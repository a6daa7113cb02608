/* hash.h -- a hash of a text, for tables and names: fast, the same in every process and version, and no secret keeper. */
#ifndef NABAT_CORE_HASH_H
#define NABAT_CORE_HASH_H

#include <stdint.h>

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
uint64_t hash_text(const char *text);

#endif
