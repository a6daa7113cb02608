/* issue.c -- see issue.h. */
#include "store/issue.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* The group is locked: a status that is set before is wanted by this, one that is set behind it by the trigger. */
static const char CLAIM_SQL[] =
    "INSERT INTO issue_link AS l (group_id, repository, made_by, wanted) SELECT g.id, $2, $3, "
    "CASE g.status WHEN 'resolved' THEN 'closed' ELSE 'open' END FROM error_group g WHERE g.id = nabat_root($1) FOR NO KEY UPDATE "
    "ON CONFLICT (group_id) DO UPDATE SET made_at = now(), made_by = excluded.made_by, wanted = excluded.wanted "
    "WHERE l.number IS NULL AND l.made_at < now() - interval '2 minutes' RETURNING group_id";
static const char THERE_SQL[] = "SELECT url FROM issue_link WHERE group_id = nabat_root($1)";
static const char MADE_SQL[] =
    "UPDATE issue_link l SET number = $2, url = $3, state = 'open', trouble = NULL, next_try = now() WHERE l.group_id = nabat_root($1)";
static const char UNMADE_SQL[] = "DELETE FROM issue_link WHERE group_id = nabat_root($1) AND number IS NULL";
/* Its card shows the link. */
static const char CARDS_SQL[] =
    "UPDATE alert_card c SET edit = 'change', edit_since = CASE WHEN c.edit = 'expire' THEN now() ELSE coalesce(c.edit_since, now()) END, edit_seq = c.edit_seq + 1, edit_tries = 0 "
    "WHERE c.group_id = nabat_root($1) AND c.is_current AND c.edit IS DISTINCT FROM 'retire'";
static const char BEHIND_SQL[] =
    "SELECT group_id, number, repository, wanted = 'open' FROM issue_link WHERE number IS NOT NULL AND state <> wanted "
    "AND next_try <= now() ORDER BY next_try LIMIT 1";
/* What GitHub refuses for good waits for the next change. */
static const char FOLLOWED_SQL[] =
    "UPDATE issue_link SET state = CASE WHEN $3::text IS NULL THEN CASE WHEN $2 THEN 'open' ELSE 'closed' END ELSE state END, "
    "trouble = $3, tries = tries + 1, next_try = CASE WHEN $4::bigint = 0 AND $3::text IS NOT NULL THEN 'infinity' "
    "ELSE now() + make_interval(secs => greatest($4::bigint, least(3600, 2 ^ least(tries, 12)))) END WHERE group_id = $1";
static const char SAID_SQL[] = "SELECT nabat_issue_said($1, $2, $3)";
/* clang-format on */

struct claim_call {
    issue_claimed_fn *done;
    void *ctx;
};

static void on_claimed(void *ctx, const struct pg_reply *reply)
{
    struct claim_call *call = ctx;
    bool ours = !reply->err && PQntuples(reply->results[0]) > 0;
    bool there = !reply->err && PQntuples(reply->results[1]) > 0;
    const char *url = there ? pg_get_text(reply->results[1], 0, 0) : NULL;
    enum issue_claim claim = ours     ? ISSUE_CLAIMED
                             : !there ? ISSUE_NO_ERROR
                             : url    ? ISSUE_THERE
                                      : ISSUE_MADE_NOW;
    bool none = reply->err && strcmp(reply->sqlstate, "P0002") == 0;
    call->done(call->ctx, claim, url, none ? NULL : reply->err);
    free(call);
}

void store_issue_claim(struct pg *pg, int64_t group_id, const char *repository, const char *made_by,
                       issue_claimed_fn *done, void *ctx)
{
    struct claim_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct claim_call){done, ctx};
    pg_add(batch, CLAIM_SQL);
    pg_i64(batch, group_id);
    pg_text(batch, repository);
    pg_text(batch, made_by);
    pg_add(batch, THERE_SQL);
    pg_i64(batch, group_id);
    pg_run(pg, batch, on_claimed, call);
}

void store_issue_made(struct pg *pg, int64_t group_id, int64_t number, const char *url,
                      pg_outcome_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, number ? MADE_SQL : UNMADE_SQL);
    pg_i64(batch, group_id);
    if (number) {
        pg_i64(batch, number);
        pg_text(batch, url);
        pg_add(batch, CARDS_SQL);
        pg_i64(batch, group_id);
    }
    pg_run_outcome(pg, batch, done, ctx);
}

struct behind_call {
    issue_behind_fn *done;
    void *ctx;
};

static void on_behind(void *ctx, const struct pg_reply *reply)
{
    struct behind_call *call = ctx;
    struct issue_behind issue = {0};
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    if (rows && PQntuples(rows) > 0)
        issue = (struct issue_behind){pg_get_i64(rows, 0, 0), pg_get_i64(rows, 0, 1),
                                      pg_get_text(rows, 0, 2), pg_get_bool(rows, 0, 3)};
    call->done(call->ctx, &issue, reply->err);
    free(call);
}

void store_issue_behind(struct pg *pg, issue_behind_fn *done, void *ctx)
{
    struct behind_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct behind_call){done, ctx};
    pg_add(batch, BEHIND_SQL);
    pg_run(pg, batch, on_behind, call);
}

void store_issue_followed(struct pg *pg, int64_t group_id, bool open, const char *trouble,
                          int wait_s, pg_outcome_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, FOLLOWED_SQL);
    pg_i64(batch, group_id);
    pg_bool(batch, open);
    pg_text(batch, trouble);
    pg_i64(batch, wait_s);
    pg_run_outcome(pg, batch, done, ctx);
}

struct said_call {
    issue_said_fn *done;
    void *ctx;
};

static void on_said(void *ctx, const struct pg_reply *reply)
{
    struct said_call *call = ctx;
    call->done(call->ctx, reply->err ? 0 : pg_get_i64(reply->results[1], 0, 0), reply->err);
    free(call);
}

void store_issue_said(struct pg *pg, const char *repository, int64_t number, bool open,
                      const struct actor *actor, issue_said_fn *done, void *ctx)
{
    struct said_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct said_call){done, ctx};
    store_actor_set(batch, actor);
    pg_add(batch, SAID_SQL);
    pg_text(batch, repository);
    pg_i64(batch, number);
    pg_text(batch, open ? "open" : "closed");
    pg_run(pg, batch, on_said, call);
}
