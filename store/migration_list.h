/* migration_list.h -- the files of sql/, compiled in; the list is made by cmake/embed_sql.cmake. */
#ifndef NABAT_STORE_MIGRATION_LIST_H
#define NABAT_STORE_MIGRATION_LIST_H

#include <stddef.h>

struct migration_file {
    const char *name; /* NNN_noun.sql */
    const char *sql;
};
extern const struct migration_file MIGRATION_FILES[];
extern const size_t MIGRATION_FILES_COUNT;

#endif
