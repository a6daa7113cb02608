/* migrate.h -- brings the schema up to date: forward only, under a lock that ends with its transaction. A new database gets
 * all of it at once, a live one a file at a time. */
#ifndef NABAT_STORE_MIGRATE_H
#define NABAT_STORE_MIGRATE_H

#include "core/err.h"

/* BLOCKS: for start-up and the helper thread. Safe to run twice and by two at once.
 * ERR_RETRY: the database can't be reached; ERR_GONE: it refuses (rights, a relation that is not
 * ours, a server too old), and the text says what to do. *applied counts migrations applied. */
bool store_migrate(const char *url, const char *schema, int *applied, struct err *err);

#endif
