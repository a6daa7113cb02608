/* recovery.c -- error_group and alert_note of what is over, rows in the writers' order. */
#include "store/recovery.h"

#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>

static const char ACTOR_SQL[] = "SELECT set_config('nabat.source', 'service', true), "
                                "set_config('nabat.actor', $1, true)";
static const char OVER_SQL[] =
    "WITH u AS (SELECT unnest($2::text[]) AS fingerprint, unnest($3::text[]) AS name, "
    "unnest($4::text[]) AS body), "
    "met AS MATERIALIZED (SELECT g.id, u.name, u.body FROM u JOIN error_group g "
    "ON g.project_id = $1::bigint AND g.fingerprint = u.fingerprint "
    "WHERE g.status <> 'resolved' AND g.merged_into IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM error_group m WHERE m.merged_into = g.id) "
    "ORDER BY g.id FOR NO KEY UPDATE OF g), "
    "note AS (INSERT INTO alert_note (group_id, kind, author, body) "
    "SELECT DISTINCT ON (id) id, 'recovered', name, body FROM met) "
    "UPDATE error_group SET status = 'resolved' WHERE id IN (SELECT id FROM met)";

void store_recovery_add(struct pg_batch *batch, int32_t project_id, const char *actor,
                        const struct recovery *list, size_t count)
{
    struct pg_array columns[3];
    for (size_t i = 0; i < 3; i++)
        pg_array_init(&columns[i], PG_TEXT_ARRAY, 4 * MIB);
    for (size_t i = 0; i < count; i++) {
        char body[64];
        snprintf(body, sizeof body, "%" PRId64 " %" PRId64, list[i].minutes, list[i].failures);
        pg_array_text(&columns[0], list[i].fingerprint);
        pg_array_text(&columns[1], list[i].name);
        pg_array_text(&columns[2], body);
    }
    pg_add(batch, ACTOR_SQL);
    pg_text(batch, actor);
    pg_add(batch, OVER_SQL);
    pg_i64(batch, project_id);
    for (size_t i = 0; i < 3; i++)
        pg_array_param(batch, &columns[i]);
}
