/* deploy.c -- see deploy.h. */
#include "store/deploy.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

/* clang-format off */
/* One that is said to be to come counts as of now, as an event does. */
static const char ADD_SQL[] =
    "WITH added AS (INSERT INTO deploy (project_id, name, release, environment, url, actor, source, external_id, deployed_at) "
    /* a commit is known by its first seven digits */
    "VALUES ($1, left($2, CASE WHEN $2 ~ '^[0-9a-f]{40}$' THEN 7 ELSE 200 END), $3, $4, $5, $6, $7, $8, "
    "CASE WHEN $9::timestamptz > now() + interval '1 minute' THEN now() ELSE coalesce($9::timestamptz, now()) END) "
    "ON CONFLICT (project_id, source, external_id) DO NOTHING RETURNING id) "
    "SELECT id FROM added UNION ALL SELECT id FROM deploy WHERE project_id = $1 AND source = $7 AND external_id = $8 "
    "AND NOT EXISTS (SELECT 1 FROM added)";
static const char LIST_SQL[] =
    "SELECT d.name, d.environment, d.actor, " PG_MS("d.deployed_at") ", (SELECT count(*) FROM error_group g "
    "WHERE g.project_id = d.project_id AND g.merged_into IS NULL AND g.origin <> 'nabat_selftest' AND g.first_seen >= d.deployed_at "
    "AND g.first_seen < least(d.deployed_at + interval '1 day', coalesce((SELECT min(n.deployed_at) FROM deploy n "
    "WHERE n.project_id = d.project_id AND n.deployed_at > d.deployed_at AND n.environment IS NOT DISTINCT FROM d.environment), 'infinity'))) "
    "FROM (SELECT * FROM deploy ORDER BY deployed_at DESC, id DESC LIMIT $1::bigint) d ORDER BY d.deployed_at DESC, d.id DESC";
/* clang-format on */

struct add_call {
    deploy_added_fn *done;
    void *ctx;
};

static void on_added(void *ctx, const struct pg_reply *reply)
{
    struct add_call *call = ctx;
    call->done(call->ctx, reply->err ? 0 : pg_get_i64(reply->results[0], 0, 0), reply->err);
    free(call);
}

void store_deploy_add(struct pg *pg, const struct deploy *d, deploy_added_fn *done, void *ctx)
{
    struct add_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct add_call){done, ctx};
    pg_add(batch, ADD_SQL);
    pg_i64(batch, d->project_id);
    pg_text(batch, d->name);
    pg_text(batch, d->release);
    pg_text(batch, d->environment);
    pg_text(batch, d->url);
    pg_text(batch, d->actor);
    pg_text(batch, d->source);
    pg_text(batch, d->external_id);
    if (d->deployed_ms)
        pg_time(batch, d->deployed_ms);
    else
        pg_text(batch, NULL);
    pg_run(pg, batch, on_added, call);
}

struct list_call {
    deploys_fn *done;
    void *ctx;
};

static void on_list(void *ctx, const struct pg_reply *reply)
{
    struct list_call *call = ctx;
    struct deploy_line lines[DEPLOYS_LISTED_MAX] = {{.name = NULL}};
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t count = 0;
    for (int row = 0; rows && row < PQntuples(rows) && row < DEPLOYS_LISTED_MAX; row++)
        lines[count++] = (struct deploy_line){pg_get_text(rows, row, 0), pg_get_text(rows, row, 1),
                                              pg_get_text(rows, row, 2), pg_get_i64(rows, row, 3),
                                              pg_get_i64(rows, row, 4)};
    call->done(call->ctx, lines, count, reply->err);
    free(call);
}

void store_deploy_list(struct pg *pg, deploys_fn *done, void *ctx)
{
    struct list_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct list_call){done, ctx};
    pg_add(batch, LIST_SQL);
    pg_i64(batch, DEPLOYS_LISTED_MAX);
    pg_run(pg, batch, on_list, call);
}
