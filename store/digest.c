/* digest.c -- the table alert_digest, and which alerts were folded into which row. */
#include "store/digest.h"

#include "core/limits.h"
#include "core/mem.h"
#include "store/outbox_sql.h"

#include <stdlib.h>
#include <string.h>

static const char *const REASONS[] = {"storm", "late", "quiet", "silence", "inhibited", "fallback"};

const char *digest_reason_name(enum digest_reason reason)
{
    return REASONS[reason];
}

enum digest_reason digest_reason_of_name(const char *name)
{
    for (size_t i = 0; name && i < sizeof REASONS / sizeof *REASONS; i++)
        if (strcmp(REASONS[i], name) == 0)
            return (enum digest_reason)i;
    return DIGEST_STORM;
}

/* --------------------------------------------------------------------------------------- folding */

/* A storm's message takes more while it is open; the others are complete once they are sent. What is new does not rest as
 * long as what may be there already. */
/* clang-format off */
static const char FOLD_SQL[] =
    "WITH me AS (SELECT 1 FROM service_lease WHERE name = 'alerts' AND holder = $1 AND epoch = $2 "
    "AND until > clock_timestamp() FOR SHARE), "
    "o AS (SELECT id, thread_id, hold_about, coalesce(silent, false) AS silent FROM alert_outbox "
    "WHERE chat_id = $3 "
    "AND state IN ('pending', 'uncertain') AND next_try_at <= now() AND note_id IS NULL "
    "AND CASE $4 WHEN 'storm' THEN hold IS NULL AND state = 'pending' "
    "WHEN 'late' THEN " OUTBOX_IS_LATE("$5", "$8") " "
    "ELSE hold = $4 AND (is_free OR hold = 'fallback') END AND EXISTS (SELECT 1 FROM me) ORDER BY "
    "id LIMIT $6 "
    "FOR UPDATE SKIP LOCKED), "
    "known AS (SELECT id FROM alert_digest WHERE chat_id = $3 AND reason = $4 "
    "AND closed_at IS NULL AND (message_id IS NULL OR $4 = 'storm') "
    "AND (message_id IS NULL OR opened_at > now() - make_interval(secs => $7)) ORDER BY id DESC "
    "LIMIT 1 FOR UPDATE), "
    "made AS (INSERT INTO alert_digest (chat_id, thread_id, reason, about, silent) SELECT $3, "
    "(SELECT thread_id FROM o ORDER BY id LIMIT 1), $4, (SELECT max(hold_about) FROM o), "
    "(SELECT bool_and(silent) FROM o) "
    "WHERE EXISTS (SELECT 1 FROM o) AND NOT EXISTS (SELECT 1 FROM known) RETURNING id), "
    "grown AS (UPDATE alert_digest SET added_at = now(), "
    "next_try_at = least(next_try_at, now() + make_interval(secs => $9)) WHERE id IN (SELECT id FROM known) "
    "AND EXISTS (SELECT 1 FROM o)) "
    "UPDATE alert_outbox SET state = 'folded', last_error = NULL, digest_id = "
    "(SELECT id FROM known UNION ALL SELECT id FROM made LIMIT 1) WHERE id IN (SELECT id FROM o) "
    "RETURNING id";
/* clang-format on */
/* The one before, when a long storm goes on in a new message. */
static const char CLOSE_OLD_SQL[] =
    "UPDATE alert_digest d SET closed_at = now(), stale = chat_id < 5000000000000000 WHERE chat_id "
    "= $1 "
    "AND reason = 'storm' AND closed_at IS NULL AND message_id IS NOT NULL "
    "AND EXISTS (SELECT 1 FROM alert_digest n WHERE n.chat_id = $1 AND n.reason = 'storm' "
    "AND n.closed_at IS NULL AND n.id > d.id)";

struct fold_call {
    digest_fold_fn *done;
    void *ctx;
};

static void on_folded(void *ctx, const struct pg_reply *reply)
{
    struct fold_call *call = ctx;
    call->done(call->ctx, reply->err ? 0 : PQntuples(reply->results[0]), reply->err);
    free(call);
}

void store_digest_fold(struct pg *pg, const struct outbox_claim *claim, enum digest_reason reason,
                       digest_fold_fn *done, void *ctx)
{
    struct fold_call *call = mem_alloc(sizeof *call);
    *call = (struct fold_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, FOLD_SQL);
    pg_text(batch, claim->holder);
    pg_i64(batch, claim->epoch);
    pg_i64(batch, claim->chat_id);
    pg_text(batch, digest_reason_name(reason));
    pg_i64(batch, ALERT_TTL_SECONDS);
    pg_i64(batch, DIGEST_GROUPS_MAX);
    pg_i64(batch, STORM_SECONDS_MAX);
    pg_i64(batch, LOST_ANSWERS_MAX);
    pg_i64(batch, LOST_AGAIN_SECONDS);
    pg_add(batch, CLOSE_OLD_SQL);
    pg_i64(batch, claim->chat_id);
    pg_run(pg, batch, on_folded, call);
}

/* --------------------------------------------------------------------------------------- reading */

/* Until its outcome is known it may be in the chat: what a crash leaves behind is sent as a repeat. */
static const char CLAIM_SQL[] =
    "UPDATE alert_digest d SET tries = d.tries + 1, uncertain = true "
    "FROM (SELECT uncertain FROM alert_digest WHERE id = $1) was "
    "WHERE d.id = $1 AND d.message_id IS NULL "
    "AND EXISTS (SELECT 1 FROM service_lease WHERE name = 'alerts' AND holder = $2 "
    "AND epoch = $3 AND until > clock_timestamp() FOR SHARE) RETURNING was.uncertain "
    "OR EXISTS (SELECT 1 FROM alert_outbox o WHERE o.digest_id = $1 AND o.possible_repeat)";

/* clang-format off */
static const char DIGEST_SQL[] =
    "SELECT d.chat_id, d.thread_id, d.message_id, d.reason, d.about, d.tries, "
    PG_MS("d.opened_at") ", " PG_MS("d.closed_at") ", d.page, n.rows, n.groups, n.open, d.silent, d.changes, d.lost_answers, "
    "cs.language, cs.time_zone, coalesce(cs.is_quiet, false) "
    "FROM alert_digest d LEFT JOIN chat_setting cs ON cs.chat_id = d.chat_id "
    "CROSS JOIN LATERAL (SELECT count(*) AS rows, count(DISTINCT g.id) AS groups, "
    "count(DISTINCT g.id) FILTER (WHERE g.status <> 'resolved') AS open "
    "FROM alert_outbox o JOIN error_group f ON f.id = o.group_id "
    "JOIN error_group g ON g.id = coalesce(f.merged_into, f.id) WHERE o.digest_id = d.id) n "
    "WHERE d.id = $1";
enum {
    DIGEST_CHAT, DIGEST_THREAD, DIGEST_MESSAGE, DIGEST_REASON, DIGEST_ABOUT, DIGEST_TRIES,
    DIGEST_OPENED, DIGEST_CLOSED_AT, DIGEST_PAGE, DIGEST_ROWS_COUNT,
    DIGEST_GROUPS, DIGEST_STILL_OPEN, DIGEST_SILENT, DIGEST_CHANGES, DIGEST_LOST, DIGEST_LANGUAGE, DIGEST_ZONE, DIGEST_IS_QUIET
};

/* Worst first, then the most frequent. */
static const char ERRORS_SQL[] =
    "SELECT g.id, p.slug, g.title, g.culprit, g.origin, g.severity, g.status, g.occurrences, "
    PG_MS("g.first_seen") ", " PG_MS("g.last_seen") ", g.assigned_to, "
    "coalesce(g.muted_until > now(), false) "
    "OR coalesce(g.occurrences < g.muted_until_count, false) "
    "FROM (SELECT DISTINCT coalesce(f.merged_into, f.id) AS id FROM alert_outbox o "
    "JOIN error_group f ON f.id = o.group_id WHERE o.digest_id = $1) m "
    "JOIN error_group g ON g.id = m.id JOIN project p ON p.id = g.project_id "
    "ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info', 'debug'], g.severity), "
    "g.occurrences DESC, g.id "
    "LIMIT $3 OFFSET $3 * (CASE WHEN $2 > 0 THEN $2 ELSE (SELECT greatest(1, page) FROM "
    "alert_digest WHERE id = $1) END - 1)";
/* clang-format on */
enum {
    ERROR_ID,
    ERROR_PROJECT,
    ERROR_TITLE,
    ERROR_CULPRIT,
    ERROR_ORIGIN,
    ERROR_SEVERITY,
    ERROR_STATUS,
    ERROR_OCCURRENCES,
    ERROR_FIRST,
    ERROR_LAST,
    ERROR_ASSIGNED,
    ERROR_MUTED
};

struct digest_call {
    int64_t id;
    int64_t page;
    bool claims;
    digest_done_fn *done;
    void *ctx;
};

static void read_error(const PGresult *r, int row, struct group *g)
{
    const char *severity = pg_get_text(r, row, ERROR_SEVERITY);
    const char *status = pg_get_text(r, row, ERROR_STATUS);
    *g = (struct group){
        .id = pg_get_i64(r, row, ERROR_ID),
        .project = pg_get_text(r, row, ERROR_PROJECT),
        .title = pg_get_text(r, row, ERROR_TITLE),
        .culprit = pg_get_text(r, row, ERROR_CULPRIT),
        .origin = pg_get_text(r, row, ERROR_ORIGIN),
        .occurrences = pg_get_i64(r, row, ERROR_OCCURRENCES),
        .first_seen_ms = pg_get_i64(r, row, ERROR_FIRST),
        .last_seen_ms = pg_get_i64(r, row, ERROR_LAST),
        .assigned_to = pg_get_text(r, row, ERROR_ASSIGNED),
        .muted = pg_get_bool(r, row, ERROR_MUTED),
    };
    severity_parse(severity, strlen(severity), &g->severity);
    status_parse(status, strlen(status), &g->status);
}

static struct digest read_digest(const PGresult *r, const struct digest_call *call)
{
    return (struct digest){
        .id = call->id,
        .chat_id = pg_get_i64(r, 0, DIGEST_CHAT),
        .thread_id = pg_get_i64(r, 0, DIGEST_THREAD),
        .message_id = pg_get_i64(r, 0, DIGEST_MESSAGE),
        .reason = digest_reason_of_name(pg_get_text(r, 0, DIGEST_REASON)),
        .about = pg_get_text(r, 0, DIGEST_ABOUT),
        .tries = (int)pg_get_i64(r, 0, DIGEST_TRIES),
        .lost_answers = (int)pg_get_i64(r, 0, DIGEST_LOST),
        .opened_ms = pg_get_i64(r, 0, DIGEST_OPENED),
        .closed_ms = pg_get_i64(r, 0, DIGEST_CLOSED_AT),
        .page = call->page > 0 ? call->page : pg_get_i64(r, 0, DIGEST_PAGE),
        .rows = pg_get_i64(r, 0, DIGEST_ROWS_COUNT),
        .groups = pg_get_i64(r, 0, DIGEST_GROUPS),
        .still_open = pg_get_i64(r, 0, DIGEST_STILL_OPEN),
        .silent = pg_get_bool(r, 0, DIGEST_SILENT),
        .changes = pg_get_i64(r, 0, DIGEST_CHANGES),
        .look = {pg_get_text(r, 0, DIGEST_LANGUAGE), pg_get_text(r, 0, DIGEST_ZONE),
                 pg_get_bool(r, 0, DIGEST_IS_QUIET)},
    };
}

static void on_digest(void *ctx, const struct pg_reply *reply)
{
    struct digest_call *call = ctx;
    size_t first = call->claims ? 1 : 0;
    bool found = !reply->err && PQntuples(reply->results[first]) == 1 &&
                 (!call->claims || PQntuples(reply->results[0]) == 1);
    struct digest digest;
    struct group *groups = NULL;
    int count = 0;
    if (found) {
        const PGresult *rows = reply->results[first + 1];
        digest = read_digest(reply->results[first], call);
        digest.possible_repeat = call->claims && pg_get_bool(reply->results[0], 0, 0);
        count = PQntuples(rows);
        groups = mem_alloc((size_t)(count ? count : 1) * sizeof *groups);
        for (int row = 0; row < count; row++)
            read_error(rows, row, &groups[row]);
    }
    call->done(call->ctx, found ? &digest : NULL, groups, (size_t)count, reply->err);
    free(groups);
    free(call);
}

static void get(struct pg *pg, struct pg_batch *batch, struct digest_call call, int64_t limit)
{
    struct digest_call *kept = mem_alloc(sizeof *kept);
    *kept = call;
    pg_add(batch, DIGEST_SQL);
    pg_i64(batch, call.id);
    pg_add(batch, ERRORS_SQL);
    pg_i64(batch, call.id);
    pg_i64(batch, call.page);
    pg_i64(batch, limit);
    pg_run(pg, batch, on_digest, kept);
}

void store_digest_get(struct pg *pg, int64_t id, int64_t page, int64_t limit, digest_done_fn *done,
                      void *ctx)
{
    get(pg, pg_batch_new(), (struct digest_call){id, page, false, done, ctx}, limit);
}

void store_digest_claim(struct pg *pg, const struct outbox_claim *claim, int64_t id, int64_t limit,
                        digest_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, CLAIM_SQL);
    pg_i64(batch, id);
    pg_text(batch, claim->holder);
    pg_i64(batch, claim->epoch);
    get(pg, batch, (struct digest_call){id, 1, true, done, ctx}, limit);
}

/* ------------------------------------------------------------------------------------- outcomes */

static const char SHOWN_SQL[] =
    "UPDATE alert_digest SET message_id = $2, shown_at = now(), shown_rows = $3, stale = changes "
    "<> $4, "
    "uncertain = false, lost_answers = 0, next_try_at = now(), last_error = NULL WHERE id = $1";
static const char REMEMBER_SQL[] =
    "INSERT INTO chat_message (chat_id, message_id, kind, args) VALUES ($1, $2, 'digest', $3) "
    "ON CONFLICT (chat_id, message_id) DO NOTHING";
static const char LISTED_SQL[] =
    "UPDATE alert_digest SET listed_rows = $2, next_try_at = now() WHERE id = $1";
static const char CLOSED_SQL[] =
    "UPDATE alert_digest SET closed_at = coalesce(closed_at, now()), stale = false WHERE id = $1";
static const char RETRY_SQL[] =
    "UPDATE alert_digest SET next_try_at = now() + make_interval(secs => $2), last_error = $3, "
    "uncertain = $4::bool OR $5::bool, lost_answers = lost_answers + $4::bool::int WHERE id = $1";
/* What the lost message did not say yet is said in a new one; else it is over. */
static const char GONE_SQL[] =
    "UPDATE alert_digest SET message_id = CASE WHEN shown_rows >= $2 THEN message_id END, "
    "closed_at = CASE WHEN shown_rows >= $2 THEN coalesce(closed_at, now()) ELSE closed_at END, "
    "stale = false, last_error = $3 WHERE id = $1";

/* It is refused again and again: said by the state of its rows, the log and a metric. */
static const char REFUSED_SQL[] =
    "WITH d AS (UPDATE alert_digest SET closed_at = now(), stale = false, last_error = $2 "
    "WHERE id = $1) UPDATE alert_outbox SET state = 'failed', last_error = $2 WHERE digest_id = $1";

static void add_shown(struct pg_batch *batch, const struct digest_result *r)
{
    struct buf id;
    buf_init(&id, 64);
    buf_addf(&id, "%lld", (long long)r->id);
    pg_add(batch, SHOWN_SQL);
    pg_i64(batch, r->id);
    pg_i64(batch, r->message_id);
    pg_i64(batch, r->rows);
    pg_i64(batch, r->changes);
    pg_add(batch, REMEMBER_SQL);
    pg_i64(batch, r->chat_id);
    pg_i64(batch, r->message_id);
    pg_text(batch, buf_text(&id));
    buf_fini(&id);
}

void store_digest_done(struct pg *pg, const struct digest_result *r, outbox_done_fn *done,
                       void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    if (r->outcome == DIGEST_SHOWN) {
        add_shown(batch, r);
    } else if (r->outcome == DIGEST_LISTED || r->outcome == DIGEST_CLOSED) {
        pg_add(batch, r->outcome == DIGEST_LISTED ? LISTED_SQL : CLOSED_SQL);
        pg_i64(batch, r->id);
        if (r->outcome == DIGEST_LISTED)
            pg_i64(batch, r->rows);
    } else if (r->outcome == DIGEST_REFUSED) {
        pg_add(batch, REFUSED_SQL);
        pg_i64(batch, r->id);
        pg_text(batch, r->error);
    } else if (r->outcome == DIGEST_GONE) {
        pg_add(batch, GONE_SQL);
        pg_i64(batch, r->id);
        pg_i64(batch, r->rows);
        pg_text(batch, r->error);
    } else {
        pg_add(batch, RETRY_SQL);
        pg_i64(batch, r->id);
        pg_i64(batch, r->delay_s);
        pg_text(batch, r->error);
        pg_bool(batch, r->outcome == DIGEST_MAYBE);
        pg_bool(batch, r->possible_repeat);
    }
    pg_run_outcome(pg, batch, done, ctx);
}

void store_digest_turn(struct pg *pg, int64_t id, int64_t page)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "UPDATE alert_digest SET page = $2 WHERE id = $1");
    pg_i64(batch, id);
    pg_i64(batch, page);
    pg_run_outcome(pg, batch, NULL, NULL); /* lost: the next edit shows the page of before */
}
