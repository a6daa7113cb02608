/* companion.c -- sessions summed by release and hour; late attachments. */
#include "store/companion.h"

#include "core/limits.h"

#include <stdlib.h>

enum { SESSIONS_BYTES_MAX = 1 * MIB, FILES_BYTES_MAX = 64 * MIB };

static const char SESSIONS_SQL[] =
    "INSERT INTO session_hour AS s (project_id, release, environment, hour, started, errored, "
    "crashed, abnormal) SELECT $1, release, environment, hour, sum(a), sum(b), sum(c), sum(d) "
    "FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[], "
    "$7::bigint[], $8::bigint[]) AS u (release, environment, hour, a, b, c, d) GROUP BY 1, 2, 3, 4 "
    "ORDER BY 1, 2, 3, 4 "
    "ON CONFLICT (project_id, release, environment, hour) DO UPDATE SET "
    "started = s.started + excluded.started, errored = s.errored + excluded.errored, "
    "crashed = s.crashed + excluded.crashed, abnormal = s.abnormal + excluded.abnormal";

void store_sessions_add(struct pg_batch *batch, int32_t project_id,
                        const struct session_count *list)
{
    static const enum pg_array_type TYPES[] = {PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TIME_ARRAY,
                                               PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY,
                                               PG_INT8_ARRAY};
    enum { COLUMNS = sizeof TYPES / sizeof *TYPES };
    struct pg_array c[COLUMNS];
    if (!list)
        return;
    for (size_t i = 0; i < COLUMNS; i++)
        pg_array_init(&c[i], TYPES[i], SESSIONS_BYTES_MAX);
    for (const struct session_count *s = list; s; s = s->next) {
        pg_array_text(&c[0], s->release);
        pg_array_text(&c[1], s->environment ? s->environment : "production");
        pg_array_time(&c[2], s->hour_ms);
        pg_array_i64(&c[3], s->started);
        pg_array_i64(&c[4], s->errored);
        pg_array_i64(&c[5], s->crashed);
        pg_array_i64(&c[6], s->abnormal);
    }
    pg_add(batch, SESSIONS_SQL);
    pg_i64(batch, project_id);
    for (size_t i = 0; i < COLUMNS; i++)
        pg_array_param(batch, &c[i]);
}

static const char FILES_SQL[] =
    "WITH d AS (SELECT coalesce((SELECT (e.received_at AT TIME ZONE 'UTC')::date FROM event e "
    "WHERE e.project_id = $1 AND e.event_id = $2 AND e.received_at > now() - interval '30 days' "
    "LIMIT 1), (now() AT TIME ZONE 'UTC')::date) AS day), "
    "have AS (SELECT coalesce(max(a.n), 0) AS n FROM d JOIN event_attachment a ON "
    "a.received_day = d.day AND a.project_id = $1 AND a.event_id = $2) "
    "INSERT INTO event_attachment (received_day, project_id, event_id, n, name, content_type, "
    "bytes, body) SELECT d.day, $1, $2, have.n + u.ord, u.name, u.content_type, u.bytes, u.body "
    "FROM d, have, unnest($3::text[], $4::text[], $5::bigint[], $6::bytea[]) WITH ORDINALITY "
    "AS u (name, content_type, bytes, body, ord) WHERE have.n + u.ord <= $7 ON CONFLICT DO NOTHING";

void store_attachments_add(struct pg_batch *batch, int32_t project_id, const char *event_id,
                           const struct attachment *list, int count_max)
{
    struct pg_array names;
    struct pg_array types;
    struct pg_array sizes;
    struct pg_array bodies;
    if (!list)
        return;
    pg_array_init(&names, PG_TEXT_ARRAY, SESSIONS_BYTES_MAX);
    pg_array_init(&types, PG_TEXT_ARRAY, SESSIONS_BYTES_MAX);
    pg_array_init(&sizes, PG_INT8_ARRAY, SESSIONS_BYTES_MAX);
    pg_array_init(&bodies, PG_BYTEA_ARRAY, FILES_BYTES_MAX);
    for (const struct attachment *a = list; a; a = a->next) {
        pg_array_text(&names, a->name);
        pg_array_text(&types, a->content_type);
        pg_array_i64(&sizes, (int64_t)a->bytes);
        pg_array_bytes(&bodies, a->data, a->len);
    }
    pg_add(batch, FILES_SQL);
    pg_i64(batch, project_id);
    pg_text(batch, event_id);
    pg_array_param(batch, &names);
    pg_array_param(batch, &types);
    pg_array_param(batch, &sizes);
    pg_array_param(batch, &bodies);
    pg_i64(batch, count_max);
}
