/* rang.c -- alert_rang: filled by the instance that rang, taken over by the one that decides.
 *
 * The hard thing: the group may not be there yet, since its events are still in the spool. So what rang
 * waits in a table of its own, and is taken over in the very transaction that reads the group's facts:
 * there is no moment in which the decider could see the event and not the ring. */
#include "store/rang.h"

#include "core/limits.h"

static const char PUSH_SQL[] =
    "INSERT INTO alert_rang (project_id, fingerprint, chat_id, thread_id, message_id, rang_at, "
    "is_card) SELECT project_id, fingerprint, chat_id, nullif(thread_id, 0), "
    "nullif(message_id, 0), rang_at, is_card FROM unnest($1::bigint[], $2::text[], $3::bigint[], "
    "$4::bigint[], $5::bigint[], $6::timestamptz[], $7::bool[]) AS u (project_id, fingerprint, "
    "chat_id, thread_id, message_id, rang_at, is_card) ON CONFLICT DO NOTHING";

void store_rang_push(struct pg *pg, const struct rang *rangs, size_t count, pg_outcome_fn *done,
                     void *ctx)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY,
                                               PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TIME_ARRAY,
                                               PG_BOOL_ARRAY};
    enum { COLUMNS = sizeof TYPES / sizeof *TYPES };
    struct pg_array c[COLUMNS];
    struct pg_batch *batch = pg_batch_new();
    for (size_t i = 0; i < COLUMNS; i++)
        pg_array_init(&c[i], TYPES[i], 4 * MIB);
    for (size_t i = 0; i < count; i++) {
        pg_array_i64(&c[0], rangs[i].project_id);
        pg_array_text(&c[1], rangs[i].fingerprint);
        pg_array_i64(&c[2], rangs[i].chat_id);
        pg_array_i64(&c[3], rangs[i].thread_id);
        pg_array_i64(&c[4], rangs[i].message_id);
        pg_array_time(&c[5], rangs[i].at_ms);
        pg_array_bool(&c[6], rangs[i].is_card);
    }
    pg_add(batch, PUSH_SQL);
    for (size_t i = 0; i < COLUMNS; i++)
        pg_array_param(batch, &c[i]);
    pg_run_outcome(pg, batch, done, ctx);
}

/* The cooldown runs from now: what the spool still holds of these groups rang already. Of several cards
 * in one chat the newest is the group's. What may not have arrived, and did not later, goes once more, marked. */
static const char ADOPT_SQL[] =
    "WITH taken AS (UPDATE alert_rang r SET adopted_at = now() FROM error_group g "
    "WHERE r.adopted_at IS NULL AND g.project_id = r.project_id AND g.fingerprint = r.fingerprint "
    "RETURNING coalesce(g.merged_into, g.id) AS group_id, r.chat_id, r.thread_id, r.message_id, "
    "r.rang_at, r.is_card, r.message_id IS NULL AND r.chat_id < 5000000000000000 AS is_lost), "
    "r AS (SELECT *, row_number() OVER (PARTITION BY group_id, chat_id ORDER BY rang_at DESC) = 1 "
    "AS is_newest, row_number() OVER (PARTITION BY group_id, chat_id, is_lost "
    "ORDER BY rang_at DESC) = 1 AS is_last FROM taken), "
    "state AS (INSERT INTO alert_state AS s (group_id, chat_id, last_ring_at) "
    "SELECT group_id, chat_id, clock_timestamp() FROM r WHERE is_newest "
    "ON CONFLICT (group_id, chat_id) DO UPDATE SET last_ring_at = excluded.last_ring_at), "
    "sent AS (INSERT INTO alert_outbox (group_id, chat_id, thread_id, state, reason, attempts, "
    "possible_repeat, lost_answers, created_at, sent_at, message_id) "
    "SELECT group_id, chat_id, thread_id, CASE WHEN is_lost THEN 'pending' ELSE 'sent' END, "
    "'emergency', 1, is_lost, is_lost::int, rang_at, CASE WHEN NOT is_lost THEN rang_at END, "
    "message_id FROM r WHERE is_newest OR NOT is_lost), "
    "retired AS (UPDATE alert_card c SET is_current = false, edit = 'retire', edit_since = now(), "
    "edit_tries = 0, edit_seq = c.edit_seq + 1 FROM r WHERE c.is_current AND r.is_card AND "
    "r.message_id IS NOT NULL AND c.group_id = r.group_id AND c.chat_id = r.chat_id) "
    "INSERT INTO alert_card (chat_id, message_id, group_id, thread_id, is_current, edit, "
    "edit_since) SELECT chat_id, message_id, group_id, thread_id, is_last, "
    "CASE WHEN is_last THEN 'change' ELSE 'retire' END, now() FROM r "
    "WHERE is_card AND message_id IS NOT NULL ON CONFLICT (chat_id, message_id) DO NOTHING";

void store_rang_adopt(struct pg_batch *batch)
{
    pg_add(batch, ADOPT_SQL);
}
