/* mirror.h -- rows of the database that are kept in memory and beside the spool, so that a start without it
 * still knows whom to trust, what is muted and where to ring.
 *
 * A set is the results of one batch, as they came: whoever reads it back decodes it by the same code as
 * the database's own answer. */
#ifndef NABAT_STORE_MIRROR_H
#define NABAT_STORE_MIRROR_H

#include "spool/spool.h"

#include <libpq-fe.h>

struct mirror;
enum mirror_set { MIRROR_PROJECTS, MIRROR_KNOWN, MIRROR_SETS };
enum { MIRROR_KNOWN_RESULTS = 10, MIRROR_RESULTS_MAX = 12 };

/* `spool` (may be NULL: in memory alone) is BORROWED. */
struct mirror *store_mirror_new(struct ev_loop *loop, struct spool *spool);
void store_mirror_free(struct mirror *mirror);

/* Copies the set's results (1 of projects, MIRROR_KNOWN_RESULTS of known); they are on disk within seconds when
 * they are others than before. */
void store_mirror_put(struct mirror *mirror, enum mirror_set set, PGresult *const *results);
/* False: it holds none. The caller PQclears each result. */
bool store_mirror_get(const struct mirror *mirror, enum mirror_set set,
                      PGresult *out[MIRROR_RESULTS_MAX]);
/* `text` is what spool_on_open hands over; false: it is no mirror of this version. */
bool store_mirror_read(struct mirror *mirror, const char *text);

#endif
