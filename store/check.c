/* check.c -- see check.h. */
#include "store/check.h"

#include "core/mem.h"
#include "core/random.h"
#include "store/recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char CLAIM_SQL[] =
    "UPDATE uptime_check c SET next_at = now() + make_interval(secs => c.every_s) WHERE c.id IN ("
    "SELECT id FROM uptime_check WHERE enabled AND next_at <= now() ORDER BY next_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED) "
    "RETURNING c.id, c.url, c.every_s, c.expect, c.under_ms, c.cert_days, c.troubles";
static const char STATE_SQL[] =
    "UPDATE uptime_check SET troubles = $2, failing = nullif($3, ''), last_at = now(), last_ms = $4, last_status = $5, "
    "last_error = nullif($6, ''), cert_expires_at = coalesce($7::timestamptz, cert_expires_at) WHERE id = $1";
static const char SAMPLE_SQL[] =
    "INSERT INTO check_sample (check_id, ms, ok) SELECT id, $2, $3 FROM uptime_check WHERE id = $1";
static const char EVENT_SQL[] = "INSERT INTO event_inbox (id, event_id, project_id, body) "
                                "VALUES (nextval('event_id_seq'), $1, 1, $2::jsonb)";
static const char PUT_SQL[] =
    "INSERT INTO uptime_check (url, every_s, expect, under_ms, cert_days, added_by) SELECT $1, $2, $3, $4, $5, $6 "
    "WHERE (SELECT count(*) FROM uptime_check) < $7::bigint OR EXISTS (SELECT 1 FROM uptime_check WHERE url = $1) "
    "ON CONFLICT (url) DO UPDATE SET every_s = excluded.every_s, expect = excluded.expect, under_ms = excluded.under_ms, "
    "cert_days = excluded.cert_days, enabled = true, next_at = now() RETURNING id";
static const char SET_SQL[] =
    "INSERT INTO uptime_check AS c (url, every_s, expect, under_ms, cert_days, from_settings) VALUES ($1, $2, $3, $4, $5, true) "
    "ON CONFLICT (url) DO UPDATE SET every_s = excluded.every_s, expect = excluded.expect, under_ms = excluded.under_ms, "
    "cert_days = excluded.cert_days, next_at = least(c.next_at, now() + make_interval(secs => excluded.every_s)) "
    "WHERE (c.every_s, c.expect, c.under_ms, c.cert_days) IS DISTINCT FROM "
    "(excluded.every_s, excluded.expect, excluded.under_ms, excluded.cert_days)";
static const char UNSET_SQL[] = "DELETE FROM uptime_check WHERE from_settings AND NOT url = ANY($1::text[])";
static const char REMOVE_SQL[] = "DELETE FROM uptime_check WHERE id = $1 RETURNING id";
static const char SWITCH_SQL[] = "UPDATE uptime_check SET enabled = $2, next_at = now() WHERE id = $1 RETURNING id";
static const char LIST_SQL[] =
    "SELECT c.id, c.url, c.enabled, c.failing, " PG_MS("c.last_at") ", coalesce(s.p50, -1)::bigint, coalesce(s.p95, -1)::bigint, "
    "coalesce(s.up, -1)::float8, " PG_MS("c.cert_expires_at") " FROM uptime_check c LEFT JOIN LATERAL ("
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50, percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95, "
    "100.0 * count(*) FILTER (WHERE ok) / nullif(count(*), 0) AS up FROM check_sample s WHERE s.check_id = c.id "
    "AND s.at > now() - interval '1 day') s ON true ORDER BY c.failing IS NULL, c.id LIMIT $1::bigint";
static const char BEAT_PUT_SQL[] =
    "INSERT INTO beat_key (key, slug, every_min, added_by) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (project_id, slug) DO UPDATE SET every_min = excluded.every_min RETURNING key";
static const char BEAT_GET_SQL[] = "SELECT project_id, slug, every_min FROM beat_key WHERE key = $1";
/* clang-format on */

static void take_spec(const PGresult *rows, int row, int first, struct check_spec *spec)
{
    snprintf(spec->url, sizeof spec->url, "%s", pg_get_text(rows, row, first));
    spec->every_s = pg_get_i64(rows, row, first + 1);
    spec->expect = pg_get_i64(rows, row, first + 2);
    spec->under_ms = pg_get_i64(rows, row, first + 3);
    spec->cert_days = pg_get_i64(rows, row, first + 4);
}

struct claim_call {
    checks_fn *done;
    void *ctx;
};

static void on_claimed(void *ctx, const struct pg_reply *reply)
{
    struct claim_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t count = rows ? (size_t)PQntuples(rows) : 0;
    struct check_row *list = mem_alloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i].id = pg_get_i64(rows, (int)i, 0);
        take_spec(rows, (int)i, 1, &list[i].spec);
        list[i].troubles = pg_get_text(rows, (int)i, 6);
    }
    call->done(call->ctx, list, count, reply->err);
    free(list);
    free(call);
}

void store_checks_claim(struct pg *pg, checks_fn *done, void *ctx)
{
    struct claim_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct claim_call){done, ctx};
    pg_add(batch, CLAIM_SQL);
    pg_i64(batch, CHECKS_AT_ONCE_MAX);
    pg_run(pg, batch, on_claimed, call);
}

void store_check_write(struct pg *pg, const struct check_write *w, pg_outcome_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, STATE_SQL);
    pg_i64(batch, w->id);
    pg_text(batch, w->troubles);
    pg_text(batch, w->failing);
    pg_i64(batch, w->ms);
    pg_i64(batch, w->status);
    pg_text(batch, w->error);
    if (w->cert_expires_ms)
        pg_time(batch, w->cert_expires_ms);
    else
        pg_text(batch, NULL);
    pg_add(batch, SAMPLE_SQL);
    pg_i64(batch, w->id);
    pg_i64(batch, w->ms);
    pg_bool(batch, w->ok);
    for (size_t i = 0; i < w->news_count; i++) {
        const struct check_news *n = &w->news[i];
        if (n->event_id) {
            pg_add(batch, EVENT_SQL);
            pg_text(batch, n->event_id);
            pg_text(batch, n->body);
            continue;
        }
        struct recovery over = {n->fingerprint, n->name, n->minutes, n->failures};
        store_recovery_add(batch, 1, "check", &over, 1);
    }
    pg_run_outcome(pg, batch, done, ctx);
}

/* ----------------------------------------------------------------------------------------- changes */

struct change_call {
    check_added_fn *done;
    void *ctx;
};

static void on_changed(void *ctx, const struct pg_reply *reply)
{
    struct change_call *call = ctx;
    bool any = !reply->err && PQntuples(reply->results[0]) > 0;
    call->done(call->ctx, any ? pg_get_i64(reply->results[0], 0, 0) : 0, reply->err);
    free(call);
}

static void run_change(struct pg *pg, struct pg_batch *batch, check_added_fn *done, void *ctx)
{
    struct change_call *call = mem_alloc(sizeof *call);
    *call = (struct change_call){done, ctx};
    pg_run(pg, batch, on_changed, call);
}

static void add_spec(struct pg_batch *batch, const struct check_spec *spec)
{
    pg_text(batch, spec->url);
    pg_i64(batch, spec->every_s);
    pg_i64(batch, spec->expect);
    pg_i64(batch, spec->under_ms);
    pg_i64(batch, spec->cert_days);
}

void store_check_put(struct pg *pg, const struct check_spec *spec, const char *added_by,
                     check_added_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, PUT_SQL);
    add_spec(batch, spec);
    pg_text(batch, added_by);
    pg_i64(batch, CHECKS_MAX);
    run_change(pg, batch, done, ctx);
}

void store_checks_set(struct pg *pg, const struct check_spec *specs, size_t count,
                      pg_outcome_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    struct pg_array urls;
    pg_array_init(&urls, PG_TEXT_ARRAY, 2 * CHECKS_MAX * CHECK_URL_BYTES);
    for (size_t i = 0; i < count; i++) {
        pg_array_text(&urls, specs[i].url);
        pg_add(batch, SET_SQL);
        add_spec(batch, &specs[i]);
    }
    pg_add(batch, UNSET_SQL);
    pg_array_param(batch, &urls);
    pg_run_outcome(pg, batch, done, ctx);
}

void store_check_remove(struct pg *pg, int64_t id, check_added_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, REMOVE_SQL);
    pg_i64(batch, id);
    run_change(pg, batch, done, ctx);
}

void store_check_switch(struct pg *pg, int64_t id, bool on, check_added_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, SWITCH_SQL);
    pg_i64(batch, id);
    pg_bool(batch, on);
    run_change(pg, batch, done, ctx);
}

/* -------------------------------------------------------------------------------------------- list */

struct list_call {
    check_lines_fn *done;
    void *ctx;
};

static void on_list(void *ctx, const struct pg_reply *reply)
{
    struct list_call *call = ctx;
    struct check_line lines[CHECKS_MAX];
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t count = 0;
    for (int row = 0; rows && row < PQntuples(rows) && row < CHECKS_MAX; row++)
        lines[count++] = (struct check_line){
            .id = pg_get_i64(rows, row, 0),
            .url = pg_get_text(rows, row, 1),
            .enabled = pg_get_bool(rows, row, 2),
            .failing = pg_get_text(rows, row, 3),
            .last_ms = pg_get_i64(rows, row, 4),
            .p50_ms = pg_get_i64(rows, row, 5),
            .p95_ms = pg_get_i64(rows, row, 6),
            .up = strtod(PQgetvalue(rows, row, 7), NULL),
            .cert_expires_ms = pg_get_i64(rows, row, 8),
        };
    call->done(call->ctx, lines, count, reply->err);
    free(call);
}

void store_checks_list(struct pg *pg, check_lines_fn *done, void *ctx)
{
    struct list_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct list_call){done, ctx};
    pg_add(batch, LIST_SQL);
    pg_i64(batch, CHECKS_MAX);
    pg_run(pg, batch, on_list, call);
}

/* ------------------------------------------------------------------------------------------- beats */

struct beat_call {
    beat_key_fn *put;
    beat_fn *got;
    void *ctx;
};

static void on_beat_put(void *ctx, const struct pg_reply *reply)
{
    struct beat_call *call = ctx;
    call->put(call->ctx, reply->err ? NULL : pg_get_text(reply->results[0], 0, 0), reply->err);
    free(call);
}

void store_beat_put(struct pg *pg, const char *slug, int64_t every_min, const char *added_by,
                    beat_key_fn *done, void *ctx)
{
    struct beat_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    char key[RANDOM_HEX_BYTES];
    *call = (struct beat_call){.put = done, .ctx = ctx};
    random_hex32(key);
    pg_add(batch, BEAT_PUT_SQL);
    pg_text(batch, key);
    pg_text(batch, slug);
    pg_i64(batch, every_min);
    pg_text(batch, added_by);
    pg_run(pg, batch, on_beat_put, call);
}

static void on_beat_got(void *ctx, const struct pg_reply *reply)
{
    struct beat_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    bool any = rows && PQntuples(rows) > 0;
    call->got(call->ctx, any ? (int32_t)pg_get_i64(rows, 0, 0) : 0,
              any ? pg_get_text(rows, 0, 1) : NULL, any ? pg_get_i64(rows, 0, 2) : 0, reply->err);
    free(call);
}

void store_beat_get(struct pg *pg, const char *key, beat_fn *done, void *ctx)
{
    struct beat_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct beat_call){.got = done, .ctx = ctx};
    pg_add(batch, BEAT_GET_SQL);
    pg_text(batch, key);
    pg_run(pg, batch, on_beat_got, call);
}
