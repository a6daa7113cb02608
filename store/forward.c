/* forward.c -- reading and emptying forward_queue; its ids have next to no gaps, so that they bound its length. */
#include "store/forward.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

static const char BOUND_SQL[] =
    "WITH gone AS (DELETE FROM forward_queue WHERE id <= (SELECT max(id) FROM forward_queue) - $1 "
    "RETURNING 1) SELECT count(*) FROM gone";
static const char READ_SQL[] =
    "SELECT id, event_id, body, (extract(epoch FROM now() - queued_at) * 1000)::bigint "
    "FROM forward_queue WHERE next_try_at <= now() ORDER BY id LIMIT $1";
enum { ROW_ID, ROW_EVENT_ID, ROW_BODY, ROW_WAITED };

static const char PUT_OFF_SQL[] =
    "UPDATE forward_queue SET tries = tries + 1, next_try_at = now() + make_interval(secs => "
    "least(30 * 2 ^ tries, 3600)) WHERE id = ANY($1::bigint[]) AND tries < $2";
static const char TURN_SQL[] =
    "UPDATE forward_queue SET next_try_at = now() + interval '30 seconds' "
    "WHERE id = ANY($1::bigint[])";
static const char GIVE_UP_SQL[] =
    "WITH gone AS (DELETE FROM forward_queue WHERE id = ANY($1::bigint[]) AND tries >= $2 "
    "RETURNING 1) SELECT count(*) FROM gone";
static const char REMOVE_SQL[] = "DELETE FROM forward_queue WHERE id = ANY($1::bigint[])";

struct read_call {
    forward_rows_fn *done;
    void *ctx;
};

static void on_rows(void *ctx, const struct pg_reply *reply)
{
    struct read_call *call = ctx;
    struct forward_row rows[FORWARD_ROWS_MAX];
    size_t count = 0;
    int64_t dropped = reply->err ? 0 : pg_get_i64(reply->results[0], 0, 0);
    const PGresult *result = reply->err ? NULL : reply->results[1];
    for (int i = 0; result && i < PQntuples(result) && count < FORWARD_ROWS_MAX; i++)
        rows[count++] = (struct forward_row){.id = pg_get_i64(result, i, ROW_ID),
                                             .event_id = pg_get_text(result, i, ROW_EVENT_ID),
                                             .body = pg_get_text(result, i, ROW_BODY),
                                             .waited_ms = pg_get_i64(result, i, ROW_WAITED)};
    call->done(call->ctx, rows, count, dropped, reply->err);
    free(call);
}

void store_forward_read(struct pg *pg, forward_rows_fn *done, void *ctx)
{
    struct read_call *call = mem_alloc(sizeof *call);
    *call = (struct read_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, BOUND_SQL);
    pg_i64(batch, FORWARD_QUEUE_ROWS_MAX);
    pg_add(batch, READ_SQL);
    pg_i64(batch, FORWARD_ROWS_MAX);
    pg_run(pg, batch, on_rows, call);
}

static void add_ids(struct pg_batch *batch, const int64_t *ids, size_t count)
{
    struct pg_array array;
    pg_array_init(&array, PG_INT8_ARRAY, 64 * KIB);
    for (size_t i = 0; i < count; i++)
        pg_array_i64(&array, ids[i]);
    pg_array_param(batch, &array);
}

struct end_call {
    forward_end_fn *done;
    void *ctx;
};

static void on_ended(void *ctx, const struct pg_reply *reply)
{
    struct end_call *call = ctx;
    int64_t given_up = reply->err || reply->count < 2 ? 0 : pg_get_i64(reply->results[1], 0, 0);
    call->done(call->ctx, given_up, reply->err);
    free(call);
}

void store_forward_end(struct pg *pg, const int64_t *ids, size_t count, const int64_t *odd,
                       size_t odd_count, forward_end_fn *done, void *ctx)
{
    struct end_call *call = mem_alloc(sizeof *call);
    *call = (struct end_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, REMOVE_SQL);
    add_ids(batch, ids, count);
    if (odd_count) {
        pg_add(batch, GIVE_UP_SQL);
        add_ids(batch, odd, odd_count);
        pg_i64(batch, FORWARD_TRIES_MAX);
        pg_add(batch, PUT_OFF_SQL);
        add_ids(batch, odd, odd_count);
        pg_i64(batch, FORWARD_TRIES_MAX);
    }
    pg_run(pg, batch, on_ended, call);
}

void store_forward_turn(struct pg *pg, const int64_t *ids, size_t count, pg_outcome_fn *done,
                        void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, TURN_SQL);
    add_ids(batch, ids, count);
    pg_run_outcome(pg, batch, done, ctx);
}
