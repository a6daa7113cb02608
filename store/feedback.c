/* feedback.c -- words of users: kept at once, joined when their event is there, said under its card. */
#include "store/feedback.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

enum { LIST_BYTES_MAX = 1024 * 1024 };

static const char KEEP_SQL[] =
    "INSERT INTO user_feedback (project_id, feedback_id, event_id, name, email, message, url) "
    "SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
    "$7::text[]) ON CONFLICT DO NOTHING";

void store_feedback_add(struct pg_batch *batch, int32_t project_id, const struct feedback *list)
{
    struct pg_array columns[6];
    if (!list)
        return;
    for (size_t i = 0; i < 6; i++)
        pg_array_init(&columns[i], PG_TEXT_ARRAY, LIST_BYTES_MAX);
    for (const struct feedback *f = list; f; f = f->next) {
        const char *const texts[] = {f->id, f->event_id, f->name, f->email, f->message, f->url};
        for (size_t i = 0; i < 6; i++)
            pg_array_text(&columns[i], texts[i]);
    }
    pg_add(batch, KEEP_SQL);
    pg_i64(batch, project_id);
    for (size_t i = 0; i < 6; i++)
        pg_array_param(batch, &columns[i]);
}

/* The event may come after the words about it; after a day nobody waits for it any more. Each is
 * tried again after a quarter of its age, so that words about no event hold up nobody's. The bound on
 * received_at keeps the look-up to the leaves that can hold it. */
static const char JOIN_SQL[] =
    "WITH w AS (SELECT id FROM user_feedback WHERE group_id IS NULL AND next_try <= now() "
    "ORDER BY next_try LIMIT 200), "
    "later AS (UPDATE user_feedback f SET next_try = CASE "
    "WHEN f.received_at < now() - interval '1 day' THEN 'infinity' "
    "ELSE now() + greatest(interval '2 seconds', (now() - f.received_at) / 4) END "
    "FROM w WHERE f.id = w.id AND NOT EXISTS (SELECT FROM event e WHERE "
    "e.project_id = f.project_id AND e.event_id = f.event_id "
    "AND e.received_at > now() - interval '30 days')), "
    "f AS (UPDATE user_feedback f SET group_id = e.group_id FROM event e, w WHERE f.id = w.id "
    "AND e.project_id = f.project_id AND e.event_id = f.event_id "
    "AND e.received_at > now() - interval '30 days' RETURNING f.*) "
    "INSERT INTO alert_note (group_id, kind, author, body) SELECT group_id, 'feedback', "
    "nullif(concat_ws(', ', name, email), ''), message FROM f";

/* Told once when it is over, or every ten minutes while it is not; only where somebody was alarmed. */
static const char COUNTED_SQL[] =
    "WITH d AS (DELETE FROM group_counted c WHERE c.last_at < now() - make_interval(secs => $1) "
    "OR c.since < now() - make_interval(secs => $2) RETURNING c.group_id, c.n) "
    "INSERT INTO alert_note (group_id, kind, body) SELECT nabat_root(d.group_id), 'counted', d.n "
    "FROM d WHERE EXISTS (SELECT 1 FROM alert_card a WHERE a.group_id = nabat_root(d.group_id) "
    "AND a.is_current)";

/* Under the card in every chat that was alarmed. */
static const char QUEUE_SQL[] =
    "WITH n AS (SELECT DISTINCT ON (t.group_id) t.id, t.group_id, t.kind FROM alert_note t "
    "WHERE t.queued_at IS NULL AND t.created_at > now() - interval '1 day' "
    "AND EXISTS (SELECT 1 FROM alert_card c WHERE c.group_id = t.group_id "
    "AND c.outbox_id IS NOT NULL) "
    "AND (SELECT count(*) FROM alert_note s WHERE s.group_id = t.group_id "
    "AND s.queued_at > now() - interval '10 minutes') < 3 ORDER BY t.group_id, t.id LIMIT 100), "
    "q AS (UPDATE alert_note t SET queued_at = now() FROM n WHERE t.id = n.id), "
    "o AS (INSERT INTO alert_outbox (group_id, chat_id, thread_id, reason, note_id) "
    "SELECT n.group_id, c.chat_id, c.thread_id, n.kind, n.id FROM n JOIN alert_card c "
    "ON c.group_id = n.group_id AND c.is_current AND EXISTS (SELECT 1 FROM alert_card a "
    "WHERE a.group_id = c.group_id AND a.chat_id = c.chat_id AND a.outbox_id IS NOT NULL) "
    "RETURNING 1) SELECT count(*) FROM o";

struct notes_call {
    notes_done_fn *done;
    void *ctx;
};

static void on_queued(void *ctx, const struct pg_reply *reply)
{
    struct notes_call *call = ctx;
    call->done(call->ctx, reply->err ? 0 : pg_get_i64(reply->results[2], 0, 0), reply->err);
    free(call);
}

void store_notes_queue(struct pg *pg, notes_done_fn *done, void *ctx)
{
    struct notes_call *call = mem_alloc(sizeof *call);
    *call = (struct notes_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_batch_prepare(batch); /* every second: planning it over a month of days takes 6 ms */
    pg_add(batch, JOIN_SQL);
    pg_add(batch, COUNTED_SQL);
    pg_i64(batch, COUNTED_QUIET_SECONDS);
    pg_i64(batch, COUNTED_SECONDS_MAX);
    pg_add(batch, QUEUE_SQL);
    pg_run(pg, batch, on_queued, call);
}
