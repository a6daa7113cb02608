/* inbox.c -- reading and emptying event_inbox. */
#include "store/inbox.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

static const char READ_SQL[] =
    "SELECT id, " PG_MS("received_at") ", project_id, is_import, body FROM event_inbox "
                                       "ORDER BY id LIMIT $1";
enum { ROW_ID, ROW_RECEIVED, ROW_PROJECT, ROW_IMPORT, ROW_BODY };

static const char REMOVE_SQL[] = "DELETE FROM event_inbox WHERE id = ANY($1::bigint[])";
static const char FAIL_SQL[] =
    "WITH gone AS (DELETE FROM event_inbox WHERE id = ANY($1::bigint[]) RETURNING *) "
    "INSERT INTO event_inbox_failed (id, event_id, project_id, is_import, received_at, body, "
    "error) "
    "SELECT id, event_id, project_id, is_import, received_at, body, $2 FROM gone";

struct read_call {
    inbox_done_fn *done;
    void *ctx;
};

static void on_rows(void *ctx, const struct pg_reply *reply)
{
    struct read_call *call = ctx;
    struct inbox_row rows[INBOX_ROWS_MAX];
    size_t count = 0;
    const PGresult *result = reply->err ? NULL : reply->results[0];
    for (int i = 0; result && i < PQntuples(result) && count < INBOX_ROWS_MAX; i++)
        rows[count++] = (struct inbox_row){
            .id = pg_get_i64(result, i, ROW_ID),
            .received_ms = pg_get_i64(result, i, ROW_RECEIVED),
            .project_id = (int32_t)pg_get_i64(result, i, ROW_PROJECT),
            .is_import = pg_get_bool(result, i, ROW_IMPORT),
            .body = pg_get_text(result, i, ROW_BODY),
        };
    call->done(call->ctx, rows, count, reply->err);
    free(call);
}

void store_inbox_read(struct pg *pg, inbox_done_fn *done, void *ctx)
{
    struct read_call *call = mem_alloc(sizeof *call);
    *call = (struct read_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, READ_SQL);
    pg_i64(batch, INBOX_ROWS_MAX);
    pg_run(pg, batch, on_rows, call);
}

struct left_call {
    inbox_left_fn *done;
    void *ctx;
};

static void on_left(void *ctx, const struct pg_reply *reply)
{
    struct left_call *call = ctx;
    call->done(call->ctx, reply->err);
    free(call);
}

static void add_ids(struct pg_batch *batch, const int64_t *ids, size_t count)
{
    struct pg_array array;
    pg_array_init(&array, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        pg_array_i64(&array, ids[i]);
    pg_array_param(batch, &array);
}

void store_inbox_remove(struct pg *pg, const int64_t *ids, size_t count, const int64_t *failed,
                        size_t failed_count, const char *why, inbox_left_fn *done, void *ctx)
{
    struct left_call *call = mem_alloc(sizeof *call);
    *call = (struct left_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, REMOVE_SQL);
    add_ids(batch, ids, count);
    if (failed_count) {
        pg_add(batch, FAIL_SQL);
        add_ids(batch, failed, failed_count);
        pg_text(batch, why);
    }
    pg_run(pg, batch, on_left, call);
}
