/* setting.c -- the table service_setting. */
#include "store/setting.h"

#include "core/mem.h"

#include <stdlib.h>

static const char GET_SQL[] = "SELECT value FROM service_setting WHERE name = $1";
static const char ENSURE_SQL[] = "INSERT INTO service_setting (name, value) VALUES ($1, $2) "
                                 "ON CONFLICT (name) DO NOTHING";
static const char PUT_SQL[] = "INSERT INTO service_setting (name, value) VALUES ($1, $2) "
                              "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
static const char REMOVE_SQL[] = "DELETE FROM service_setting WHERE name = $1";

struct setting_call {
    setting_done_fn *done;
    void *ctx;
};

static void on_value(void *ctx, const struct pg_reply *reply)
{
    struct setting_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[reply->count - 1];
    const char *value = rows && PQntuples(rows) == 1 ? pg_get_text(rows, 0, 0) : NULL;
    call->done(call->ctx, value, reply->err);
    free(call);
}

static void run(struct pg *pg, const char *change_sql, const char *name, const char *value,
                setting_done_fn *done, void *ctx)
{
    struct setting_call *call = mem_alloc(sizeof *call);
    *call = (struct setting_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    if (change_sql) {
        pg_add(batch, change_sql);
        pg_text(batch, name);
        if (value)
            pg_text(batch, value);
    }
    pg_add(batch, GET_SQL);
    pg_text(batch, name);
    pg_run(pg, batch, on_value, call);
}

void store_setting_get(struct pg *pg, const char *name, setting_done_fn *done, void *ctx)
{
    run(pg, NULL, name, NULL, done, ctx);
}

void store_setting_ensure(struct pg *pg, const char *name, const char *value, setting_done_fn *done,
                          void *ctx)
{
    run(pg, ENSURE_SQL, name, value, done, ctx);
}

void store_setting_put(struct pg *pg, const char *name, const char *value, setting_done_fn *done,
                       void *ctx)
{
    run(pg, value ? PUT_SQL : REMOVE_SQL, name, value, done, ctx);
}
