/* prune.h -- one run of retention. */
#ifndef NABAT_PRUNE_PRUNE_H
#define NABAT_PRUNE_PRUNE_H

#include "core/err.h"

#include <stdint.h>

struct prune_options {
    bool dry_run;
    const char *retention;   /* RETENTION: days by class; NULL: none */
    int64_t bytes_max;       /* STORE_MAX_BYTES; 0: no bound */
    const char *archive_dir; /* NULL: nothing is archived */
    int days; /* kept, UTC days besides today's beginning: a day goes once all of it is older */
};

/* BLOCKS; prints what it did, in rows, bytes and seconds, to stdout. */
bool prune_run(const char *url, const char *schema, const struct prune_options *options,
               struct err *err);

/* BLOCKS; an archived day (its .ndjson.zst, beside its manifest) back into the database, where it stays for a week. */
bool prune_restore(const char *url, const char *schema, const char *file, struct err *err);

#endif
