/* watch.c -- service_setting "watched_bot:<id>", event_inbox, and groups that resolve themselves. */
#include "store/watch.h"

#include <stdio.h>

static const char STATE_SQL[] = "INSERT INTO service_setting (name, value) VALUES ($1, $2) "
                                "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
static const char EVENT_SQL[] = "INSERT INTO event_inbox (id, event_id, project_id, body) "
                                "VALUES (nextval('event_id_seq'), $1, 1, $2::jsonb)";
static const char OVER_SQL[] =
    "WITH g AS (SELECT id FROM error_group WHERE project_id = 1 AND fingerprint = $1), "
    "note AS (INSERT INTO alert_note (group_id, kind, author, body) "
    "SELECT nabat_root(id), 'recovered', $2, $3 FROM g) "
    "UPDATE error_group SET status = 'resolved' WHERE id IN (SELECT id FROM g) "
    "AND status <> 'resolved'";

void store_watch_write(struct pg *pg, int64_t bot_id, const char *state,
                       const struct watch_news *news, size_t count, pg_outcome_fn *done, void *ctx)
{
    char text[64];
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT set_config('nabat.source', 'service', true), "
                  "set_config('nabat.actor', 'watch', true)");
    snprintf(text, sizeof text, "watched_bot:%lld", (long long)bot_id);
    pg_add(batch, STATE_SQL);
    pg_text(batch, text);
    pg_text(batch, state);
    for (size_t i = 0; i < count; i++) {
        if (news[i].event_id) {
            pg_add(batch, EVENT_SQL);
            pg_text(batch, news[i].event_id);
            pg_text(batch, news[i].body);
            continue;
        }
        snprintf(text, sizeof text, "%lld 1", (long long)news[i].minutes);
        pg_add(batch, OVER_SQL);
        pg_text(batch, news[i].fingerprint);
        pg_text(batch, news[i].name);
        pg_text(batch, text);
    }
    pg_run_outcome(pg, batch, done, ctx);
}
