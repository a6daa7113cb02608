/* group.c -- reading and changing error groups. */
#include "store/group.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* What was merged into a group counts with it; its newest event is the newest of all of them. */
const char *const STORE_GROUP_COLUMNS =
    "g.id, g.project_id, p.slug, g.title, g.culprit, g.origin, g.handler, g.severity, g.status, "
    "(g.occurrences + coalesce(k.occurrences, 0) + coalesce((SELECT sum(d.occurrences) "
    "FROM group_delta d WHERE d.group_id = g.id), 0))::bigint, "
    "CASE WHEN k.ids IS NULL THEN g.users_affected ELSE (SELECT count(DISTINCT u.user_id) "
    "FROM group_user u WHERE u.group_id IN (SELECT g.id UNION ALL SELECT m.id FROM error_group m "
    "WHERE m.merged_into = g.id)) END, "
    PG_MS("least(g.first_seen, k.first_seen)") ", " PG_MS("greatest(g.last_seen, k.last_seen)") ", "
    "g.assigned_to, g.assigned_to_id, g.note, "
    "CASE WHEN isfinite(g.muted_until) THEN " PG_MS("g.muted_until") " END, "
    "g.muted_until_count, " PG_MS("g.resolved_at") ", "
    "coalesce(g.muted_until > now(), false) "
    "OR coalesce(g.occurrences + coalesce(k.occurrences, 0) < g.muted_until_count, false), "
    "coalesce(h.whom, h.actor), " PG_MS("h.changed_at") ", h.source, n.actor, u.actor, "
    "CASE WHEN l.source = 'chat' AND l.is_undo IS NULL AND l.what NOT LIKE 'merged%' AND l.changed_at > now() - interval '5 minutes' "
    "THEN " PG_MS("l.changed_at + interval '5 minutes'") " END, k.ids, "
    "e.handler, e.environment, e.release, e.server_name, e.user_id, e.gen_request_id, "
    "e.chat_id IS NOT NULL, e.chat_id, e.exception_type, e.message, e.tags, "
    "CASE WHEN s.body LIKE '%Traceback (most recent%' THEN right(s.body, 3000) "
    "ELSE left(s.body, 3000) END, length(s.body) > 3000, dp.name, " PG_MS("dp.deployed_at") ", il.url, il.number";
const char *const STORE_GROUP_JOINS =
    " LEFT JOIN project p ON p.id = g.project_id "
    "LEFT JOIN LATERAL (SELECT string_agg(m.id::text, ',' ORDER BY m.id) AS ids, "
    "sum(m.occurrences) AS occurrences, min(m.first_seen) AS first_seen, "
    "max(m.last_seen) AS last_seen FROM error_group m WHERE m.merged_into = g.id) k ON true "
    "LEFT JOIN LATERAL (SELECT x.*, (SELECT string_agg(left(translate(t.key, E'\t\n', '  '), 60) "
    "|| E'\t' || left(translate(t.value, E'\t\n', '  '), 120), E'\n' ORDER BY t.key) "
    "FROM (SELECT key, value FROM jsonb_each_text(CASE WHEN jsonb_typeof(x.all_tags) = 'object' "
    "THEN x.all_tags END) ORDER BY key LIMIT 12) t) AS tags "
    "FROM (SELECT g.id UNION ALL SELECT m.id FROM error_group m WHERE m.merged_into = g.id) o "
    "CROSS JOIN LATERAL (SELECT e.id, e.handler, e.environment, e.release, e.server_name, e.user_id, "
    "e.gen_request_id, e.chat_id, e.exception_type, left(e.message, 1000) AS message, e.message AS whole_message, e.tags AS all_tags, e.stack_hash, e.stack_said, e.received_at "
    "FROM event e WHERE e.group_id = o.id ORDER BY e.id DESC LIMIT 1) x "
    "ORDER BY x.id DESC LIMIT 1) e ON true "
    "LEFT JOIN LATERAL (SELECT nabat_stack(s.body, e.stack_said, e.exception_type, e.whole_message) AS body FROM error_stack s WHERE s.hash = e.stack_hash "
    "AND s.received_day = (e.received_at AT TIME ZONE 'UTC')::date) s ON true "
    "LEFT JOIN LATERAL (SELECT actor, changed_at, source, CASE WHEN h.new_value = 'in_progress' THEN "
    "(SELECT a.new_value FROM error_group_history a WHERE a.group_id = h.group_id "
    "AND a.changed_at = h.changed_at AND a.what = 'assigned_to' ORDER BY a.id DESC LIMIT 1) END AS whom "
    "FROM error_group_history h "
    "WHERE h.group_id = g.id AND h.what = 'status' AND h.new_value = g.status AND h.is_undo IS NULL "
    "ORDER BY h.id DESC LIMIT 1) h ON true "
    "LEFT JOIN LATERAL (SELECT actor FROM error_group_history h "
    "WHERE h.group_id = g.id AND h.what = 'note' AND h.new_value = g.note AND h.is_undo IS NULL "
    "ORDER BY h.id DESC LIMIT 1) n ON true "
    "LEFT JOIN LATERAL (SELECT actor FROM error_group_history h "
    "WHERE h.group_id = g.id AND h.what IN ('muted_until', 'muted_until_count') "
    "ORDER BY h.id DESC LIMIT 1) u ON true "
    "LEFT JOIN LATERAL (SELECT changed_at, source, is_undo, what FROM error_group_history h "
    "WHERE h.group_id = g.id ORDER BY h.id DESC LIMIT 1) l ON true "
    "LEFT JOIN LATERAL (SELECT d.name, d.deployed_at FROM deploy d WHERE d.project_id = g.project_id "
    "AND d.deployed_at <= least(g.first_seen, k.first_seen) AND d.deployed_at > least(g.first_seen, k.first_seen) - interval '1 day' "
    "AND (d.environment IS NULL OR e.environment IS NULL OR d.environment = e.environment) "
    "ORDER BY d.deployed_at DESC, d.id DESC LIMIT 1) dp ON true "
    "LEFT JOIN issue_link il ON il.group_id = g.id AND il.number IS NOT NULL ";
/* clang-format on */

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
    COL_ASSIGNED_ID,
    COL_NOTE,
    COL_MUTED_UNTIL,
    COL_MUTED_COUNT,
    COL_RESOLVED,
    COL_MUTED,
    COL_CHANGED_BY,
    COL_CHANGED,
    COL_CHANGED_FROM,
    COL_NOTED_BY,
    COL_MUTED_BY,
    COL_UNDO_UNTIL,
    COL_MERGED,
    COL_EVENT_HANDLER,
    COL_ENVIRONMENT,
    COL_RELEASE,
    COL_SERVER,
    COL_USER_ID,
    COL_GEN,
    COL_HAS_CHAT,
    COL_CHAT,
    COL_TYPE,
    COL_MESSAGE,
    COL_TAGS,
    COL_STACK,
    COL_STACK_CUT,
    COL_DEPLOY,
    COL_DEPLOYED,
    COL_ISSUE_URL,
    COL_ISSUE
};

void store_group_decode(const PGresult *rows, int row, int first, struct group *g)
{
#define TEXT(column) pg_get_text(rows, row, first + (column))
#define I64(column) pg_get_i64(rows, row, first + (column))
    const char *source = TEXT(COL_CHANGED_FROM);
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
        .assigned_to_id = I64(COL_ASSIGNED_ID),
        .note = TEXT(COL_NOTE),
        .muted_until_ms = I64(COL_MUTED_UNTIL),
        .muted_until_count = I64(COL_MUTED_COUNT),
        .resolved_ms = I64(COL_RESOLVED),
        .muted = pg_get_bool(rows, row, first + COL_MUTED),
        .changed_by = TEXT(COL_CHANGED_BY),
        .changed_ms = I64(COL_CHANGED),
        .changed_by_service = source && strcmp(source, "service") == 0,
        .noted_by = TEXT(COL_NOTED_BY),
        .muted_by = TEXT(COL_MUTED_BY),
        .undo_until_ms = I64(COL_UNDO_UNTIL),
        .merged = TEXT(COL_MERGED),
        .event_handler = TEXT(COL_EVENT_HANDLER),
        .environment = TEXT(COL_ENVIRONMENT),
        .release = TEXT(COL_RELEASE),
        .server_name = TEXT(COL_SERVER),
        .user_id = TEXT(COL_USER_ID),
        .gen_request_id = TEXT(COL_GEN),
        .has_chat_id = pg_get_bool(rows, row, first + COL_HAS_CHAT),
        .chat_id = I64(COL_CHAT),
        .exception_type = TEXT(COL_TYPE),
        .message = TEXT(COL_MESSAGE),
        .tags = TEXT(COL_TAGS),
        .stack_part = TEXT(COL_STACK),
        .stack_is_cut = pg_get_bool(rows, row, first + COL_STACK_CUT),
        .deploy = TEXT(COL_DEPLOY),
        .deployed_ms = I64(COL_DEPLOYED),
        .issue_url = TEXT(COL_ISSUE_URL),
        .issue_number = I64(COL_ISSUE),
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
        buf_addf(&text, "SELECT %s FROM error_group g %s WHERE g.id = nabat_root($1)",
                 STORE_GROUP_COLUMNS, STORE_GROUP_JOINS);
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
enum change_takes { TAKES_NOTHING, TAKES_TEXT, TAKES_NUMBER, TAKES_TEXT_AND_NUMBER };
static const struct {
    const char *sql;
    enum change_takes takes;
} CHANGES[] = {
    [CHANGE_TAKE] = {"SELECT nabat_take_free($1, $2)", TAKES_TEXT},
    [CHANGE_RESOLVE] = {"SELECT resolve($1, $2)", TAKES_TEXT},
    [CHANGE_REOPEN] = {"SELECT reopen($1)", TAKES_NOTHING},
    [CHANGE_MUTE] = {"SELECT mute($1, make_interval(secs => $2))", TAKES_NUMBER},
    [CHANGE_MUTE_COUNT] = {"SELECT mute_count($1, $2)", TAKES_NUMBER},
    [CHANGE_UNMUTE] = {"SELECT unmute($1)", TAKES_NOTHING},
    [CHANGE_ASSIGN] = {"SELECT nabat_assign($1, $2, $3)", TAKES_TEXT_AND_NUMBER},
    [CHANGE_NOTE] = {"SELECT nabat_annotate($1, $2)", TAKES_TEXT},
    [CHANGE_UNDO] = {"SELECT nabat_undo(nabat_root($1))", TAKES_NOTHING},
    [CHANGE_MERGE] = {"SELECT merge_groups($1, $2)", TAKES_NUMBER},
    [CHANGE_SPLIT] = {"SELECT split_group($1)", TAKES_NOTHING},
};

void store_actor_set(struct pg_batch *batch, const struct actor *actor)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)actor->id);
    pg_add(batch, ACTOR_SQL);
    pg_text(batch, actor->source);
    pg_text(batch, actor->name);
    pg_text(batch, actor->id ? id : "");
}

void store_group_change(struct pg *pg, int64_t group_id, const struct group_change *change,
                        const struct actor *actor, group_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    enum change_takes takes = CHANGES[change->kind].takes;
    store_actor_set(batch, actor);
    pg_add(batch, CHANGES[change->kind].sql);
    pg_i64(batch, group_id);
    if (takes == TAKES_TEXT || takes == TAKES_TEXT_AND_NUMBER)
        pg_text(batch, change->kind == CHANGE_TAKE ? actor->name : change->text);
    if (takes == TAKES_NUMBER)
        pg_i64(batch, change->number);
    else if (takes == TAKES_TEXT_AND_NUMBER)
        pg_i64_or_null(batch, change->number);
    pg_add(batch, select_one());
    pg_i64(batch, group_id);
    pg_run(pg, batch, on_group, get_call_new(done, ctx));
}

/* ---------------------------------------------------------------------------------- neighbours */

static const char NEIGHBOURS_SQL[] =
    "SELECT id, title, culprit, status FROM (SELECT 0 AS place, g.id, g.title, g.culprit, g.status "
    "FROM error_group g WHERE g.id = nabat_root($1) UNION ALL (SELECT 1, g.id, g.title, g.culprit, "
    "g.status FROM error_group g WHERE g.id <> nabat_root($1) AND g.merged_into IS NULL "
    "AND g.project_id = (SELECT project_id FROM error_group WHERE id = nabat_root($1)) "
    "ORDER BY g.id DESC LIMIT $2)) n ORDER BY place, id DESC";

struct briefs_call {
    group_briefs_fn *done;
    void *ctx;
};

static void on_briefs(void *ctx, const struct pg_reply *reply)
{
    struct briefs_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t count = rows ? (size_t)PQntuples(rows) : 0;
    struct group_brief *briefs = mem_alloc(count * sizeof *briefs);
    for (size_t i = 0; i < count; i++) {
        const char *status = pg_get_text(rows, (int)i, 3);
        briefs[i] = (struct group_brief){.id = pg_get_i64(rows, (int)i, 0),
                                         .title = pg_get_text(rows, (int)i, 1),
                                         .culprit = pg_get_text(rows, (int)i, 2)};
        status_parse(status, strlen(status), &briefs[i].status);
    }
    call->done(call->ctx, briefs, count, reply->err);
    free(briefs);
    free(call);
}

void store_group_neighbours(struct pg *pg, int64_t group_id, group_briefs_fn *done, void *ctx)
{
    struct briefs_call *call = mem_alloc(sizeof *call);
    *call = (struct briefs_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, NEIGHBOURS_SQL);
    pg_i64(batch, group_id);
    pg_i64(batch, NEIGHBOURS_READ_MAX);
    pg_run(pg, batch, on_briefs, call);
}
