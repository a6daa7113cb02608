/* held.c -- alerts whose time to be held back is over: asked again before they go. */
#include "store/facts.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static const char DUE_SQL[] =
    "SELECT o.id, o.chat_id, g.id, g.severity, g.origin, p.slug, o.environment, g.handler, g.title "
    "FROM alert_outbox o JOIN error_group g ON g.id = nabat_root(o.group_id) "
    "JOIN project p ON p.id = g.project_id WHERE o.state IN ('pending', 'uncertain') "
    "AND o.next_try_at <= now() AND o.hold IS NOT NULL AND o.hold <> 'fallback' "
    "AND o.is_free IS NOT TRUE ORDER BY o.id LIMIT $1";
enum {
    HELD_ID,
    HELD_CHAT,
    HELD_GROUP,
    HELD_SEVERITY,
    HELD_ORIGIN,
    HELD_PROJECT,
    HELD_ENVIRONMENT,
    HELD_HANDLER,
    HELD_TITLE
};

struct due_call {
    held_fn *done;
    void *ctx;
};

static void read_row(const PGresult *r, int row, struct held_row *out)
{
    const char *severity = pg_get_text(r, row, HELD_SEVERITY);
    *out = (struct held_row){.id = pg_get_i64(r, row, HELD_ID),
                             .chat_id = pg_get_i64(r, row, HELD_CHAT)};
    out->fact = (struct fact){.kind = FACT_EVENT,
                              .group_id = pg_get_i64(r, row, HELD_GROUP),
                              .origin = pg_get_text(r, row, HELD_ORIGIN),
                              .project = pg_get_text(r, row, HELD_PROJECT),
                              .environment = pg_get_text(r, row, HELD_ENVIRONMENT),
                              .handler = pg_get_text(r, row, HELD_HANDLER),
                              .title = pg_get_text(r, row, HELD_TITLE)};
    severity_parse(severity, strlen(severity), &out->fact.severity);
}

static void on_due(void *ctx, const struct pg_reply *reply)
{
    struct due_call *call = ctx;
    int count = reply->err ? 0 : PQntuples(reply->results[0]);
    struct held_row *rows = mem_alloc((size_t)(count + 1) * sizeof *rows);
    for (int row = 0; row < count; row++)
        read_row(reply->results[0], row, &rows[row]);
    call->done(call->ctx, rows, (size_t)count, reply->err ? 0 : pg_get_i64(reply->results[1], 0, 0),
               reply->err);
    free(rows);
    free(call);
}

void store_held_due(struct pg *pg, held_fn *done, void *ctx)
{
    struct due_call *call = mem_alloc(sizeof *call);
    *call = (struct due_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, DUE_SQL);
    pg_i64(batch, HELD_ROWS_MAX);
    pg_add(batch, "SELECT " PG_MS("now()"));
    pg_run(pg, batch, on_due, call);
}

/* What is held by a source is told after an hour in any case. */
static const char SETTLE_SQL[] =
    "WITH v AS (SELECT u.id, u.about, u.until, u.by, CASE WHEN u.hold <> 'inhibited' "
    "OR w.created_at > now() - make_interval(secs => $8) THEN u.hold END AS hold "
    "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[]) "
    "AS u (id, hold, about, until, by) JOIN alert_outbox w ON w.id = u.id) "
    "UPDATE alert_outbox o SET is_free = v.hold IS NULL, hold = coalesce(v.hold, o.hold), "
    "hold_about = CASE WHEN v.hold IS NULL THEN o.hold_about ELSE v.about END, "
    "held_by = CASE WHEN v.hold IS NULL THEN o.held_by ELSE nullif(v.by, 0) END, "
    "next_try_at = CASE WHEN v.hold IS NULL THEN o.next_try_at ELSE v.until END "
    "FROM v WHERE o.id = v.id AND o.state IN ('pending', 'uncertain') "
    "AND EXISTS (SELECT 1 FROM service_lease WHERE name = 'alerts' AND holder = $6 AND epoch = $7)";

void store_held_settle(struct pg *pg, const struct facts_config *config,
                       const struct held_verdict *verdicts, size_t count, settled_fn *done,
                       void *ctx)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
                                               PG_TIME_ARRAY, PG_INT8_ARRAY};
    struct pg_array c[5];
    for (size_t i = 0; i < 5; i++)
        pg_array_init(&c[i], TYPES[i], MIB);
    for (size_t i = 0; i < count; i++) {
        pg_array_i64(&c[0], verdicts[i].id);
        pg_array_text(&c[1], verdicts[i].hold);
        pg_array_text(&c[2], verdicts[i].about);
        if (verdicts[i].hold)
            pg_array_time(&c[3], verdicts[i].until_ms);
        else
            pg_array_null(&c[3]);
        pg_array_i64(&c[4], verdicts[i].by);
    }
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, SETTLE_SQL);
    for (size_t i = 0; i < 5; i++)
        pg_array_param(batch, &c[i]);
    pg_text(batch, config->holder);
    pg_i64(batch, config->epoch);
    pg_i64(batch, INHIBIT_SECONDS_MAX);
    pg_run_outcome(pg, batch, done, ctx);
}
