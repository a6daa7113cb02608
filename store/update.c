/* update.c -- the table of updates: in, in hand, handled. */
#include "store/update.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

static const char ADD_SQL[] =
    "INSERT INTO telegram_update (bot_id, update_id, body) "
    "SELECT $1, id, body::jsonb FROM unnest($2::bigint[], $3::text[]) AS u (id, body) "
    "ON CONFLICT (bot_id, update_id) DO NOTHING";
/* What is older than an hour was asked of a service that was down: doing it now would surprise. */
static const char TAKE_SQL[] =
    "WITH t AS (UPDATE telegram_update SET attempts = attempts + 1, taken_by = $2 "
    "WHERE (bot_id, update_id) IN (SELECT bot_id, update_id FROM telegram_update "
    "WHERE bot_id = $1 AND handled_at IS NULL AND taken_by IS DISTINCT FROM $2 AND attempts < $4 "
    "AND received_at > now() - interval '1 hour' ORDER BY received_at, update_id LIMIT $3 "
    "FOR UPDATE SKIP LOCKED) RETURNING update_id, body, received_at) "
    "SELECT update_id, body FROM t ORDER BY received_at, update_id";

struct add_call {
    updates_added_fn *done;
    void *ctx;
};

static void on_added(void *ctx, const struct pg_reply *reply)
{
    struct add_call *call = ctx;
    call->done(call->ctx, reply->err);
    free(call);
}

void store_updates_add(struct pg *pg, int64_t bot_id, const struct update_row *rows, size_t count,
                       updates_added_fn *done, void *ctx)
{
    struct pg_array ids;
    struct pg_array bodies;
    struct add_call *call = mem_alloc(sizeof *call);
    *call = (struct add_call){done, ctx};
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    pg_array_init(&bodies, PG_TEXT_ARRAY, (size_t)16 * MIB);
    for (size_t i = 0; i < count; i++) {
        pg_array_i64(&ids, rows[i].update_id);
        pg_array_text(&bodies, rows[i].body);
    }
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, ADD_SQL);
    pg_i64(batch, bot_id);
    pg_array_param(batch, &ids);
    pg_array_param(batch, &bodies);
    pg_run(pg, batch, on_added, call);
}

struct take_call {
    updates_taken_fn *done;
    void *ctx;
};

static void on_taken(void *ctx, const struct pg_reply *reply)
{
    struct take_call *call = ctx;
    const PGresult *result = reply->err ? NULL : reply->results[0];
    size_t n = result ? (size_t)PQntuples(result) : 0;
    struct update_row *rows = mem_alloc(n * sizeof *rows);
    for (size_t i = 0; i < n; i++)
        rows[i] =
            (struct update_row){pg_get_i64(result, (int)i, 0), pg_get_text(result, (int)i, 1)};
    call->done(call->ctx, rows, n, reply->err);
    free(rows);
    free(call);
}

void store_updates_take(struct pg *pg, int64_t bot_id, const char *taken_by, int64_t limit,
                        updates_taken_fn *done, void *ctx)
{
    struct take_call *call = mem_alloc(sizeof *call);
    *call = (struct take_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, TAKE_SQL);
    pg_i64(batch, bot_id);
    pg_text(batch, taken_by);
    pg_i64(batch, limit);
    pg_i64(batch, UPDATE_TRIES_MAX);
    pg_run(pg, batch, on_taken, call);
}

void store_updates_release(struct pg *pg, int64_t bot_id, const char *taken_by,
                           const int64_t *in_hand, size_t count, updates_added_fn *done, void *ctx)
{
    struct pg_array ids;
    struct add_call *call = mem_alloc(sizeof *call);
    *call = (struct add_call){done, ctx};
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        pg_array_i64(&ids, in_hand[i]);
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch,
           "UPDATE telegram_update SET taken_by = NULL, attempts = attempts - 1 WHERE bot_id = $1 "
           "AND taken_by = $2 AND handled_at IS NULL AND NOT update_id = ANY($3::bigint[])");
    pg_i64(batch, bot_id);
    pg_text(batch, taken_by);
    pg_array_param(batch, &ids);
    pg_run(pg, batch, on_added, call);
}

void store_update_handled(struct pg *pg, int64_t bot_id, int64_t update_id, updates_added_fn *done,
                          void *ctx)
{
    struct add_call *call = mem_alloc(sizeof *call);
    *call = (struct add_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "UPDATE telegram_update SET handled_at = now(), body = NULL "
                  "WHERE bot_id = $1 AND update_id = $2");
    pg_i64(batch, bot_id);
    pg_i64(batch, update_id);
    pg_run(pg, batch, on_added, call);
}
