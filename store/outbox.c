/* outbox.c -- the life of an alert row and of its card. */
#include "store/outbox.h"

#include "core/limits.h"
#include "core/mem.h"
#include "store/outbox_sql.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- what waits */

/* clang-format off */
#define AGO_MS(column) "(extract(epoch FROM now() - " column ") * 1000)::bigint"
static const char VIEW_SQL[] =
    "WITH o AS (SELECT o.id, o.chat_id, o.state, o.hold, o.note_id, o.next_try_at, o.created_at, "
    OUTBOX_IS_LATE("$1", "$4") " AS is_late, "
    "coalesce(o.is_free, false) OR o.hold = 'fallback' AS is_free, "
    "o.next_try_at <= now() AS is_due FROM alert_outbox o "
    "WHERE o.state IN ('pending', 'uncertain') AND isfinite(o.next_try_at)), "
    "w AS (SELECT chat_id, "
    "count(*) FILTER (WHERE is_due AND hold IS NULL AND note_id IS NULL AND state = 'pending') "
    "AS due, "
    "count(*) FILTER (WHERE is_due AND hold IS NULL AND note_id IS NULL AND state = 'uncertain') "
    "AS again, "
    "count(*) FILTER (WHERE is_due AND note_id IS NULL AND is_late) AS late, "
    "count(*) FILTER (WHERE is_due AND note_id IS NOT NULL) AS notes, "
    "count(*) FILTER (WHERE is_due AND hold IS NOT NULL AND is_free) AS held, "
    "min(hold) FILTER (WHERE is_due AND is_free) AS held_reason, "
    "min(next_try_at) FILTER (WHERE NOT is_due) AS next_at, "
    "count(*) FILTER (WHERE hold IS NULL) AS waiting, "
    "min(created_at) FILTER (WHERE hold IS NULL) AS oldest FROM o GROUP BY chat_id), "
    "d AS (SELECT DISTINCT ON (chat_id) *, (SELECT count(*) FROM alert_outbox m "
    "WHERE m.digest_id = d.id) AS rows FROM alert_digest d WHERE closed_at IS NULL OR stale "
    "ORDER BY chat_id, message_id IS NULL AND next_try_at > now() + make_interval(secs => $5), "
    "message_id IS NOT NULL, closed_at IS NOT NULL, id), "
    "e AS (SELECT chat_id, count(*) FILTER (WHERE edit <> 'count' AND edit_since <= now()) "
    "AS changes, count(*) FILTER (WHERE edit = 'count' AND edit_since <= now() "
    "AND edited_at <= now() - make_interval(secs => $2)) AS counts, "
    "min(CASE WHEN edit = 'count' THEN greatest(edit_since, edited_at + make_interval(secs => $2)) "
    "ELSE edit_since END) AS next_at FROM alert_card WHERE edit IS NOT NULL GROUP BY chat_id) "
    "SELECT coalesce(w.chat_id, d.chat_id, e.chat_id), w.due, w.again, w.late, w.notes, w.held, "
    "w.held_reason, e.changes, e.counts, "
    "ceil(extract(epoch FROM least(w.next_at, CASE WHEN e.next_at > now() THEN e.next_at END) "
    "- now()) * 1000)::bigint, "
    "w.waiting, extract(epoch FROM now() - w.oldest)::bigint, "
    "d.id, d.reason, d.message_id IS NOT NULL, d.closed_at IS NOT NULL, d.stale, d.rows, "
    "d.shown_rows, d.listed_rows, " AGO_MS("d.opened_at") ", " AGO_MS("d.added_at") ", "
    AGO_MS("d.shown_at") ", ceil(extract(epoch FROM d.next_try_at - now()) * 1000)::bigint "
    "FROM w FULL JOIN d ON d.chat_id = w.chat_id "
    "FULL JOIN e ON e.chat_id = coalesce(w.chat_id, d.chat_id) "
    "ORDER BY w.oldest NULLS LAST LIMIT $3";
/* clang-format on */
enum {
    VIEW_CHAT,
    VIEW_DUE,
    VIEW_AGAIN,
    VIEW_LATE,
    VIEW_NOTES,
    VIEW_HELD,
    VIEW_HELD_REASON,
    VIEW_CHANGES,
    VIEW_COUNTS,
    VIEW_NEXT,
    VIEW_WAITING,
    VIEW_OLDEST,
    VIEW_DIGEST,
    VIEW_REASON,
    VIEW_SENT,
    VIEW_CLOSED,
    VIEW_STALE,
    VIEW_ROWS,
    VIEW_SHOWN,
    VIEW_LISTED,
    VIEW_OPENED_AGO,
    VIEW_ADDED_AGO,
    VIEW_SHOWN_AGO,
    VIEW_NEXT_TRY
};

struct view_call {
    chats_view_fn *done;
    void *ctx;
};

static void read_view(const PGresult *r, int row, struct chat_view *v)
{
    int64_t next_try = pg_get_i64(r, row, VIEW_NEXT_TRY);
    *v = (struct chat_view){
        .chat_id = pg_get_i64(r, row, VIEW_CHAT),
        .due = pg_get_i64(r, row, VIEW_DUE),
        .again_due = pg_get_i64(r, row, VIEW_AGAIN),
        .late = pg_get_i64(r, row, VIEW_LATE),
        .notes_due = pg_get_i64(r, row, VIEW_NOTES),
        .held_due = pg_get_i64(r, row, VIEW_HELD),
        .held_reason = digest_reason_of_name(pg_get_text(r, row, VIEW_HELD_REASON)),
        .changes = pg_get_i64(r, row, VIEW_CHANGES),
        .counts = pg_get_i64(r, row, VIEW_COUNTS),
        .next_ms = PQgetisnull(r, row, VIEW_NEXT) ? -1 : pg_get_i64(r, row, VIEW_NEXT),
        .digest =
            {
                .id = pg_get_i64(r, row, VIEW_DIGEST),
                .reason = digest_reason_of_name(pg_get_text(r, row, VIEW_REASON)),
                .is_sent = pg_get_bool(r, row, VIEW_SENT),
                .is_closed = pg_get_bool(r, row, VIEW_CLOSED),
                .is_stale = pg_get_bool(r, row, VIEW_STALE),
                .rows = pg_get_i64(r, row, VIEW_ROWS),
                .shown_rows = pg_get_i64(r, row, VIEW_SHOWN),
                .listed_rows = pg_get_i64(r, row, VIEW_LISTED),
                .opened_ago_ms = pg_get_i64(r, row, VIEW_OPENED_AGO),
                .added_ago_ms = pg_get_i64(r, row, VIEW_ADDED_AGO),
                .shown_ago_ms = pg_get_i64(r, row, VIEW_SHOWN_AGO),
                .next_try_ms = next_try > 0 ? next_try : 0,
            },
    };
}

static void on_view(void *ctx, const struct pg_reply *reply)
{
    struct view_call *call = ctx;
    struct chat_view views[LANES_MAX];
    struct outbox_waiting waiting = {0};
    int count = reply->err ? 0 : PQntuples(reply->results[0]);
    for (int row = 0; row < count; row++) {
        const PGresult *r = reply->results[0];
        int64_t oldest_s = pg_get_i64(r, row, VIEW_OLDEST);
        read_view(r, row, &views[row]);
        const struct digest_view *d = &views[row].digest;
        bool unsaid = d->id && !d->is_closed && d->shown_rows < d->rows;
        waiting.count += pg_get_i64(r, row, VIEW_WAITING) + (unsaid ? d->rows - d->shown_rows : 0);
        if (unsaid && d->opened_ago_ms / 1000 > oldest_s && !d->is_sent)
            oldest_s = d->opened_ago_ms / 1000;
        if (oldest_s > waiting.oldest_s)
            waiting.oldest_s = oldest_s;
    }
    call->done(call->ctx, views, (size_t)count, &waiting, reply->err);
    free(call);
}

void store_chats_view(struct pg *pg, chats_view_fn *done, void *ctx)
{
    struct view_call *call = mem_alloc(sizeof *call);
    *call = (struct view_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_batch_prepare(batch);
    pg_add(batch, VIEW_SQL);
    pg_i64(batch, ALERT_TTL_SECONDS);
    pg_i64(batch, CARD_EDIT_SECONDS_MIN);
    pg_i64(batch, LANES_MAX);
    pg_i64(batch, LOST_ANSWERS_MAX);
    pg_i64(batch, DIGEST_REST_SECONDS);
    pg_run(pg, batch, on_view, call);
}

/* ----------------------------------------------------------------------------------------- claim */

/* Sends are claimed one by one, each committed before it goes out: what a crash leaves behind in
 * 'sending' is known to be uncertain. */
static const char CLAIM_HEAD[] =
    "WITH me AS (SELECT 1 FROM service_lease WHERE name = 'alerts' AND holder = $1 AND epoch = $2 "
    "AND until > clock_timestamp() FOR SHARE), "
    "o AS (UPDATE alert_outbox SET state = 'sending', attempts = attempts + 1, epoch = $2 "
    "WHERE id = (SELECT w.id FROM alert_outbox w JOIN error_group g ON g.id = w.group_id "
    "WHERE w.chat_id = $3 AND w.state IN ('pending', 'uncertain') AND w.next_try_at <= now() "
    "AND (w.hold IS NULL OR (w.is_free AND w.hold <> 'fallback')) "
    "ORDER BY CASE WHEN w.note_id IS NOT NULL THEN 3 WHEN g.severity = 'critical' THEN 0 "
    "WHEN w.reason = 'regression' THEN 1 ELSE 2 END, w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED) "
    "AND EXISTS (SELECT 1 FROM me) RETURNING *) "
    "SELECT o.id, o.chat_id, o.thread_id, o.attempts, o.possible_repeat, o.lost_answers, o.reason, "
    "o.held, t.body, t.author, (SELECT max(c.message_id) FROM alert_card c WHERE c.group_id = "
    "o.group_id "
    "AND c.chat_id = o.chat_id AND c.is_current), cs.language, cs.time_zone, "
    "coalesce(cs.is_quiet, false), tw.topic, ct.thread_id, "
    "coalesce(o.silent, false), o.language, o.fallback_from IS NOT NULL, "
    "(SELECT count(*) FROM chat_topic a WHERE a.chat_id = o.chat_id AND tw.topic IS NOT NULL), "
    "(extract(epoch FROM clock_timestamp() - CASE WHEN o.hold IS NULL THEN o.created_at "
    "ELSE greatest(o.created_at, o.next_try_at) END) * 1000)::bigint, ";
static const char CLAIM_JOINS[] =
    " LEFT JOIN chat_setting cs ON cs.chat_id = o.chat_id "
    "CROSS JOIN LATERAL (SELECT CASE WHEN o.rule_id IS NOT NULL THEN NULL "
    "WHEN $4::bigint = 1 THEN g.origin WHEN $4::bigint = 2 THEN p.slug END AS topic) tw "
    "LEFT JOIN chat_topic ct ON ct.chat_id = o.chat_id AND ct.topic = tw.topic";
enum {
    CLAIM_ID,
    CLAIM_CHAT,
    CLAIM_THREAD,
    CLAIM_ATTEMPTS,
    CLAIM_REPEAT,
    CLAIM_LOST,
    CLAIM_REASON,
    CLAIM_HELD,
    CLAIM_NOTE,
    CLAIM_AUTHOR,
    CLAIM_CARD,
    CLAIM_LANGUAGE,
    CLAIM_ZONE,
    CLAIM_QUIET,
    CLAIM_TOPIC,
    CLAIM_TOPIC_THREAD,
    CLAIM_SILENT,
    CLAIM_RULE_LANGUAGE,
    CLAIM_FALLBACK,
    CLAIM_TOPICS,
    CLAIM_WAITED,
    CLAIM_GROUP
};

struct claim_call {
    outbox_claim_fn *done;
    void *ctx;
};

static void on_claimed(void *ctx, const struct pg_reply *reply)
{
    struct claim_call *call = ctx;
    struct outbox_row row;
    bool found = !reply->err && PQntuples(reply->results[0]) == 1;
    if (found) {
        const PGresult *r = reply->results[0];
        row = (struct outbox_row){
            .id = pg_get_i64(r, 0, CLAIM_ID),
            .chat_id = pg_get_i64(r, 0, CLAIM_CHAT),
            .thread_id = pg_get_i64(r, 0, CLAIM_THREAD),
            .attempts = (int)pg_get_i64(r, 0, CLAIM_ATTEMPTS),
            .possible_repeat = pg_get_bool(r, 0, CLAIM_REPEAT),
            .lost_answers = (int)pg_get_i64(r, 0, CLAIM_LOST),
            .reason = pg_get_text(r, 0, CLAIM_REASON),
            .held = pg_get_i64(r, 0, CLAIM_HELD),
            .note = pg_get_text(r, 0, CLAIM_NOTE),
            .note_author = pg_get_text(r, 0, CLAIM_AUTHOR),
            .card_message_id = pg_get_i64(r, 0, CLAIM_CARD),
            .look = {pg_get_text(r, 0, CLAIM_LANGUAGE), pg_get_text(r, 0, CLAIM_ZONE),
                     pg_get_bool(r, 0, CLAIM_QUIET)},
            .silent = pg_get_bool(r, 0, CLAIM_SILENT),
            .language = pg_get_text(r, 0, CLAIM_RULE_LANGUAGE),
            .is_fallback = pg_get_bool(r, 0, CLAIM_FALLBACK),
            .topic = pg_get_text(r, 0, CLAIM_TOPIC),
            .topic_thread = pg_get_i64(r, 0, CLAIM_TOPIC_THREAD),
            .topics = pg_get_i64(r, 0, CLAIM_TOPICS),
            .waited_ms = pg_get_i64(r, 0, CLAIM_WAITED),
        };
        store_group_decode(r, 0, CLAIM_GROUP, &row.group);
    }
    call->done(call->ctx, found ? &row : NULL, reply->err);
    free(call);
}

void store_outbox_claim(struct pg *pg, const struct outbox_claim *claim, outbox_claim_fn *done,
                        void *ctx)
{
    static char *sql;
    if (!sql) {
        struct buf text;
        buf_init(&text, 16 * KIB);
        buf_addf(&text,
                 "%s %s FROM o JOIN error_group g ON g.id = o.group_id "
                 "LEFT JOIN alert_note t ON t.id = o.note_id %s %s",
                 CLAIM_HEAD, STORE_GROUP_COLUMNS, STORE_GROUP_JOINS, CLAIM_JOINS);
        sql = buf_take(&text);
    }
    struct claim_call *call = mem_alloc(sizeof *call);
    *call = (struct claim_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_batch_prepare(batch);
    pg_add(batch, sql);
    pg_text(batch, claim->holder);
    pg_i64(batch, claim->epoch);
    pg_i64(batch, claim->chat_id);
    pg_i64(batch, (int64_t)claim->topics);
    pg_run(pg, batch, on_claimed, call);
}

static const char SENT_SQL[] =
    "UPDATE alert_outbox SET state = 'sent', sent_at = now(), message_id = $2, chat_id = $3, "
    "thread_id = $4, last_error = NULL WHERE id = $1";
static const char RETIRE_SQL[] =
    "UPDATE alert_card SET is_current = false, edit = 'retire', edit_since = now(), edit_tries = "
    "0, "
    "edit_seq = edit_seq + 1 WHERE is_current AND chat_id = $2 AND group_id = "
    "(SELECT nabat_root(group_id) FROM alert_outbox WHERE id = $1 AND note_id IS NULL)";
/* The group may have changed between the claim and now: then the card is stale already. */
static const char CARD_SQL[] =
    "INSERT INTO alert_card (chat_id, message_id, group_id, thread_id, outbox_id, held, edited_at, "
    "edit, edit_since) "
    "SELECT $3, $2, g.id, $4, o.id, o.held, now(), w.edit, CASE WHEN w.edit IS NOT NULL "
    "THEN now() END FROM alert_outbox o JOIN error_group g ON g.id = nabat_root(o.group_id) "
    "CROSS JOIN LATERAL (SELECT CASE WHEN g.status <> $6 THEN 'change' "
    "WHEN g.occurrences > $5 THEN 'count' END AS edit) w "
    "WHERE o.id = $1 AND o.note_id IS NULL ON CONFLICT (chat_id, message_id) DO NOTHING";
void store_outbox_sent(struct pg *pg, const struct outbox_sent *sent, outbox_done_fn *done,
                       void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_batch_prepare(batch);
    pg_add(batch, SENT_SQL);
    pg_i64(batch, sent->id);
    pg_i64(batch, sent->message_id);
    pg_i64(batch, sent->chat_id);
    pg_i64_or_null(batch, sent->thread_id);
    pg_add(batch, RETIRE_SQL);
    pg_i64(batch, sent->id);
    pg_i64(batch, sent->chat_id);
    pg_add(batch, CARD_SQL);
    pg_i64(batch, sent->id);
    pg_i64(batch, sent->message_id);
    pg_i64(batch, sent->chat_id);
    pg_i64_or_null(batch, sent->thread_id);
    pg_i64(batch, sent->occurrences);
    pg_text(batch, status_name(sent->status));
    pg_run_outcome(pg, batch, done, ctx);
}

static const char PUT_OFF_SQL[] =
    "UPDATE alert_outbox SET state = $2, last_error = $4, "
    "possible_repeat = possible_repeat OR $2 = 'uncertain', "
    "lost_answers = lost_answers + $6::bool::int, "
    "next_try_at = CASE WHEN $3 < 0 THEN 'infinity' ELSE now() + make_interval(secs => $3) END "
    "WHERE id = $1 AND state = 'sending' AND epoch = $5";

void store_outbox_put_off(struct pg *pg, const struct outbox_put_off *off, outbox_done_fn *done,
                          void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, PUT_OFF_SQL);
    pg_i64(batch, off->id);
    pg_text(batch, off->state);
    pg_i64(batch, off->delay_s);
    pg_text(batch, off->error);
    pg_i64(batch, off->epoch);
    pg_bool(batch, off->answer_lost);
    pg_run_outcome(pg, batch, done, ctx);
}

/* Rows of an older epoch may have been sent; one of our own, with nothing under way, was claimed by
 * a statement whose answer was lost, and never went out. */
static const char RECOVER_SQL[] =
    "UPDATE alert_outbox SET state = CASE WHEN epoch < $1 THEN 'uncertain' ELSE 'pending' END, "
    "possible_repeat = possible_repeat OR epoch < $1, "
    "lost_answers = lost_answers + (epoch < $1)::int, next_try_at = now(), "
    "last_error = CASE WHEN epoch < $1 THEN 'the instance that was sending it ended' "
    "ELSE 'the claim got lost on its way' END "
    "WHERE state = 'sending' AND epoch <= $1 AND (epoch < $1 OR id <> ALL($2::bigint[]))";

void store_outbox_recover(struct pg *pg, int64_t epoch, const int64_t *in_hand, size_t count,
                          outbox_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    struct pg_array ids;
    pg_array_init(&ids, PG_INT8_ARRAY, MIB);
    for (size_t i = 0; i < count; i++)
        pg_array_i64(&ids, in_hand[i]);
    pg_add(batch, RECOVER_SQL);
    pg_i64(batch, epoch);
    pg_array_param(batch, &ids);
    pg_run_outcome(pg, batch, done, ctx);
}

#define DESTINATIONS                                                                               \
    "(SELECT chat_id FROM alert_rule WHERE chat_id IS NOT NULL UNION ALL "                         \
    "SELECT CASE WHEN kind = 'telegram' THEN url::bigint ELSE id END FROM alert_channel)"

/* Chats that somebody asked for errors in are no destinations; the rest was the alert chat before. */
void store_outbox_readdress(struct pg *pg, int64_t chat_id, int64_t thread_id, outbox_done_fn *done,
                            void *ctx)
{
    static const char *const DIGESTS[] = {
        "UPDATE alert_digest SET chat_id = $1, thread_id = $2 WHERE closed_at IS NULL "
        "AND message_id IS NULL AND chat_id <> $1 AND chat_id NOT IN " DESTINATIONS,
        /* what was said in a chat that is none any more is not edited there */
        "UPDATE alert_digest SET closed_at = coalesce(closed_at, now()), stale = false, "
        "thread_id = coalesce(thread_id, $2::bigint) WHERE (closed_at IS NULL OR stale) "
        "AND chat_id <> $1 AND chat_id NOT IN " DESTINATIONS,
    };
    struct pg_batch *batch = pg_batch_new();
    for (size_t i = 0; i < sizeof DIGESTS / sizeof *DIGESTS; i++) {
        pg_add(batch, DIGESTS[i]);
        pg_i64(batch, chat_id);
        pg_i64_or_null(batch, thread_id);
    }
    pg_add(batch, "UPDATE alert_outbox SET chat_id = $1, thread_id = $2 "
                  "WHERE state IN ('pending', 'uncertain') AND chat_id <> $1 AND chat_id NOT "
                  "IN " DESTINATIONS);
    pg_i64(batch, chat_id);
    pg_i64_or_null(batch, thread_id);
    pg_run_outcome(pg, batch, done, ctx);
}

void store_outbox_move_chat(struct pg *pg, int64_t from_chat, int64_t to_chat, outbox_done_fn *done,
                            void *ctx)
{
    static const char *const SQL[] = {
        "UPDATE alert_outbox SET chat_id = $2 WHERE chat_id = $1 "
        "AND state IN ('pending', 'sending', 'uncertain')",
        /* copied, not moved: a restart may still have the old id in its settings */
        "INSERT INTO alert_state AS s (group_id, chat_id, last_ring_at, held) SELECT group_id, $2, "
        "last_ring_at, held FROM alert_state WHERE chat_id = $1 ON CONFLICT (group_id, chat_id) "
        "DO UPDATE SET last_ring_at = greatest(s.last_ring_at, excluded.last_ring_at)",
        "UPDATE alert_digest SET stale = false WHERE chat_id = $1 AND closed_at IS NOT NULL "
        "AND chat_id <> $2",
        "UPDATE alert_channel SET url = $2::text WHERE kind = 'telegram' AND url = $1::text",
        "UPDATE alert_rule SET chat_id = $2 WHERE chat_id = $1",
        "UPDATE alert_silence SET chat_id = $2 WHERE chat_id = $1",
        "DELETE FROM alert_card WHERE chat_id = $1 AND chat_id <> $2",
        /* what an old digest still has to say is said anew */
        "UPDATE alert_digest SET chat_id = $2, message_id = NULL WHERE chat_id = $1 "
        "AND closed_at IS NULL AND chat_id <> $2",
        "INSERT INTO chat_setting (chat_id, language, time_zone, is_quiet, reactions, dark_charts, "
        "quiet_from, quiet_to, quiet_holds) SELECT $2, language, time_zone, is_quiet, reactions, "
        "dark_charts, quiet_from, "
        "quiet_to, quiet_holds FROM chat_setting WHERE chat_id = $1 ON CONFLICT DO NOTHING",
    };
    struct pg_batch *batch = pg_batch_new();
    for (size_t i = 0; i < sizeof SQL / sizeof *SQL; i++) {
        pg_add(batch, SQL[i]);
        pg_i64(batch, from_chat);
        pg_i64(batch, to_chat);
    }
    pg_run_outcome(pg, batch, done, ctx);
}
