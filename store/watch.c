/* watch.c -- service_setting "watched_bot:<id>", event_inbox, and groups that resolve themselves (recovery.c). */
#include "store/watch.h"

#include "store/recovery.h"

#include <stdio.h>

static const char STATE_SQL[] = "INSERT INTO service_setting (name, value) VALUES ($1, $2) "
                                "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
static const char EVENT_SQL[] = "INSERT INTO event_inbox (id, event_id, project_id, body) "
                                "VALUES (nextval('event_id_seq'), $1, 1, $2::jsonb)";
void store_watch_write(struct pg *pg, int64_t bot_id, const char *state,
                       const struct watch_news *news, size_t count, pg_outcome_fn *done, void *ctx)
{
    char text[64];
    struct pg_batch *batch = pg_batch_new();
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
        struct recovery over = {news[i].fingerprint, news[i].name, news[i].minutes, 1};
        store_recovery_add(batch, 1, "watch", &over, 1);
    }
    pg_run_outcome(pg, batch, done, ctx);
}
