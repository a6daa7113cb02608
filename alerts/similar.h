/* similar.h -- which errors look alike: pure, on titles and culprits alone. */
#ifndef NABAT_ALERTS_SIMILAR_H
#define NABAT_ALERTS_SIMILAR_H

#include "store/group.h"

/* From 0 (nothing in common) to 100: the share of trigrams that two texts have in common, letters and
 * digits only, without case (as PostgreSQL's pg_trgm counts them). */
int similar_titles(const char *a, const char *b);

/* The indexes of up to `max` of `others` that look like `group`, the likest first: the same type at the
 * same place, or a title that is similar enough. Returns how many. */
size_t similar_pick(const struct group *group, const struct group_brief *others, size_t count,
                    size_t *picked, size_t max);

#endif
