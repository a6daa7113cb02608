/* deploy.h -- the table deploy: what was put out when. */
#ifndef NABAT_STORE_DEPLOY_H
#define NABAT_STORE_DEPLOY_H

#include "core/deploy.h"
#include "store/pg.h"

/* `id` of the row that is there afterwards. */
typedef void deploy_added_fn(void *ctx, int64_t id, const struct err *err);
void store_deploy_add(struct pg *pg, const struct deploy *deploy, deploy_added_fn *done, void *ctx);

enum { DEPLOYS_LISTED_MAX = 10 };
/* BORROWED until done returns. */
struct deploy_line {
    const char *name;
    const char *environment;
    const char *actor;
    int64_t deployed_ms;
    int64_t made; /* errors first seen until the next one, and within a day */
};
typedef void deploys_fn(void *ctx, const struct deploy_line *lines, size_t count,
                        const struct err *err);
void store_deploy_list(struct pg *pg, deploys_fn *done, void *ctx); /* the newest first */

#endif
