/* outbox.c -- the life of an alert row and of its card. */
#include "store/outbox.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* Sends are claimed one by one, each committed before it goes out: what a crash leaves behind in
 * 'sending' is known to be uncertain. */
static const char CLAIM_HEAD[] =
    "WITH me AS (SELECT 1 FROM service_lease WHERE name = 'alerts' AND holder = $1 AND epoch = $2 "
    "AND until > clock_timestamp() FOR SHARE), "
    "o AS (UPDATE alert_outbox SET state = 'sending', attempts = attempts + 1, epoch = $2, "
    "thread_id = CASE WHEN chat_id = $3 THEN thread_id ELSE $4 END, "
    "chat_id = CASE WHEN $3 <> 0 THEN $3 ELSE chat_id END "
    "WHERE id = (SELECT id FROM alert_outbox WHERE state IN ('pending', 'uncertain') "
    "AND next_try_at <= now() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) "
    "AND EXISTS (SELECT 1 FROM me) RETURNING *) "
    "SELECT o.id, o.chat_id, o.thread_id, o.attempts, o.possible_repeat, o.reason, o.held, "
    "t.body, t.author, (SELECT max(c.message_id) FROM alert_card c WHERE c.group_id = o.group_id "
    "AND c.chat_id = o.chat_id AND c.is_current), cs.language, cs.time_zone, "
    "coalesce(cs.is_quiet, false), tw.topic, ct.thread_id, "
    "(SELECT count(*) FROM chat_topic a WHERE a.chat_id = o.chat_id AND tw.topic IS NOT NULL), ";
static const char CLAIM_JOINS[] =
    " LEFT JOIN chat_setting cs ON cs.chat_id = o.chat_id "
    "CROSS JOIN LATERAL (SELECT CASE $5::bigint WHEN 1 THEN g.origin WHEN 2 THEN p.slug END AS "
    "topic) tw "
    "LEFT JOIN chat_topic ct ON ct.chat_id = o.chat_id AND ct.topic = tw.topic";
enum {
    CLAIM_ID,
    CLAIM_CHAT,
    CLAIM_THREAD,
    CLAIM_ATTEMPTS,
    CLAIM_REPEAT,
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
    CLAIM_TOPICS,
    CLAIM_GROUP
};
static const char NEXT_SQL[] =
    "SELECT greatest(0, ceil(extract(epoch FROM min(next_try_at) - now()) * 1000))::bigint, "
    "count(*), extract(epoch FROM now() - min(created_at))::bigint FROM alert_outbox "
    "WHERE state IN ('pending', 'uncertain') AND isfinite(next_try_at)";

struct claim_call {
    outbox_claim_fn *done;
    void *ctx;
};

static struct outbox_waiting waiting_of(const PGresult *next)
{
    if (PQgetisnull(next, 0, 0))
        return (struct outbox_waiting){.next_ms = -1};
    return (struct outbox_waiting){.next_ms = pg_get_i64(next, 0, 0),
                                   .count = pg_get_i64(next, 0, 1),
                                   .oldest_s = pg_get_i64(next, 0, 2)};
}

static void on_claimed(void *ctx, const struct pg_reply *reply)
{
    struct claim_call *call = ctx;
    struct outbox_row row;
    bool found = !reply->err && PQntuples(reply->results[0]) == 1;
    struct outbox_waiting waiting = {.next_ms = -1};
    if (found) {
        const PGresult *r = reply->results[0];
        row = (struct outbox_row){
            .id = pg_get_i64(r, 0, CLAIM_ID),
            .chat_id = pg_get_i64(r, 0, CLAIM_CHAT),
            .thread_id = pg_get_i64(r, 0, CLAIM_THREAD),
            .attempts = (int)pg_get_i64(r, 0, CLAIM_ATTEMPTS),
            .possible_repeat = pg_get_bool(r, 0, CLAIM_REPEAT),
            .reason = pg_get_text(r, 0, CLAIM_REASON),
            .held = pg_get_i64(r, 0, CLAIM_HELD),
            .note = pg_get_text(r, 0, CLAIM_NOTE),
            .note_author = pg_get_text(r, 0, CLAIM_AUTHOR),
            .card_message_id = pg_get_i64(r, 0, CLAIM_CARD),
            .look = {pg_get_text(r, 0, CLAIM_LANGUAGE), pg_get_text(r, 0, CLAIM_ZONE),
                     pg_get_bool(r, 0, CLAIM_QUIET)},
            .topic = pg_get_text(r, 0, CLAIM_TOPIC),
            .topic_thread = pg_get_i64(r, 0, CLAIM_TOPIC_THREAD),
            .topics = pg_get_i64(r, 0, CLAIM_TOPICS),
        };
        store_group_decode(r, 0, CLAIM_GROUP, &row.group);
    }
    if (!reply->err)
        waiting = waiting_of(reply->results[1]);
    call->done(call->ctx, found ? &row : NULL, &waiting, reply->err);
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
    pg_add(batch, sql);
    pg_text(batch, claim->holder);
    pg_i64(batch, claim->epoch);
    pg_i64(batch, claim->chat_id);
    pg_i64_or_null(batch, claim->thread_id);
    pg_i64(batch, (int64_t)claim->topics);
    pg_add(batch, NEXT_SQL);
    pg_run(pg, batch, on_claimed, call);
}

struct waiting_call {
    outbox_waiting_fn *done;
    void *ctx;
};

static void on_waiting(void *ctx, const struct pg_reply *reply)
{
    struct waiting_call *call = ctx;
    struct outbox_waiting waiting = {.next_ms = -1};
    if (!reply->err)
        waiting = waiting_of(reply->results[0]);
    call->done(call->ctx, &waiting, reply->err);
    free(call);
}

void store_outbox_waiting(struct pg *pg, outbox_waiting_fn *done, void *ctx)
{
    struct waiting_call *call = mem_alloc(sizeof *call);
    *call = (struct waiting_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, NEXT_SQL);
    pg_run(pg, batch, on_waiting, call);
}

struct done_call {
    outbox_done_fn *done;
    void *ctx;
};

static void on_done(void *ctx, const struct pg_reply *reply)
{
    struct done_call *call = ctx;
    call->done(call->ctx, reply->err);
    free(call);
}

static void run(struct pg *pg, struct pg_batch *batch, outbox_done_fn *done, void *ctx)
{
    struct done_call *call = mem_alloc(sizeof *call);
    *call = (struct done_call){done, ctx};
    pg_run(pg, batch, on_done, call);
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
    run(pg, batch, done, ctx);
}

static const char PUT_OFF_SQL[] =
    "UPDATE alert_outbox SET state = $2, last_error = $4, "
    "possible_repeat = possible_repeat OR $2 = 'uncertain', "
    "next_try_at = CASE WHEN $3 < 0 THEN 'infinity' ELSE now() + make_interval(secs => $3) END "
    "WHERE id = $1 AND state = 'sending' AND epoch = $5";

void store_outbox_put_off(struct pg *pg, int64_t id, int64_t epoch, const char *state,
                          int64_t delay_s, const char *error, outbox_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, PUT_OFF_SQL);
    pg_i64(batch, id);
    pg_text(batch, state);
    pg_i64(batch, delay_s);
    pg_text(batch, error);
    pg_i64(batch, epoch);
    run(pg, batch, done, ctx);
}

/* Rows of an older epoch may have been sent; one of our own, with nothing under way, was claimed by
 * a statement whose answer was lost, and never went out. */
static const char RECOVER_SQL[] =
    "UPDATE alert_outbox SET state = CASE WHEN epoch < $1 THEN 'uncertain' ELSE 'pending' END, "
    "possible_repeat = possible_repeat OR epoch < $1, next_try_at = now(), "
    "last_error = CASE WHEN epoch < $1 THEN 'the instance that was sending it ended' "
    "ELSE 'the claim got lost on its way' END "
    "WHERE state = 'sending' AND epoch <= $1";

void store_outbox_recover(struct pg *pg, const struct outbox_claim *claim, outbox_done_fn *done,
                          void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, RECOVER_SQL);
    pg_i64(batch, claim->epoch);
    run(pg, batch, done, ctx);
}

void store_outbox_move_chat(struct pg *pg, int64_t from_chat, int64_t to_chat, outbox_done_fn *done,
                            void *ctx)
{
    static const char *const SQL[] = {
        "UPDATE alert_outbox SET chat_id = $2 WHERE chat_id = $1 "
        "AND state IN ('pending', 'sending', 'uncertain')",
        "DELETE FROM alert_state a USING alert_state b WHERE a.chat_id = $2 AND b.chat_id = $1 "
        "AND a.group_id = b.group_id",
        /* copied, not moved: a restart may still have the old id in its settings */
        "INSERT INTO alert_state (group_id, chat_id, last_ring_at, held) SELECT group_id, $2, "
        "last_ring_at, held FROM alert_state WHERE chat_id = $1 ON CONFLICT DO NOTHING",
        "DELETE FROM alert_card WHERE chat_id = $1 AND chat_id <> $2",
        "INSERT INTO chat_setting (chat_id, language, time_zone, is_quiet, reactions) SELECT $2, "
        "language, "
        "time_zone, is_quiet, reactions FROM chat_setting WHERE chat_id = $1 ON CONFLICT DO "
        "NOTHING",
    };
    struct pg_batch *batch = pg_batch_new();
    for (size_t i = 0; i < sizeof SQL / sizeof *SQL; i++) {
        pg_add(batch, SQL[i]);
        pg_i64(batch, from_chat);
        pg_i64(batch, to_chat);
    }
    run(pg, batch, done, ctx);
}

/* --------------------------------------------------------------------------------------- cards */

static const char CARD_HEAD[] =
    "SELECT c.chat_id, c.message_id, c.edit, c.edit_seq, (SELECT max(n.message_id) FROM alert_card "
    "n "
    "WHERE n.group_id = c.group_id AND n.chat_id = c.chat_id AND n.is_current), c.held, "
    "coalesce(o.reason = 'regression', false), coalesce(o.possible_repeat, false), "
    "coalesce(cs.language, c.language), cs.time_zone, coalesce(cs.is_quiet, false), ";
enum {
    CARD_CHAT,
    CARD_MESSAGE,
    CARD_EDIT,
    CARD_SEQ,
    CARD_NEWER,
    CARD_HELD,
    CARD_REGRESSION,
    CARD_REPEAT,
    CARD_LANGUAGE,
    CARD_ZONE,
    CARD_QUIET,
    CARD_GROUP
};
static const char CARD_PICK[] =
    " FROM (SELECT * FROM alert_card WHERE edit IS NOT NULL AND edit_since <= now() "
    "AND (chat_id = $3) = ($4 = 0) "
    "AND (edit <> 'count' OR ($1 AND edited_at <= now() - make_interval(secs => $2))) "
    "ORDER BY array_position(ARRAY['change', 'retire', 'expire', 'count'], edit), "
    "CASE WHEN edit = 'count' THEN edited_at ELSE edit_since END LIMIT 1) c "
    "JOIN error_group g ON g.id = c.group_id LEFT JOIN alert_outbox o ON o.id = c.outbox_id "
    "LEFT JOIN chat_setting cs ON cs.chat_id = c.chat_id ";

struct card_call {
    card_claim_fn *done;
    void *ctx;
};

static void on_card(void *ctx, const struct pg_reply *reply)
{
    struct card_call *call = ctx;
    struct card_row card;
    bool found = !reply->err && PQntuples(reply->results[0]) == 1;
    if (found) {
        const PGresult *r = reply->results[0];
        const char *edit = pg_get_text(r, 0, CARD_EDIT);
        card = (struct card_row){
            .chat_id = pg_get_i64(r, 0, CARD_CHAT),
            .message_id = pg_get_i64(r, 0, CARD_MESSAGE),
            .edit_seq = pg_get_i64(r, 0, CARD_SEQ),
            .newer_message_id = pg_get_i64(r, 0, CARD_NEWER),
            .held = pg_get_i64(r, 0, CARD_HELD),
            .regression = pg_get_bool(r, 0, CARD_REGRESSION),
            .possible_repeat = pg_get_bool(r, 0, CARD_REPEAT),
            .look = {pg_get_text(r, 0, CARD_LANGUAGE), pg_get_text(r, 0, CARD_ZONE),
                     pg_get_bool(r, 0, CARD_QUIET)},
            .edit = strcmp(edit, "count") == 0    ? EDIT_COUNT
                    : strcmp(edit, "change") == 0 ? EDIT_CHANGE
                    : strcmp(edit, "retire") == 0 ? EDIT_RETIRE
                                                  : EDIT_EXPIRE,
        };
        store_group_decode(r, 0, CARD_GROUP, &card.group);
    }
    call->done(call->ctx, found ? &card : NULL, reply->err);
    free(call);
}

void store_card_claim(struct pg *pg, int64_t alert_chat_id, enum card_place place, bool counts_too,
                      card_claim_fn *done, void *ctx)
{
    static char *sql;
    if (!sql) {
        struct buf text;
        buf_init(&text, 16 * KIB);
        buf_addf(&text, "%s %s %s %s", CARD_HEAD, STORE_GROUP_COLUMNS, CARD_PICK,
                 STORE_GROUP_JOINS);
        sql = buf_take(&text);
    }
    struct card_call *call = mem_alloc(sizeof *call);
    *call = (struct card_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, sql);
    pg_bool(batch, counts_too);
    pg_i64(batch, CARD_EDIT_SECONDS_MIN);
    pg_i64(batch, alert_chat_id);
    pg_i64(batch, (int64_t)place);
    pg_run(pg, batch, on_card, call);
}

/* Edits that keep failing end after twenty tries; the next change starts anew. A card that shows Undo is
 * edited once more when that is over ($6, Unix milliseconds). */
static const char CARD_DONE_SQL[] =
    "UPDATE alert_card SET edited_at = now(), "
    "edit = CASE WHEN $4 = 2 AND edit_tries < 20 THEN edit WHEN $4 <> 1 AND edit_seq <> $3 THEN "
    "edit WHEN $4 = 0 AND $6 > 0 AND is_current THEN 'expire' END, "
    "edit_since = CASE WHEN $4 = 2 THEN now() + make_interval(secs => $5) "
    "WHEN edit_seq <> $3 THEN now() "
    "WHEN $4 = 0 AND $6 > 0 AND is_current THEN to_timestamp($6 / 1000.0) END, "
    "edit_tries = CASE WHEN $4 = 2 THEN edit_tries + 1 ELSE 0 END, "
    "is_current = is_current AND $4 <> 1 WHERE chat_id = $1 AND message_id = $2";

void store_card_done(struct pg *pg, const struct card_row *card, enum card_outcome outcome,
                     int64_t delay_s, outbox_done_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, CARD_DONE_SQL);
    pg_i64(batch, card->chat_id);
    pg_i64(batch, card->message_id);
    pg_i64(batch, card->edit_seq);
    pg_i64(batch, (int64_t)outcome);
    pg_i64(batch, delay_s);
    pg_i64(batch, card->group.undo_until_ms);
    run(pg, batch, done, ctx);
}
