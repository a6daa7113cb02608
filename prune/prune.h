/* prune.h -- one run of retention. */
#ifndef NABAT_PRUNE_PRUNE_H
#define NABAT_PRUNE_PRUNE_H

#include "core/err.h"

struct prune_options {
    bool dry_run;
    int days; /* kept, UTC days besides today's beginning: a day goes once all of it is older */
};

/* BLOCKS; prints what it did, in rows, bytes and seconds, to stdout. */
bool prune_run(const char *url, const char *schema, const struct prune_options *options,
               struct err *err);

#endif
