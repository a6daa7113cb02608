/* writer_look.c -- what is asked of the database for a batch that is not remembered, before it is stored.
 *
 *     look up: BEGIN, known ids of the last 24 h, rows of known groups, the age of what is remembered
 *     make:    the groups that are missing */
#include "store/writer_batch.h"

#include "core/limits.h"
#include "core/mem.h"
#include "store/id_set.h"

#include <stdlib.h>

static const char REPEATS_SQL[] =
    "SELECT e.project_id, e.event_id FROM " EVENT_IDS " u JOIN event e "
    "ON e.project_id = u.project_id AND e.event_id = u.event_id "
    "AND e.received_at >= $3::timestamptz AND e.received_at < $4::timestamptz "
    "UNION ALL SELECT c.project_id, c.event_id FROM " EVENT_IDS " u JOIN event_counted c "
    "ON c.project_id = u.project_id AND c.event_id = u.event_id "
    "AND c.received_at >= $3::timestamptz";

static const char FIND_GROUPS_SQL[] =
    "SELECT g.id, g.project_id, g.fingerprint, " GROUP_IS_NOISY
    " FROM (SELECT unnest($1::bigint[]) AS project_id, unnest($2::text[]) AS fingerprint) u "
    "JOIN error_group g ON g.project_id = u.project_id AND g.fingerprint = u.fingerprint";
enum { GROUP_ID, GROUP_PROJECT, GROUP_FINGERPRINT, GROUP_NOISY };

/* The cache's age, and the lowest severity that a rule names: 0 is debug; NULL: no rule does. */
static const char KNOW_SQL[] =
    "SELECT " WRITER_EPOCH ", "
    "(SELECT min(array_position(" SEVERITY_ORDER ", s)) - 1 "
    "FROM (SELECT severity AS s FROM alert_rule WHERE enabled "
    "UNION ALL SELECT source_severity FROM alert_inhibition WHERE enabled) r)";
enum { KNOW_EPOCH, KNOW_RULE_MIN };

static const char ENTER_SQL[] = "SELECT " WRITER_SETTINGS ", " WRITER_LOCK;
static const char ENTER_AT_MIDNIGHT_SQL[] = "SELECT " WRITER_SETTINGS ", " WRITER_LOCK
                                            ", pg_advisory_xact_lock(hashtext('nabat.midnight'))";

static const char NEW_GROUPS_SQL[] =
    "INSERT INTO error_group AS g (project_id, fingerprint, title, culprit, origin, handler, "
    "severity, status, first_seen, last_seen, resolved_at) "
    "SELECT project_id, fingerprint, title, culprit, origin, handler, severity, status, "
    "first_seen, last_seen, CASE WHEN status = 'resolved' THEN now() END "
    "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
    "$7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[]) "
    "AS u (project_id, fingerprint, title, culprit, origin, handler, severity, status, "
    "first_seen, last_seen) "
    "ON CONFLICT (project_id, fingerprint) DO UPDATE SET last_seen = g.last_seen "
    "RETURNING g.id, g.project_id, g.fingerprint";

void write_batch_add_ids(struct pg_batch *pg, const struct write_batch *batch)
{
    struct pg_array projects;
    struct pg_array texts;
    pg_array_init(&projects, PG_INT8_ARRAY, ARRAY_BYTES_MAX);
    pg_array_init(&texts, PG_TEXT_ARRAY, ARRAY_BYTES_MAX);
    for (size_t i = 0; i < batch->count; i++) {
        pg_array_i64(&projects, batch->events[i]->project_id);
        pg_array_text(&texts, batch->events[i]->event_id);
    }
    pg_array_param(pg, &projects);
    pg_array_param(pg, &texts);
}

/* Their keys, each once: what is not aggregated yet repeats itself. */
static void add_keys(struct pg_batch *pg, const struct write_batch *batch)
{
    struct id_set set;
    struct pg_array projects;
    struct pg_array texts;
    id_set_init(&set, batch->count);
    pg_array_init(&projects, PG_INT8_ARRAY, ARRAY_BYTES_MAX);
    pg_array_init(&texts, PG_TEXT_ARRAY, ARRAY_BYTES_MAX);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        if (!id_set_add(&set, e->project_id, e->fingerprint))
            continue;
        pg_array_i64(&projects, e->project_id);
        pg_array_text(&texts, e->fingerprint);
    }
    pg_array_param(pg, &projects);
    pg_array_param(pg, &texts);
    id_set_fini(&set);
}

enum { LOOK_BEGIN, LOOK_ENTER, LOOK_KNOW, LOOK_REPEATS, LOOK_GROUPS };

struct pg_batch *write_batch_look_up(const struct write_batch *batch, int64_t now_ms)
{
    struct pg_batch *pg = pg_batch_new();
    pg_batch_prepare(pg);
    pg_add(pg, "BEGIN");
    /* shared with other writers: only nabat-prune, which removes groups, keeps us out for a moment */
    pg_add(pg, write_batch_near_midnight(now_ms) ? ENTER_AT_MIDNIGHT_SQL : ENTER_SQL);
    pg_add(pg, KNOW_SQL);
    pg_add(pg, REPEATS_SQL);
    write_batch_add_ids(pg, batch);
    /* what comes out of the spool was received then, and may be in the database since then */
    int64_t oldest = batch->received_min < now_ms ? batch->received_min : now_ms;
    pg_time(pg, oldest - (int64_t)DEDUP_HOURS * 3600 * 1000);
    pg_time(pg, (now_ms / DAY_MS + 2) * DAY_MS); /* other clocks may be ahead, but not by a day */
    pg_add(pg, FIND_GROUPS_SQL);
    add_keys(pg, batch);
    return pg;
}

static void note_groups(struct write_batch *batch, const PGresult *rows)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        uint32_t *slot = write_batch_slot(batch, pg_get_i64(rows, row, GROUP_PROJECT),
                                          pg_get_text(rows, row, GROUP_FINGERPRINT));
        if (!*slot)
            continue; /* all its events were repeats */
        batch->groups[*slot - 1].id = pg_get_i64(rows, row, GROUP_ID);
        batch->groups[*slot - 1].noisy = pg_get_bool(rows, row, GROUP_NOISY);
    }
}

void write_batch_take(struct write_batch *batch, const struct pg_reply *reply,
                      struct writer_cache *cache, enum severity ring_min, struct row_meter *meter,
                      bool counts_only)
{
    const PGresult *know = reply->results[LOOK_KNOW];
    const char *epoch = pg_get_text(know, 0, KNOW_EPOCH);
    int rule_min =
        PQgetisnull(know, 0, KNOW_RULE_MIN) ? -1 : (int)pg_get_i64(know, 0, KNOW_RULE_MIN);
    writer_cache_set_epoch(cache, epoch ? epoch : "", rule_min);
    write_batch_set_ring_min(batch, cache, ring_min);
    write_batch_drop_repeats(batch, reply->results[LOOK_REPEATS]);
    write_batch_meter(batch, meter, counts_only);
    write_batch_aggregate(batch);
    note_groups(batch, reply->results[LOOK_GROUPS]);
}

struct pg_batch *write_batch_make_groups(const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {
        PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
        PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TIME_ARRAY, PG_TIME_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->groups_count; i++) {
        const struct batch_group *g = &batch->groups[i];
        const struct event *e = g->first;
        if (g->id)
            continue;
        pg_array_i64(&c.array[0], e->project_id);
        pg_array_text(&c.array[1], e->fingerprint);
        pg_array_text(&c.array[2], e->title);
        pg_array_text(&c.array[3], e->culprit);
        pg_array_text(&c.array[4], e->origin);
        pg_array_text(&c.array[5], e->handler);
        pg_array_text(&c.array[6], severity_name(write_batch_worst(g)));
        pg_array_text(&c.array[7], status_name(g->first_fact ? STATUS_NEW : e->status));
        pg_array_time(&c.array[8], g->received_min);
        pg_array_time(&c.array[9], g->received_max);
    }
    struct pg_batch *pg = pg_batch_new();
    pg_batch_prepare(pg);
    pg_batch_continue(pg);
    if (columns_add(pg, &c, NEW_GROUPS_SQL))
        return pg;
    pg_batch_free(pg);
    return NULL;
}

void write_batch_take_groups(struct write_batch *batch, const struct pg_reply *reply)
{
    const PGresult *rows = reply->results[0];
    for (int row = 0; row < PQntuples(rows); row++) {
        const uint32_t *slot = write_batch_slot(batch, pg_get_i64(rows, row, GROUP_PROJECT),
                                                pg_get_text(rows, row, GROUP_FINGERPRINT));
        struct batch_group *g = &batch->groups[*slot - 1];
        g->id = pg_get_i64(rows, row, GROUP_ID);
        g->is_new = true;
        g->noisy = g->first->status == STATUS_RESOLVED && !g->first_fact;
    }
}
