/* chat.c -- the tables chat_setting, chat_message, and cards that people ask for or uncover. */
#include "store/chat.h"

#include "core/log.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- settings */

static const char SETTING_SQL[] = "SELECT language, time_zone, is_quiet, reactions, dark_charts "
                                  "FROM chat_setting WHERE chat_id = $1";
static const char PUT_SETTING_SQL[] =
    "INSERT INTO chat_setting (chat_id, language, time_zone, is_quiet, reactions, dark_charts) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (chat_id) DO UPDATE SET language = "
    "excluded.language, "
    "time_zone = excluded.time_zone, is_quiet = excluded.is_quiet, reactions = excluded.reactions, "
    "dark_charts = excluded.dark_charts";
enum { SETTING_LANGUAGE, SETTING_ZONE_NAME, SETTING_QUIET, SETTING_REACTIONS, SETTING_DARK };

struct setting_call {
    chat_setting_fn *done;
    void *ctx;
};

static void on_setting(void *ctx, const struct pg_reply *reply)
{
    struct setting_call *call = ctx;
    struct chat_setting setting = {0};
    const PGresult *rows = reply->err ? NULL : reply->results[reply->count - 1];
    if (rows && PQntuples(rows) == 1)
        setting = (struct chat_setting){
            .language = pg_get_text(rows, 0, SETTING_LANGUAGE),
            .time_zone = pg_get_text(rows, 0, SETTING_ZONE_NAME),
            .is_quiet = pg_get_bool(rows, 0, SETTING_QUIET),
            .reactions = pg_get_bool(rows, 0, SETTING_REACTIONS),
            .dark_charts = pg_get_bool(rows, 0, SETTING_DARK),
        };
    call->done(call->ctx, &setting, reply->err);
    free(call);
}

static void run_setting(struct pg *pg, struct pg_batch *batch, int64_t chat_id,
                        chat_setting_fn *done, void *ctx)
{
    struct setting_call *call = mem_alloc(sizeof *call);
    *call = (struct setting_call){done, ctx};
    pg_add(batch, SETTING_SQL);
    pg_i64(batch, chat_id);
    pg_run(pg, batch, on_setting, call);
}

void store_chat_setting_get(struct pg *pg, int64_t chat_id, chat_setting_fn *done, void *ctx)
{
    run_setting(pg, pg_batch_new(), chat_id, done, ctx);
}

void store_chat_setting_put(struct pg *pg, int64_t chat_id, const struct chat_setting *setting,
                            chat_setting_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, PUT_SETTING_SQL);
    pg_i64(batch, chat_id);
    pg_text(batch, setting->language);
    pg_text(batch, setting->time_zone);
    pg_bool(batch, setting->is_quiet);
    pg_bool(batch, setting->reactions);
    pg_bool(batch, setting->dark_charts);
    /* cards of the last days follow, at the pace of counts */
    pg_add(
        batch,
        "UPDATE alert_card SET edit = coalesce(edit, 'count'), edit_since = coalesce(edit_since, "
        "now()), edit_seq = edit_seq + 1 WHERE chat_id = $1 AND is_current "
        "AND made_at > now() - interval '2 days'");
    pg_i64(batch, chat_id);
    run_setting(pg, batch, chat_id, done, ctx);
}

/* ------------------------------------------------------------------------------------- messages */

static const char *const KINDS[] = {
    [MESSAGE_NONE] = "",         [MESSAGE_CARD] = "card",     [MESSAGE_LIST] = "list",
    [MESSAGE_EVENTS] = "events", [MESSAGE_NOTE] = "note",     [MESSAGE_SETTINGS] = "settings",
    [MESSAGE_SETUP] = "setup",   [MESSAGE_DIGEST] = "digest", [MESSAGE_REPORT] = "report",
};

static const char MESSAGE_SQL[] =
    "SELECT 'card', group_id, '' FROM alert_card WHERE chat_id = $1 AND message_id = $2 "
    "UNION ALL SELECT kind, group_id, coalesce(args, '') FROM chat_message "
    "WHERE chat_id = $1 AND message_id = $2 LIMIT 1";

struct message_call {
    our_message_fn *done;
    void *ctx;
};

static void on_message(void *ctx, const struct pg_reply *reply)
{
    struct message_call *call = ctx;
    struct our_message message = {.args = ""};
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    if (rows && PQntuples(rows) == 1) {
        const char *kind = pg_get_text(rows, 0, 0);
        for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
            if (strcmp(KINDS[i], kind) == 0)
                message.kind = (enum chat_message_kind)i;
        message.group_id = pg_get_i64(rows, 0, 1);
        message.args = pg_get_text(rows, 0, 2);
    }
    call->done(call->ctx, &message, reply->err);
    free(call);
}

void store_message_get(struct pg *pg, int64_t chat_id, int64_t message_id, our_message_fn *done,
                       void *ctx)
{
    struct message_call *call = mem_alloc(sizeof *call);
    *call = (struct message_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, MESSAGE_SQL);
    pg_i64(batch, chat_id);
    pg_i64(batch, message_id);
    pg_run(pg, batch, on_message, call);
}

struct done_call {
    chat_done_sql_fn *done;
    void *ctx;
};

static void on_done(void *ctx, const struct pg_reply *reply)
{
    struct done_call *call = ctx;
    call->done(call->ctx, reply->err);
    free(call);
}

static void run(struct pg *pg, struct pg_batch *batch, chat_done_sql_fn *done, void *ctx)
{
    struct done_call *call = mem_alloc(sizeof *call);
    *call = (struct done_call){done, ctx};
    pg_run(pg, batch, on_done, call);
}

void store_message_put(struct pg *pg, int64_t chat_id, int64_t message_id,
                       const struct our_message *message, chat_done_sql_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "INSERT INTO chat_message (chat_id, message_id, kind, group_id, args) "
                  "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (chat_id, message_id) DO UPDATE SET "
                  "kind = excluded.kind, group_id = excluded.group_id, args = excluded.args");
    pg_i64(batch, chat_id);
    pg_i64(batch, message_id);
    pg_text(batch, KINDS[message->kind]);
    pg_i64_or_null(batch, message->group_id);
    pg_text(batch, message->args);
    run(pg, batch, done, ctx);
}

#define RETIRE                                                                                     \
    "is_current = false, edit = 'retire', edit_since = now(), edit_tries = 0, edit_seq = "         \
    "edit_seq + 1"
static const char RETIRE_SQL[] =
    "UPDATE alert_card SET " RETIRE
    " WHERE is_current AND chat_id = $1 AND group_id = $2 AND message_id < $3";
/* The group may have changed while its card was being sent: then the card is stale already. */
static const char CARD_SQL[] =
    "INSERT INTO alert_card (chat_id, message_id, group_id, thread_id, language, edited_at, edit, "
    "edit_since) SELECT $1, $2, g.id, $4, $5, now(), w.edit, CASE WHEN w.edit = 'expire' THEN "
    "to_timestamp($8::bigint / 1000.0) WHEN w.edit IS NOT NULL THEN now() END "
    "FROM error_group g CROSS JOIN LATERAL (SELECT CASE WHEN g.status <> $6 THEN 'change' "
    "WHEN nabat_occurrences(g.id) > $7 THEN 'count' WHEN $8::bigint > 0 THEN 'expire' END AS edit) "
    "w "
    "WHERE g.id = nabat_root($3) "
    "ON CONFLICT (chat_id, message_id) DO NOTHING";

void store_card_put(struct pg *pg, int64_t chat_id, int64_t message_id, int64_t thread_id,
                    const struct shown_card *shown, chat_done_sql_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, RETIRE_SQL);
    pg_i64(batch, chat_id);
    pg_i64(batch, shown->group_id);
    pg_i64(batch, message_id);
    pg_add(batch, CARD_SQL);
    pg_i64(batch, chat_id);
    pg_i64(batch, message_id);
    pg_i64(batch, shown->group_id);
    pg_i64_or_null(batch, thread_id);
    pg_text(batch, shown->language);
    pg_text(batch, status_name(shown->status));
    pg_i64(batch, shown->occurrences);
    pg_i64(batch, shown->undo_until_ms);
    run(pg, batch, done, ctx);
}

/* ---------------------------------------------------------------------------------------- topics */

static void on_topic(void *ctx, const struct pg_reply *reply)
{
    (void)ctx;
    if (reply->err)
        log_warn("a forum topic is not remembered", LOG_S("error", reply->err->text), LOG_END);
}

void store_topic_put(struct pg *pg, int64_t chat_id, const char *topic, int64_t thread_id)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "INSERT INTO chat_topic (chat_id, topic, thread_id) VALUES ($1, $2, $3) "
                  "ON CONFLICT (chat_id, topic) DO UPDATE SET thread_id = excluded.thread_id");
    pg_i64(batch, chat_id);
    pg_text(batch, topic);
    pg_i64(batch, thread_id);
    pg_run(pg, batch, on_topic, NULL);
}

void store_topic_forget(struct pg *pg, int64_t chat_id, int64_t thread_id)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "DELETE FROM chat_topic WHERE chat_id = $1 AND thread_id = $2");
    pg_i64(batch, chat_id);
    pg_i64(batch, thread_id);
    pg_run(pg, batch, on_topic, NULL);
}

/* ------------------------------------------------------------------------------------- adoption */

/* clang-format off */
/* One send at most is closed by one message; a message that arrived twice is uncovered twice, also when a digest has named
 * the alert since. The newest of them is the current card. */
static const char ADOPT_SQL[] =
    "WITH o AS (SELECT id, group_id, thread_id, state FROM alert_outbox WHERE chat_id = $1 "
    "AND group_id = $3 AND possible_repeat AND note_id IS NULL "
    "AND state IN ('uncertain', 'sending', 'sent', 'failed', 'folded') "
    "ORDER BY state = 'uncertain' DESC, id DESC LIMIT 1 FOR UPDATE), "
    "u AS (UPDATE alert_outbox a SET state = 'sent', sent_at = now(), message_id = $2 FROM o "
    "WHERE a.id = o.id AND a.state = 'uncertain'), "
    "r AS (UPDATE alert_card k SET " RETIRE " FROM o "
    "WHERE k.group_id = $3 AND k.chat_id = $1 AND k.is_current AND k.message_id < $2), "
    "c AS (INSERT INTO alert_card (chat_id, message_id, group_id, thread_id, outbox_id, is_current, "
    "edit, edit_since) SELECT $1, $2, o.group_id, o.thread_id, o.id, n.newer IS NULL, "
    "CASE WHEN n.newer IS NULL THEN 'change' ELSE 'retire' END, now() FROM o "
    "CROSS JOIN LATERAL (SELECT max(k.message_id) AS newer FROM alert_card k WHERE k.group_id = $3 "
    "AND k.chat_id = $1 AND k.is_current AND k.message_id > $2) n "
    "ON CONFLICT (chat_id, message_id) DO NOTHING RETURNING 1) SELECT count(*) FROM c";
/* clang-format on */

struct adopt_call {
    adopted_fn *done;
    void *ctx;
};

static void on_adopted(void *ctx, const struct pg_reply *reply)
{
    struct adopt_call *call = ctx;
    call->done(call->ctx, !reply->err && pg_get_i64(reply->results[0], 0, 0) > 0, reply->err);
    free(call);
}

void store_card_adopt(struct pg *pg, int64_t chat_id, int64_t message_id, int64_t group_id,
                      adopted_fn *done, void *ctx)
{
    struct adopt_call *call = mem_alloc(sizeof *call);
    *call = (struct adopt_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, ADOPT_SQL);
    pg_i64(batch, chat_id);
    pg_i64(batch, message_id);
    pg_i64(batch, group_id);
    pg_run(pg, batch, on_adopted, call);
}
