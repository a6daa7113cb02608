/* card.c -- the table alert_card, as far as its messages are edited. */
#include "store/card.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- cards */

static const char CARD_HEAD[] =
    "SELECT c.chat_id, c.message_id, c.edit, c.edit_seq, c.told_status, c.held, "
    "coalesce(o.reason = 'regression', false), coalesce(o.possible_repeat, false), "
    "coalesce(cs.language, c.language), cs.time_zone, coalesce(cs.is_quiet, false), ";
enum {
    CARD_CHAT,
    CARD_MESSAGE,
    CARD_EDIT,
    CARD_SEQ,
    CARD_TOLD,
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
    "AND chat_id = $3 "
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
        const char *told = pg_get_text(r, 0, CARD_TOLD);
        if (told)
            status_parse(told, strlen(told), &card.told_status);
        store_group_decode(r, 0, CARD_GROUP, &card.group);
    }
    call->done(call->ctx, found ? &card : NULL, reply->err);
    free(call);
}

void store_card_claim(struct pg *pg, int64_t chat_id, bool counts_too, card_claim_fn *done,
                      void *ctx)
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
    pg_batch_prepare(batch);
    pg_add(batch, sql);
    pg_bool(batch, counts_too);
    pg_i64(batch, CARD_EDIT_SECONDS_MIN);
    pg_i64(batch, chat_id);
    pg_run(pg, batch, on_card, call);
}

/* Counts that keep failing end after twenty tries; the next change starts anew. A card that shows Undo is
 * edited once more when that is over ($6, Unix milliseconds). */
static const char CARD_DONE_SQL[] =
    "UPDATE alert_card SET edited_at = now(), "
    "edit = CASE WHEN $4 = 2 AND (edit_tries < 20 OR edit <> 'count') THEN edit WHEN $4 <> 1 AND "
    "edit_seq <> $3 THEN "
    "edit WHEN $4 = 0 AND $6 > 0 AND is_current THEN 'expire' END, "
    "edit_since = CASE WHEN $4 = 2 THEN now() + make_interval(secs => $5) "
    "WHEN edit_seq <> $3 THEN now() "
    "WHEN $4 = 0 AND $6 > 0 AND is_current THEN to_timestamp($6 / 1000.0) END, "
    "edit_tries = CASE WHEN $4 = 2 THEN edit_tries + 1 ELSE 0 END, "
    "told_status = CASE WHEN $4 = 0 THEN $7 ELSE told_status END, "
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
    pg_text(batch, status_name(card->group.status));
    pg_run_outcome(pg, batch, done, ctx);
}
