/* rule_edit.c -- writes to the tables of rules. */
#include "store/rule_edit.h"

#include "core/mem.h"

#include <stdlib.h>

struct edit_call {
    rule_edit_fn *done;
    void *ctx;
};

static void on_edited(void *ctx, const struct pg_reply *reply)
{
    struct edit_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    call->done(call->ctx, rows && PQntuples(rows) ? pg_get_i64(rows, 0, 0) : 0, reply->err);
    free(call);
}

static void run(struct pg *pg, struct pg_batch *batch, rule_edit_fn *done, void *ctx)
{
    struct edit_call *call = mem_alloc(sizeof *call);
    *call = (struct edit_call){done, ctx};
    pg_run(pg, batch, on_edited, call);
}

/* A parent or a channel that is not there makes no rule, and no error. */
static const char ADD_SQL[] =
    "INSERT INTO alert_rule (parent_id, position, name, severity, origin, project, environment, "
    "handler, text, occasion, rate_count, rate_minutes, first_days, chat_id, thread_id, language, "
    "silent, cooldown, nowhere, continues) "
    "SELECT nullif($1::bigint, 0), (SELECT coalesce(max(position), 0) + 1 FROM alert_rule "
    "WHERE coalesce(parent_id, 0) = $1), $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, ''), "
    "nullif($7, ''), nullif($8, ''), $9, nullif($10::int, 0), nullif($11::int, 0), "
    "nullif($12::int, 0), coalesce((SELECT id FROM alert_channel WHERE name = $20), "
    "nullif($13::bigint, 0)), nullif($14::bigint, 0), nullif($15, ''), "
    "CASE $16::int WHEN 1 THEN true WHEN 0 THEN false END, nullif($17::int, -1), $18, $19 "
    "WHERE ($1 = 0 OR EXISTS (SELECT 1 FROM alert_rule WHERE id = $1)) "
    "AND ($20 = '' OR EXISTS (SELECT 1 FROM alert_channel WHERE name = $20)) RETURNING id";

void store_rule_add(struct pg *pg, const struct rule *r, rule_edit_fn *done, void *ctx)
{
    const char *const texts[] = {r->match.origin, r->match.project, r->match.environment,
                                 r->match.handler, r->match.text};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, ADD_SQL);
    pg_i64(batch, r->parent_id);
    pg_text(batch, r->name);
    pg_text(batch,
            r->match.severity_min < 0 ? NULL : severity_name((enum severity)r->match.severity_min));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        pg_text(batch, texts[i]);
    pg_text(batch, occasion_name(r->occasion));
    pg_i64(batch, r->rate_count);
    pg_i64(batch, r->rate_minutes);
    pg_i64(batch, r->first_days);
    pg_i64(batch, r->chat_id);
    pg_i64(batch, r->thread_id);
    pg_text(batch, r->language);
    pg_i64(batch, r->silent);
    pg_i64(batch, r->cooldown_ms < 0 ? -1 : r->cooldown_ms / 1000);
    pg_bool(batch, r->nowhere);
    pg_bool(batch, r->continues);
    pg_text(batch, r->channel);
    run(pg, batch, done, ctx);
}

void store_rule_remove(struct pg *pg, int64_t id, rule_edit_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "WITH r AS (DELETE FROM alert_rule WHERE id = $1 RETURNING 1) "
                  "SELECT count(*) FROM r");
    pg_i64(batch, id);
    run(pg, batch, done, ctx);
}

void store_rule_switch(struct pg *pg, int64_t id, bool on, rule_edit_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "WITH r AS (UPDATE alert_rule SET enabled = $2 WHERE id = $1 RETURNING 1) "
                  "SELECT count(*) FROM r");
    pg_i64(batch, id);
    pg_bool(batch, on);
    run(pg, batch, done, ctx);
}

void store_silence_add(struct pg *pg, int64_t chat_id, int64_t seconds, const char *reason,
                       const char *who, rule_edit_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "INSERT INTO alert_silence (chat_id, ends_at, reason, made_by) "
                  "VALUES (nullif($1::bigint, 0), now() + make_interval(secs => $2), "
                  "left($3, 128), $4) RETURNING " PG_MS("ends_at"));
    pg_i64(batch, chat_id);
    pg_i64(batch, seconds);
    pg_text(batch, reason);
    pg_text(batch, who);
    run(pg, batch, done, ctx);
}

void store_silence_end(struct pg *pg, int64_t chat_id, rule_edit_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "WITH s AS (UPDATE alert_silence SET ends_at = now() WHERE ends_at > now() "
                  "AND ($1::bigint = 0 OR chat_id = $1) RETURNING 1) SELECT count(*) FROM s");
    pg_i64(batch, chat_id);
    run(pg, batch, done, ctx);
}

void store_quiet_put(struct pg *pg, int64_t chat_id, const char *from, const char *to, bool holds,
                     rule_edit_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "INSERT INTO chat_setting (chat_id, quiet_from, quiet_to, quiet_holds) "
                  "VALUES ($1, $2::time, $3::time, $4) ON CONFLICT (chat_id) DO UPDATE SET "
                  "quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, "
                  "quiet_holds = excluded.quiet_holds RETURNING 1::bigint");
    pg_i64(batch, chat_id);
    pg_text(batch, from);
    pg_text(batch, to);
    pg_bool(batch, holds);
    /* what was held for the morning of before is told by the new hours: now */
    pg_add(batch, "UPDATE alert_outbox SET next_try_at = now() WHERE chat_id = $1 "
                  "AND state = 'pending' AND hold = 'quiet'");
    pg_i64(batch, chat_id);
    run(pg, batch, done, ctx);
}
