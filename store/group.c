/* group.c -- reading and changing error groups. */
#include "store/group.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const STORE_GROUP_COLUMNS =
    "g.id, g.project_id, p.slug, g.title, g.culprit, g.origin, g.handler, g.severity, g.status, "
    "g.occurrences + coalesce((SELECT sum(d.occurrences) FROM group_delta d "
    "WHERE d.group_id = g.id), 0)::bigint, g.users_affected, " PG_MS("g.first_seen") ", " PG_MS(
        "g.last_seen") ", g.assigned_to, g.note, "
                       "CASE WHEN isfinite(g.muted_until) THEN " PG_MS(
                           "g.muted_until") " END, "
                                            "g.muted_until_count, " PG_MS(
                                                "g.resolved_at") ", "
                                                                 "coalesce(g.muted_until > now(), "
                                                                 "false) OR coalesce(g.occurrences "
                                                                 "< g.muted_until_count, false), "
                                                                 "h.actor, " PG_MS(
                                                                     "h.changed_at") ", e.handler, "
                                                                                     "e."
                                                                                     "environment, "
                                                                                     "e.release, "
                                                                                     "e.user_id, "
                                                                                     "e.gen_"
                                                                                     "request_id, "
                                                                                     "e.chat_id IS "
                                                                                     "NOT NULL, "
                                                                                     "e.chat_id, "
                                                                                     "CASE WHEN "
                                                                                     "s.body LIKE "
                                                                                     "'%Traceback "
                                                                                     "(most "
                                                                                     "recent%' "
                                                                                     "THEN "
                                                                                     "right(s.body,"
                                                                                     " 3000) "
                                                                                     "ELSE "
                                                                                     "left(s.body, "
                                                                                     "3000) END, "
                                                                                     "length(s."
                                                                                     "body) > 3000";
const char *const STORE_GROUP_JOINS =
    " LEFT JOIN project p ON p.id = g.project_id "
    "LEFT JOIN LATERAL (SELECT * FROM event e WHERE e.group_id = g.id ORDER BY e.id DESC LIMIT 1) "
    "e "
    "ON true "
    "LEFT JOIN LATERAL (SELECT body FROM error_stack s WHERE s.hash = e.stack_hash "
    "AND s.received_day = (e.received_at AT TIME ZONE 'UTC')::date) s ON true "
    "LEFT JOIN LATERAL (SELECT actor, changed_at FROM error_group_history h "
    "WHERE h.group_id = g.id AND h.what = 'status' ORDER BY h.id DESC LIMIT 1) h ON true ";

enum {
    COL_ID,
    COL_PROJECT_ID,
    COL_PROJECT,
    COL_TITLE,
    COL_CULPRIT,
    COL_ORIGIN,
    COL_HANDLER,
    COL_SEVERITY,
    COL_STATUS,
    COL_OCCURRENCES,
    COL_USERS,
    COL_FIRST_SEEN,
    COL_LAST_SEEN,
    COL_ASSIGNED,
    COL_NOTE,
    COL_MUTED_UNTIL,
    COL_MUTED_COUNT,
    COL_RESOLVED,
    COL_MUTED,
    COL_CHANGED_BY,
    COL_CHANGED,
    COL_EVENT_HANDLER,
    COL_ENVIRONMENT,
    COL_RELEASE,
    COL_USER_ID,
    COL_GEN,
    COL_HAS_CHAT,
    COL_CHAT,
    COL_STACK,
    COL_STACK_CUT
};

void store_group_decode(const PGresult *rows, int row, int first, struct group *g)
{
#define TEXT(column) pg_get_text(rows, row, first + (column))
#define I64(column) pg_get_i64(rows, row, first + (column))
    *g = (struct group){
        .id = I64(COL_ID),
        .project_id = (int32_t)I64(COL_PROJECT_ID),
        .project = TEXT(COL_PROJECT),
        .title = TEXT(COL_TITLE),
        .culprit = TEXT(COL_CULPRIT),
        .origin = TEXT(COL_ORIGIN),
        .handler = TEXT(COL_HANDLER),
        .occurrences = I64(COL_OCCURRENCES),
        .users_affected = I64(COL_USERS),
        .first_seen_ms = I64(COL_FIRST_SEEN),
        .last_seen_ms = I64(COL_LAST_SEEN),
        .assigned_to = TEXT(COL_ASSIGNED),
        .note = TEXT(COL_NOTE),
        .muted_until_ms = I64(COL_MUTED_UNTIL),
        .muted_until_count = I64(COL_MUTED_COUNT),
        .resolved_ms = I64(COL_RESOLVED),
        .muted = pg_get_bool(rows, row, first + COL_MUTED),
        .changed_by = TEXT(COL_CHANGED_BY),
        .changed_ms = I64(COL_CHANGED),
        .event_handler = TEXT(COL_EVENT_HANDLER),
        .environment = TEXT(COL_ENVIRONMENT),
        .release = TEXT(COL_RELEASE),
        .user_id = TEXT(COL_USER_ID),
        .gen_request_id = TEXT(COL_GEN),
        .has_chat_id = pg_get_bool(rows, row, first + COL_HAS_CHAT),
        .chat_id = I64(COL_CHAT),
        .stack_part = TEXT(COL_STACK),
        .stack_is_cut = pg_get_bool(rows, row, first + COL_STACK_CUT),
    };
    const char *severity = TEXT(COL_SEVERITY);
    const char *status = TEXT(COL_STATUS);
    severity_parse(severity, strlen(severity), &g->severity);
    status_parse(status, strlen(status), &g->status);
#undef TEXT
#undef I64
}

/* One group's SELECT, put together once. */
static const char *select_one(void)
{
    static char *sql;
    if (!sql) {
        struct buf text;
        buf_init(&text, 8192);
        buf_addf(&text, "SELECT %s FROM error_group g %s WHERE g.id = $1", STORE_GROUP_COLUMNS,
                 STORE_GROUP_JOINS);
        sql = buf_take(&text);
    }
    return sql;
}

struct get_call {
    group_done_fn *done;
    void *ctx;
};

static void on_group(void *ctx, const struct pg_reply *reply)
{
    struct get_call *call = ctx;
    struct group group;
    const PGresult *rows = reply->err ? NULL : reply->results[reply->count - 1];
    bool found = rows && PQntuples(rows) == 1;
    if (found)
        store_group_decode(rows, 0, 0, &group);
    bool none = reply->err && strcmp(reply->sqlstate, "P0002") == 0;
    call->done(call->ctx, found ? &group : NULL, none ? NULL : reply->err);
    free(call);
}

static struct get_call *get_call_new(group_done_fn *done, void *ctx)
{
    struct get_call *call = mem_alloc(sizeof *call);
    *call = (struct get_call){done, ctx};
    return call;
}

void store_group_get(struct pg *pg, int64_t group_id, group_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, select_one());
    pg_i64(batch, group_id);
    pg_run(pg, batch, on_group, get_call_new(done, ctx));
}

static const char ACTOR_SQL[] =
    "SELECT set_config('nabat.source', $1, true), set_config('nabat.actor', $2, true), "
    "set_config('nabat.actor_id', $3, true)";
static const char *const CHANGE_SQL[] = {
    [CHANGE_TAKE] = "SELECT take($1, $2)",
    [CHANGE_RESOLVE] = "SELECT resolve($1, $2)",
    [CHANGE_REOPEN] = "SELECT reopen($1)",
    [CHANGE_MUTE] = "SELECT mute($1, make_interval(secs => $2))",
    [CHANGE_MUTE_COUNT] = "SELECT mute_count($1, $2)",
    [CHANGE_UNMUTE] = "SELECT unmute($1)",
};

void store_group_change(struct pg *pg, int64_t group_id, enum group_change change, const char *text,
                        int64_t number, const struct actor *actor, group_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)actor->id);
    pg_add(batch, ACTOR_SQL);
    pg_text(batch, actor->source);
    pg_text(batch, actor->name);
    pg_text(batch, actor->id ? id : "");
    pg_add(batch, CHANGE_SQL[change]);
    pg_i64(batch, group_id);
    if (change == CHANGE_TAKE)
        pg_text(batch, actor->name);
    else if (change == CHANGE_RESOLVE)
        pg_text(batch, text);
    else if (change == CHANGE_MUTE || change == CHANGE_MUTE_COUNT)
        pg_i64(batch, number);
    pg_add(batch, select_one());
    pg_i64(batch, group_id);
    pg_run(pg, batch, on_group, get_call_new(done, ctx));
}

/* ---------------------------------------------------------------------------------------- list */

static const char LIST_WHERE[] =
    " WHERE (NOT $1 OR g.status <> 'resolved') AND ($2::text IS NULL OR g.status = $2) "
    "AND ($3::text IS NULL OR g.severity = $3) AND ($4::text IS NULL OR strpos(lower(concat_ws(' "
    "', "
    "g.title, g.culprit, g.origin)), lower($4)) > 0) AND ($5::text IS NULL OR g.assigned_to = $5) ";

struct list_call {
    group_list_fn *done;
    void *ctx;
};

static void on_list(void *ctx, const struct pg_reply *reply)
{
    struct list_call *call = ctx;
    struct group groups[LIST_ROWS_MAX];
    size_t count = 0;
    int64_t total = 0;
    if (!reply->err) {
        const PGresult *rows = reply->results[0];
        for (int row = 0; row < PQntuples(rows) && count < LIST_ROWS_MAX; row++)
            store_group_decode(rows, row, 0, &groups[count++]);
        total = pg_get_i64(reply->results[1], 0, 0);
    }
    call->done(call->ctx, groups, count, total, reply->err);
    free(call);
}

static void add_filter(struct pg_batch *batch, const struct group_filter *f)
{
    pg_bool(batch, f->open_only);
    pg_text(batch, f->status);
    pg_text(batch, f->severity);
    pg_text(batch, f->text);
    pg_text(batch, f->assigned_to);
}

void store_group_list(struct pg *pg, const struct group_filter *filter, group_list_fn *done,
                      void *ctx)
{
    static char *list_sql;
    static char *count_sql;
    if (!list_sql) {
        struct buf text;
        buf_init(&text, 8192);
        buf_addf(&text,
                 "SELECT %s FROM (SELECT * FROM error_group g %s ORDER BY g.last_seen DESC, "
                 "g.id DESC LIMIT $6) g %s ORDER BY g.last_seen DESC, g.id DESC",
                 STORE_GROUP_COLUMNS, LIST_WHERE, STORE_GROUP_JOINS);
        list_sql = buf_take(&text);
        buf_addf(&text, "SELECT count(*) FROM error_group g %s", LIST_WHERE);
        count_sql = buf_take(&text);
    }
    struct list_call *call = mem_alloc(sizeof *call);
    *call = (struct list_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, list_sql);
    add_filter(batch, filter);
    pg_i64(batch, filter->limit < LIST_ROWS_MAX ? filter->limit : LIST_ROWS_MAX);
    pg_add(batch, count_sql);
    add_filter(batch, filter);
    pg_run(pg, batch, on_list, call);
}
