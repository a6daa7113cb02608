/* id_set.h -- a set of (project, id), for as long as a batch is put together. */
#ifndef NABAT_STORE_ID_SET_H
#define NABAT_STORE_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_set {
    struct id_key {
        int64_t project;
        const char *id; /* BORROWED */
    } * keys;
    size_t size; /* a power of two, more than twice the members */
};

void id_set_init(struct id_set *set, size_t members_max);
void id_set_fini(struct id_set *set);
/* False: it was there. */
bool id_set_add(struct id_set *set, int64_t project, const char *id);

/* FNV-1a over text that already is a hash or an id; the size of a table of so many: a power of two, more than
 * twice as many. */
uint32_t id_hash(const char *text, uint32_t seed);
size_t id_table_size(size_t members);

#endif
