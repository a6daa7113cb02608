/* channel.c -- the table alert_channel. */
#include "store/channel.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

static const char LOAD_SQL[] =
    "SELECT id, name, kind, url, secret, sender, recipients, language, coalesce(fallback, 0), "
    "enabled, " PG_MS("last_ok_at") ", last_error FROM alert_channel ORDER BY id LIMIT $1";
enum {
    CHANNEL_ID,
    CHANNEL_NAME,
    CHANNEL_KIND,
    CHANNEL_URL,
    CHANNEL_SECRET,
    CHANNEL_SENDER,
    CHANNEL_RECIPIENTS,
    CHANNEL_LANGUAGE,
    CHANNEL_FALLBACK,
    CHANNEL_ENABLED,
    CHANNEL_OK,
    CHANNEL_ERROR
};

void store_channels_free(struct channel_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct channel *c = &list->channels[i];
        free(c->name);
        free(c->kind);
        free(c->url);
        free(c->secret);
        free(c->sender);
        free(c->recipients);
        free(c->language);
        free(c->last_error);
    }
    free(list->channels);
    free(list);
}

struct load_call {
    channels_done_fn *done;
    void *ctx;
};

static char *text_of(const PGresult *r, int row, int column)
{
    return mem_str_dup(pg_get_text(r, row, column));
}

static struct channel_list *decode(const PGresult *r)
{
    struct channel_list *list = mem_alloc(sizeof *list);
    list->count = (size_t)PQntuples(r);
    list->channels = mem_alloc((list->count + 1) * sizeof *list->channels);
    for (int row = 0; row < PQntuples(r); row++)
        list->channels[row] = (struct channel){
            .id = pg_get_i64(r, row, CHANNEL_ID),
            .name = text_of(r, row, CHANNEL_NAME),
            .kind = text_of(r, row, CHANNEL_KIND),
            .url = text_of(r, row, CHANNEL_URL),
            .secret = text_of(r, row, CHANNEL_SECRET),
            .sender = text_of(r, row, CHANNEL_SENDER),
            .recipients = text_of(r, row, CHANNEL_RECIPIENTS),
            .language = text_of(r, row, CHANNEL_LANGUAGE),
            .fallback = pg_get_i64(r, row, CHANNEL_FALLBACK),
            .enabled = pg_get_bool(r, row, CHANNEL_ENABLED),
            .ok_ms = pg_get_i64(r, row, CHANNEL_OK),
            .last_error = text_of(r, row, CHANNEL_ERROR),
        };
    return list;
}

static void on_loaded(void *ctx, const struct pg_reply *reply)
{
    struct load_call *call = ctx;
    call->done(call->ctx, reply->err ? NULL : decode(reply->results[0]), reply->err);
    free(call);
}

void store_channels_load(struct pg *pg, channels_done_fn *done, void *ctx)
{
    struct load_call *call = mem_alloc(sizeof *call);
    *call = (struct load_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, LOAD_SQL);
    pg_i64(batch, CHANNELS_MAX);
    pg_run(pg, batch, on_loaded, call);
}

void store_channel_note(struct pg *pg, int64_t id, const char *error)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, error ? "UPDATE alert_channel SET last_error = $2, last_error_at = now() "
                          "WHERE id = $1"
                        : "UPDATE alert_channel SET last_ok_at = now(), last_error = $2 "
                          "WHERE id = $1");
    pg_i64(batch, id);
    pg_text(batch, error);
    pg_run_outcome(pg, batch, NULL, NULL);
}

/* Whatever is in hand counts too: its sending may hang as long as the outage lasts; and what became part of
 * a digest that nobody has seen. A copy is made once: the hold says so. */
static const char FALL_BACK_SQL[] =
    "WITH me AS (SELECT 1 FROM service_lease WHERE name = 'alerts' AND holder = $2 AND epoch = $3 "
    "AND until > clock_timestamp() FOR SHARE), "
    "c AS (SELECT id, name, CASE WHEN kind = 'telegram' THEN url::bigint ELSE id END AS place "
    "FROM alert_channel WHERE enabled AND fallback > coalesce((SELECT fallback FROM alert_channel "
    "WHERE id = $1 OR (kind = 'telegram' AND url = $1::text)), 0) "
    "AND CASE WHEN kind = 'telegram' THEN url <> $1::text ELSE true END "
    "ORDER BY fallback, id LIMIT 1), "
    "o AS (UPDATE alert_outbox o SET hold = 'fallback', hold_about = c.name FROM c, error_group g "
    "WHERE o.chat_id = $1 AND (o.state IN ('pending', 'uncertain', 'sending') "
    "OR (o.state = 'folded' AND EXISTS (SELECT 1 FROM alert_digest d WHERE d.id = o.digest_id "
    "AND d.message_id IS NULL AND d.closed_at IS NULL))) "
    "AND (o.hold IS NULL OR o.is_free) "
    "AND o.hold IS DISTINCT FROM 'fallback' AND o.note_id IS NULL AND g.id = o.group_id "
    "AND g.severity = 'critical' AND EXISTS (SELECT 1 FROM me) "
    "RETURNING o.group_id, o.reason, o.held, coalesce(o.fallback_from, o.chat_id) AS origin) "
    "INSERT INTO alert_outbox (group_id, chat_id, reason, held, epoch, fallback_from) "
    "SELECT o.group_id, c.place, o.reason, o.held, $3, o.origin FROM o CROSS JOIN c RETURNING id";

struct fallback_call {
    fallback_fn *done;
    void *ctx;
};

static void on_fallen_back(void *ctx, const struct pg_reply *reply)
{
    struct fallback_call *call = ctx;
    call->done(call->ctx, reply->err ? 0 : PQntuples(reply->results[0]), reply->err);
    free(call);
}

void store_fall_back(struct pg *pg, int64_t from, const char *holder, int64_t epoch,
                     fallback_fn *done, void *ctx)
{
    struct fallback_call *call = mem_alloc(sizeof *call);
    *call = (struct fallback_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, FALL_BACK_SQL);
    pg_i64(batch, from);
    pg_text(batch, holder);
    pg_i64(batch, epoch);
    pg_run(pg, batch, on_fallen_back, call);
}
