/* details.c -- the newest event put into words by PostgreSQL, and the last ones in short. */
#include "store/details.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

/* clang-format off */
static const char DETAILS_SQL[] =
    "SELECT concat_ws(E'\\n', 'Error #' || e.group_id || ', event ' || e.event_id, "
    "'Received ' || to_char(e.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC', "
    "'', 'MESSAGE', coalesce(e.message, '-'), '', 'STACK', coalesce(e.stacktrace, '-'), ''), "
    "concat_ws(E'\\n', '', 'PAYLOAD', coalesce(jsonb_pretty(e.payload), '-'), '', 'TAGS', "
    "coalesce(jsonb_pretty(e.tags), '-'), '', 'BREADCRUMBS', "
    "coalesce(jsonb_pretty(e.breadcrumbs), '-'), '', "
    "(SELECT 'FILES' || string_agg(E'\\n' || a.name || ', ' || a.bytes || ' bytes' || "
    "CASE WHEN a.body IS NULL THEN ', not kept' ELSE '' END, '' ORDER BY a.n) || E'\\n' "
    "FROM event_attachment a WHERE a.project_id = e.project_id AND a.event_id = e.event_id "
    "AND a.received_day = (e.received_at AT TIME ZONE 'UTC')::date), "
    "(SELECT 'WHAT USERS SAID' || string_agg(E'\\n' || coalesce(nullif(concat_ws(', ', f.name, "
    "f.email), ''), 'somebody') || ': ' || f.message, '' ORDER BY f.id) || E'\\n' "
    "FROM (SELECT * FROM user_feedback f WHERE f.group_id = e.group_id ORDER BY f.id DESC LIMIT 20) "
    "f)), d.detail, s.source "
    "FROM (SELECT id FROM error_group WHERE id = $1 OR merged_into = $1) g "
    "CROSS JOIN LATERAL (SELECT * FROM bot_error_event b WHERE b.group_id = g.id ORDER BY b.id DESC LIMIT 1) e "
    "LEFT JOIN event d ON d.id = e.id AND d.received_at = e.received_at "
    "LEFT JOIN error_stack s ON s.hash = d.stack_hash AND s.received_day = (d.received_at AT TIME ZONE 'UTC')::date "
    "ORDER BY e.id DESC LIMIT 1";
/* clang-format on */
enum { DETAILS_HEAD, DETAILS_TAIL, DETAILS_DETAIL, DETAILS_SOURCE };

struct details_call {
    details_done_fn *done;
    void *ctx;
};

static void on_details(void *ctx, const struct pg_reply *reply)
{
    struct details_call *call = ctx;
    bool found = !reply->err && PQntuples(reply->results[0]) == 1;
    struct details details = {0};
    unsigned char *bytes = NULL;
    if (found) {
        const PGresult *row = reply->results[0];
        const char *hex = pg_get_text(row, 0, DETAILS_DETAIL);
        details.head = pg_get_text(row, 0, DETAILS_HEAD);
        details.tail = pg_get_text(row, 0, DETAILS_TAIL);
        if (hex)
            bytes = PQunescapeBytea((const unsigned char *)hex, &details.detail_len);
        details.detail = bytes;
        details.source = pg_get_text(row, 0, DETAILS_SOURCE);
    }
    call->done(call->ctx, found ? &details : NULL, reply->err);
    PQfreemem(bytes);
    free(call);
}

void store_details_get(struct pg *pg, int64_t group_id, details_done_fn *done, void *ctx)
{
    struct details_call *call = mem_alloc(sizeof *call);
    *call = (struct details_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, DETAILS_SQL);
    pg_i64(batch, group_id);
    pg_run(pg, batch, on_details, call);
}

/* Keyset by group, then id: each merged group gives its newest, so that no index is read whole. */
/* clang-format off */
static const char EVENTS_SQL[] =
    "SELECT " PG_MS("e.received_at") ", e.event_id, left(coalesce(e.message, e.exception_type), 300), "
    "e.user_id, e.gen_request_id, e.release "
    "FROM (SELECT id FROM error_group WHERE id = nabat_root($1) OR merged_into = nabat_root($1)) g "
    "CROSS JOIN LATERAL (SELECT * FROM event WHERE group_id = g.id ORDER BY id DESC LIMIT $2 + $3) e "
    "ORDER BY e.id DESC OFFSET $3 LIMIT $2";
/* clang-format on */

struct events_call {
    events_fn *done;
    void *ctx;
};

static void on_events(void *ctx, const struct pg_reply *reply)
{
    struct events_call *call = ctx;
    struct event_brief events[EVENTS_LISTED_MAX];
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t found = rows ? (size_t)PQntuples(rows) : 0;
    size_t count = found < EVENTS_LISTED_MAX ? found : EVENTS_LISTED_MAX;
    for (size_t i = 0; i < count; i++)
        events[i] = (struct event_brief){.received_ms = pg_get_i64(rows, (int)i, 0),
                                         .event_id = pg_get_text(rows, (int)i, 1),
                                         .message = pg_get_text(rows, (int)i, 2),
                                         .user_id = pg_get_text(rows, (int)i, 3),
                                         .gen_request_id = pg_get_text(rows, (int)i, 4),
                                         .release = pg_get_text(rows, (int)i, 5)};
    call->done(call->ctx, events, count, found > count, reply->err);
    free(call);
}

void store_events_list(struct pg *pg, int64_t group_id, int64_t offset, events_fn *done, void *ctx)
{
    struct events_call *call = mem_alloc(sizeof *call);
    *call = (struct events_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, EVENTS_SQL);
    pg_i64(batch, group_id);
    pg_i64(batch, EVENTS_LISTED_MAX + 1);
    pg_i64(batch, offset);
    pg_run(pg, batch, on_events, call);
}
