/* update.c -- the table of updates, and of owners. */
#include "store/update.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"

#include <stdlib.h>

static const char ADD_SQL[] =
    "INSERT INTO telegram_update (bot_id, update_id, body) "
    "SELECT $1, id, body::jsonb FROM unnest($2::bigint[], $3::text[]) AS u (id, body) "
    "ON CONFLICT (bot_id, update_id) DO NOTHING RETURNING update_id, body";
static const char UNHANDLED_SQL[] =
    "UPDATE telegram_update SET attempts = attempts + 1 WHERE bot_id = $1 AND handled_at IS NULL "
    "AND attempts < 3 AND received_at > now() - interval '1 hour' RETURNING update_id, body";

struct call {
    updates_done_fn *done;
    void *ctx;
};

static int by_id(const void *a, const void *b)
{
    const struct update_row *x = a;
    const struct update_row *y = b;
    return (x->update_id > y->update_id) - (x->update_id < y->update_id);
}

static void on_rows(void *ctx, const struct pg_reply *reply)
{
    struct call *call = ctx;
    const PGresult *result = reply->err ? NULL : reply->results[0];
    int n = result ? PQntuples(result) : 0;
    struct update_row *rows = mem_alloc((size_t)n * sizeof *rows);
    for (int i = 0; i < n; i++)
        rows[i] = (struct update_row){pg_get_i64(result, i, 0), pg_get_text(result, i, 1)};
    qsort(rows, (size_t)n, sizeof *rows, by_id);
    call->done(call->ctx, rows, (size_t)n, reply->err);
    free(rows);
    free(call);
}

static struct call *call_new(updates_done_fn *done, void *ctx)
{
    struct call *call = mem_alloc(sizeof *call);
    *call = (struct call){done, ctx};
    return call;
}

void store_updates_add(struct pg *pg, int64_t bot_id, const struct update_row *rows, size_t count,
                       updates_done_fn *done, void *ctx)
{
    struct pg_array ids;
    struct pg_array bodies;
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
    pg_run(pg, batch, on_rows, call_new(done, ctx));
}

void store_updates_unhandled(struct pg *pg, int64_t bot_id, updates_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, UNHANDLED_SQL);
    pg_i64(batch, bot_id);
    pg_run(pg, batch, on_rows, call_new(done, ctx));
}

static void on_handled(void *ctx, const struct pg_reply *reply)
{
    (void)ctx;
    if (reply->err)
        log_debug("update not marked as handled", LOG_S("error", reply->err->text), LOG_END);
}

void store_update_handled(struct pg *pg, int64_t bot_id, int64_t update_id)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "UPDATE telegram_update SET handled_at = now(), body = NULL "
                  "WHERE bot_id = $1 AND update_id = $2");
    pg_i64(batch, bot_id);
    pg_i64(batch, update_id);
    pg_run(pg, batch, on_handled, NULL);
}

struct owner_call {
    owner_done_fn *done;
    void *ctx;
};

static void on_owner(void *ctx, const struct pg_reply *reply)
{
    struct owner_call *call = ctx;
    call->done(call->ctx, !reply->err && PQntuples(reply->results[0]) > 0, reply->err);
    free(call);
}

void store_owner_check(struct pg *pg, int64_t user_id, owner_done_fn *done, void *ctx)
{
    struct owner_call *call = mem_alloc(sizeof *call);
    *call = (struct owner_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT 1 FROM chat_member WHERE user_id = $1 AND role = 'owner'");
    pg_i64(batch, user_id);
    pg_run(pg, batch, on_owner, call);
}
