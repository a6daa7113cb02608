/* user_report.c -- see user_report.h. */
#include "store/user_report.h"

#include "core/event_code.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* A report of all projects ($6) is of the one that has the event which its code means. */
static const char ADD_SQL[] =
    "WITH p AS (SELECT coalesce(CASE WHEN $6::bool THEN nabat_project_of_code($4::text, $5::text) END, $1::integer) AS id), "
    "i AS (INSERT INTO event_inbox (id, event_id, project_id, body) SELECT nextval('event_id_seq'), $2, p.id, $3::jsonb FROM p) "
    "INSERT INTO user_report (project_id, event_id, about_event_id, title, description, steps, expected, actual, category, url, "
    "browser, contact, user_id, language, reporter_id, reporter_chat_id) SELECT p.id, $2, nabat_event_of_code(p.id, $4, $5), $7, $8, "
    "$9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19 FROM p RETURNING id, about_event_id";
/* Said under the card of that error, as what users of an SDK's form say (002_sentry.sql). */
static const char ABOUT_SQL[] =
    "INSERT INTO user_feedback (project_id, feedback_id, event_id, name, message, url) "
    "SELECT r.project_id, r.event_id, r.about_event_id, r.contact, concat_ws(E'\n\n', r.title, "
    "CASE WHEN r.description IS DISTINCT FROM r.title THEN r.description END, r.steps, r.actual), r.url "
    "FROM user_report r WHERE r.event_id = $1 AND r.about_event_id IS NOT NULL ON CONFLICT DO NOTHING";
static const char FIND_SQL[] =
    "SELECT state, title FROM user_report WHERE project_id = $1 AND event_id >= $2 AND event_id <= $3 "
    "AND created_at > now() - interval '7 days' ORDER BY id DESC LIMIT 1";
static const char SET_SQL[] =
    "SELECT report_state($1, $2), (SELECT title FROM error_group WHERE id = nabat_root($1))";
static const char FOLLOW_SQL[] =
    "UPDATE user_report SET wants_word = true, reporter_chat_id = $2, language = $3 WHERE id = $1 AND reporter_id = $2 "
    "RETURNING title";
static const char JOIN_SQL[] =
    "UPDATE user_report r SET group_id = e.group_id FROM event e WHERE r.group_id IS NULL AND r.shown_at IS NULL "
    "AND r.created_at > now() - interval '1 day' AND e.project_id = r.project_id AND e.event_id = r.event_id "
    "AND e.received_at > now() - interval '2 days'";
/* Ten in ten minutes: the others wait, and stand in /errors user_report meanwhile. */
static const char NEXT_SQL[] =
    "SELECT * FROM (SELECT 1, r.id, r.group_id, NULL::bigint, r.title, r.state, NULL, r.language FROM user_report r "
    "WHERE $1::bool AND r.shown_at IS NULL AND r.group_id IS NOT NULL AND (SELECT count(*) FROM user_report s "
    "WHERE s.shown_at > now() - interval '10 minutes') < 10 ORDER BY r.id LIMIT 1) a UNION ALL "
    "SELECT * FROM (SELECT 2, r.id, r.group_id, r.reporter_chat_id, r.title, r.state, g.note, r.language FROM user_report r "
    "JOIN error_group g ON g.id = nabat_root(r.group_id) WHERE r.wants_word AND r.reporter_chat_id IS NOT NULL "
    "AND r.state IN ('resolved', 'wont_fix') AND r.said_state IS DISTINCT FROM r.state ORDER BY r.id LIMIT 1) b UNION ALL "
    "SELECT * FROM (SELECT 3, r.id, r.group_id, g.assigned_to_id, r.title, r.state, g.note, NULL FROM user_report r "
    "JOIN error_group g ON g.id = r.group_id WHERE r.state NOT IN ('resolved', 'wont_fix') AND g.assigned_to_id IS NOT NULL "
    "AND g.assigned_to_id IS DISTINCT FROM r.said_assignee ORDER BY r.id LIMIT 1) c LIMIT 1";
static const char SHOWN_SQL[] = "UPDATE user_report SET shown_at = now() WHERE id = $1";
static const char OVER_SQL[] = "UPDATE user_report SET said_state = $2 WHERE id = $1";
static const char ASSIGNED_SQL[] = "UPDATE user_report SET said_assignee = $2 WHERE id = $1";
static const char COMMENT_SQL[] =
    "INSERT INTO group_comment (group_id, body, actor, actor_id, source) SELECT g.id, left($2, 4000), $3, $4, $5 "
    "FROM error_group g WHERE g.id = nabat_root($1) RETURNING group_id";
static const char COMMENTS_SQL[] =
    "SELECT c.body, c.actor, " PG_MS("c.made_at") " FROM (SELECT * FROM group_comment WHERE group_id = nabat_root($1) "
    "ORDER BY id DESC LIMIT $2::bigint) c ORDER BY c.id";
static const char STATE_SQL[] = "SELECT state, contact FROM user_report WHERE group_id = nabat_root($1)";
/* clang-format on */

struct added_call {
    report_added_fn *done;
    void *ctx;
};

static void on_added(void *ctx, const struct pg_reply *reply)
{
    struct added_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    const char *about = rows ? pg_get_text(rows, 0, 1) : NULL;
    call->done(call->ctx, rows ? pg_get_i64(rows, 0, 0) : 0, about ? about : "", reply->err);
    free(call);
}

static void add_row(struct pg_batch *batch, const struct user_report *r)
{
    char low[RANDOM_HEX_BYTES];
    char high[RANDOM_HEX_BYTES];
    bool named = r->code && event_code_range(r->code, low, high);
    const char *const texts[] = {r->title,   r->description, r->steps,   r->expected,
                                 r->actual,  r->category,    r->url,     r->browser,
                                 r->contact, r->user_id,     r->language};
    pg_add(batch, ADD_SQL);
    pg_i64(batch, r->project_id);
    pg_text(batch, r->event_id);
    pg_text(batch, r->event);
    pg_text(batch, named ? low : NULL);
    pg_text(batch, named ? high : NULL);
    pg_bool(batch, r->of_any_project);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        pg_text(batch, texts[i]);
    pg_i64_or_null(batch, r->reporter_id);
    pg_i64_or_null(batch, r->reporter_chat_id);
}

void store_user_report_add(struct pg *pg, const struct user_report *r, report_added_fn *done,
                           void *ctx)
{
    struct added_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct added_call){done, ctx};
    add_row(batch, r);
    pg_add(batch, ABOUT_SQL);
    pg_text(batch, r->event_id);
    pg_run(pg, batch, on_added, call);
}

struct state_call {
    report_state_fn *done;
    void *ctx;
};

static void on_state(void *ctx, const struct pg_reply *reply)
{
    struct state_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[reply->count - 1];
    bool any = rows && PQntuples(rows) > 0;
    struct err wrong = {0};
    bool is_input = reply->err && strcmp(reply->sqlstate, "22023") == 0;
    if (is_input)
        err_set(&wrong, ERR_INPUT, "%s", reply->err->text);
    call->done(call->ctx, any ? pg_get_text(rows, 0, 0) : NULL,
               any ? pg_get_text(rows, 0, 1) : NULL, is_input ? &wrong : reply->err);
    free(call);
}

static struct state_call *state_call_new(report_state_fn *done, void *ctx)
{
    struct state_call *call = mem_alloc(sizeof *call);
    *call = (struct state_call){done, ctx};
    return call;
}

void store_user_report_find(struct pg *pg, int32_t project_id, const char *low, const char *high,
                            report_state_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, FIND_SQL);
    pg_i64(batch, project_id);
    pg_text(batch, low);
    pg_text(batch, high);
    pg_run(pg, batch, on_state, state_call_new(done, ctx));
}

void store_user_report_set(struct pg *pg, int64_t group_id, const char *state,
                           const struct actor *actor, report_state_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    store_actor_set(batch, actor);
    pg_add(batch, SET_SQL);
    pg_i64(batch, group_id);
    pg_text(batch, state);
    pg_run(pg, batch, on_state, state_call_new(done, ctx));
}

struct follow_call {
    report_follow_fn *done;
    void *ctx;
};

static void on_follow(void *ctx, const struct pg_reply *reply)
{
    struct follow_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    call->done(call->ctx, rows && PQntuples(rows) ? pg_get_text(rows, 0, 0) : NULL, reply->err);
    free(call);
}

void store_user_report_follow(struct pg *pg, int64_t report_id, int64_t user_id,
                              const char *language, report_follow_fn *done, void *ctx)
{
    struct follow_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct follow_call){done, ctx};
    pg_add(batch, FOLLOW_SQL);
    pg_i64(batch, report_id);
    pg_i64(batch, user_id);
    pg_text(batch, language);
    pg_run(pg, batch, on_follow, call);
}

/* ------------------------------------------------------------------------------------------- words */

struct next_call {
    report_word_fn *done;
    void *ctx;
};

static void on_next(void *ctx, const struct pg_reply *reply)
{
    struct next_call *call = ctx;
    struct report_word word = {.what = NEWS_NONE};
    const PGresult *rows = reply->err ? NULL : reply->results[1];
    if (rows && PQntuples(rows) > 0)
        word = (struct report_word){.what = (enum report_news)pg_get_i64(rows, 0, 0),
                                    .report_id = pg_get_i64(rows, 0, 1),
                                    .group_id = pg_get_i64(rows, 0, 2),
                                    .chat_id = pg_get_i64(rows, 0, 3),
                                    .title = pg_get_text(rows, 0, 4),
                                    .state = pg_get_text(rows, 0, 5),
                                    .note = pg_get_text(rows, 0, 6),
                                    .language = pg_get_text(rows, 0, 7)};
    call->done(call->ctx, &word, reply->err);
    free(call);
}

void store_user_report_next(struct pg *pg, bool may_show, report_word_fn *done, void *ctx)
{
    struct next_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct next_call){done, ctx};
    pg_add(batch, JOIN_SQL);
    pg_add(batch, NEXT_SQL);
    pg_bool(batch, may_show);
    pg_run(pg, batch, on_next, call);
}

void store_user_report_said(struct pg *pg, const struct report_word *word, pg_outcome_fn *done,
                            void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, word->what == NEWS_OVER       ? OVER_SQL
                  : word->what == NEWS_ASSIGNED ? ASSIGNED_SQL
                                                : SHOWN_SQL);
    pg_i64(batch, word->report_id);
    if (word->what == NEWS_OVER)
        pg_text(batch, word->state);
    else if (word->what == NEWS_ASSIGNED)
        pg_i64(batch, word->chat_id);
    pg_run_outcome(pg, batch, done, ctx);
}

/* ---------------------------------------------------------------------------------------- comments */

struct comment_call {
    comment_added_fn *added;
    comments_fn *listed;
    void *ctx;
};

static void on_comment(void *ctx, const struct pg_reply *reply)
{
    struct comment_call *call = ctx;
    bool any = !reply->err && PQntuples(reply->results[0]) > 0;
    bool none = reply->err && strcmp(reply->sqlstate, "P0002") == 0;
    call->added(call->ctx, any ? pg_get_i64(reply->results[0], 0, 0) : 0, none ? NULL : reply->err);
    free(call);
}

void store_comment_add(struct pg *pg, int64_t group_id, const char *body, const struct actor *actor,
                       comment_added_fn *done, void *ctx)
{
    struct comment_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct comment_call){.added = done, .ctx = ctx};
    pg_add(batch, COMMENT_SQL);
    pg_i64(batch, group_id);
    pg_text(batch, body);
    pg_text(batch, actor->name);
    pg_i64_or_null(batch, actor->id);
    pg_text(batch, actor->source);
    pg_run(pg, batch, on_comment, call);
}

static void on_comments(void *ctx, const struct pg_reply *reply)
{
    struct comment_call *call = ctx;
    struct comment_line lines[COMMENTS_SHOWN_MAX] = {{.body = NULL}};
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    const PGresult *state = reply->err ? NULL : reply->results[1];
    size_t count = 0;
    for (int row = 0; rows && row < PQntuples(rows) && row < COMMENTS_SHOWN_MAX; row++)
        lines[count++] = (struct comment_line){pg_get_text(rows, row, 0), pg_get_text(rows, row, 1),
                                               pg_get_i64(rows, row, 2)};
    call->listed(call->ctx, state && PQntuples(state) ? pg_get_text(state, 0, 0) : NULL,
                 state && PQntuples(state) ? pg_get_text(state, 0, 1) : NULL, lines, count,
                 reply->err);
    free(call);
}

void store_comments_list(struct pg *pg, int64_t group_id, comments_fn *done, void *ctx)
{
    struct comment_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct comment_call){.listed = done, .ctx = ctx};
    pg_add(batch, COMMENTS_SQL);
    pg_i64(batch, group_id);
    pg_i64(batch, COMMENTS_SHOWN_MAX);
    pg_add(batch, STATE_SQL);
    pg_i64(batch, group_id);
    pg_run(pg, batch, on_comments, call);
}
