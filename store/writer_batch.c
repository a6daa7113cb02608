/* writer_batch.c -- how a batch of events becomes two round trips.
 *
 *     look up: BEGIN, known ids of the last 24 h, rows of known groups (locked, skipping those that
 *              somebody else holds)
 *     store:   missing groups, counters, stacks and events, users, facts for the engine, COMMIT
 *
 * The hard thing: a person's open transaction on a group must not stop anybody's ingest. Rows that
 * are held are skipped; their events are stored and rung all the same, and what would have changed
 * in the row is appended to group_delta. */
#include "store/writer_batch.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

enum { METERED_MS_MAX = 60 * 1000, NEAR_MIDNIGHT_MS = 60 * 1000, DAY_MS = 86400 * 1000 };

uint32_t write_batch_hash(const char *text, uint32_t seed)
{
    uint32_t h = 2166136261u ^ seed;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

void write_batch_init(struct write_batch *batch, size_t events_max)
{
    *batch = (struct write_batch){0};
    batch->events = mem_alloc(events_max * sizeof *batch->events);
}

void write_batch_fini(struct write_batch *batch)
{
    free(batch->events);
    free(batch->groups);
    free(batch->facts);
    free(batch->slots);
    *batch = (struct write_batch){0};
}

void write_batch_add(struct write_batch *batch, struct event *event)
{
    if (batch->count == 0 || event->received_ms < batch->received_min)
        batch->received_min = event->received_ms;
    batch->events[batch->count++] = event;
}

/* ------------------------------------------------------------------------------------- look up */

static const char REPEATS_SQL[] =
    "SELECT project_id, event_id FROM event WHERE project_id = ANY($1::bigint[]) "
    "AND event_id = ANY($2::text[]) AND received_at >= $3::timestamptz "
    "UNION ALL SELECT project_id, event_id FROM event_counted WHERE project_id = ANY($1::bigint[]) "
    "AND event_id = ANY($2::text[]) AND received_at >= $3::timestamptz";
enum { REPEAT_PROJECT, REPEAT_EVENT_ID };

#define GROUPS_SELECT                                                                              \
    "SELECT g.id, g.project_id, g.fingerprint, g.status = 'resolved', "                            \
    "EXISTS (SELECT 1 FROM alert_card c WHERE c.group_id = coalesce(g.merged_into, g.id) "         \
    "AND c.is_current), " PG_MS(                                                                   \
        "g.last_seen") " "                                                                         \
                       "FROM error_group g WHERE (g.project_id, g.fingerprint) IN "                \
                       "(SELECT * FROM unnest($1::bigint[], $2::text[]))"
static const char LOCK_GROUPS_SQL[] =
    GROUPS_SELECT " ORDER BY g.id FOR NO KEY UPDATE OF g SKIP LOCKED";
static const char FIND_GROUPS_SQL[] = GROUPS_SELECT;
enum { GROUP_ID, GROUP_PROJECT, GROUP_FINGERPRINT, GROUP_RESOLVED, GROUP_CARDED, GROUP_SEEN };
/* The lowest severity that a rule names: 0 is debug; NULL: no rule does. */
static const char RING_MIN_SQL[] =
    "SELECT min(array_position(ARRAY['debug', 'info', 'warning', 'error', 'critical'], s)) - 1 "
    "FROM (SELECT severity AS s FROM alert_rule WHERE enabled "
    "UNION ALL SELECT source_severity FROM alert_inhibition WHERE enabled) r";

/* Where the two instances' clocks may disagree on the day, one id could land in two leaves. */
static bool near_midnight(int64_t now_ms)
{
    int64_t in_day = now_ms % DAY_MS;
    return in_day < NEAR_MIDNIGHT_MS || in_day > DAY_MS - NEAR_MIDNIGHT_MS;
}

static void add_time_param(struct pg_batch *pg, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format_utc(ms, text);
    pg_text(pg, text);
}

static void add_keys(struct pg_batch *pg, const struct write_batch *batch, bool event_ids)
{
    struct pg_array projects;
    struct pg_array texts;
    pg_array_init(&projects, PG_INT8_ARRAY, ARRAY_BYTES_MAX);
    pg_array_init(&texts, PG_TEXT_ARRAY, ARRAY_BYTES_MAX);
    int32_t last_project = -1;
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        if (!event_ids || e->project_id != last_project)
            pg_array_i64(&projects, e->project_id);
        last_project = e->project_id;
        pg_array_text(&texts, event_ids ? e->event_id : e->fingerprint);
    }
    pg_array_param(pg, &projects);
    pg_array_param(pg, &texts);
}

enum { LOOK_BEGIN, LOOK_LOCKS, LOOK_REPEATS, LOOK_LOCK_GROUPS, LOOK_FIND_GROUPS, LOOK_RING_MIN };

struct pg_batch *write_batch_look_up(const struct write_batch *batch, int64_t now_ms)
{
    struct pg_batch *pg = pg_batch_new();
    pg_add(pg, "BEGIN");
    /* shared with other writers: only nabat-prune, which removes groups, keeps us out for a moment */
    pg_add(pg, near_midnight(now_ms)
                   ? "SELECT pg_advisory_xact_lock_shared(hashtext('nabat.groups')), "
                     "pg_advisory_xact_lock(hashtext('nabat.midnight'))"
                   : "SELECT pg_advisory_xact_lock_shared(hashtext('nabat.groups'))");
    pg_add(pg, REPEATS_SQL);
    add_keys(pg, batch, true);
    /* what comes out of the spool was received then, and may be in the database since then */
    int64_t oldest = batch->received_min < now_ms ? batch->received_min : now_ms;
    add_time_param(pg, oldest - (int64_t)DEDUP_HOURS * 3600 * 1000);
    pg_add(pg, LOCK_GROUPS_SQL);
    add_keys(pg, batch, false);
    pg_add(pg, FIND_GROUPS_SQL);
    add_keys(pg, batch, false);
    pg_add(pg, RING_MIN_SQL);
    return pg;
}

/* ---------------------------------------------------------------------------------------- take */

/* A set of (project, event id): those in the database, then those of the batch itself. */
struct id_set {
    struct id_key {
        int64_t project;
        const char *id;
    } * keys;
    size_t size; /* a power of two, more than twice the members */
};

static bool id_set_add(struct id_set *set, int64_t project, const char *id)
{
    size_t at = write_batch_hash(id, (uint32_t)project) & (set->size - 1);
    while (set->keys[at].id) {
        if (set->keys[at].project == project && strcmp(set->keys[at].id, id) == 0)
            return false;
        at = (at + 1) & (set->size - 1);
    }
    set->keys[at] = (struct id_key){project, id};
    return true;
}

size_t write_batch_table_size(size_t members)
{
    size_t size = 16;
    while (size < members * 2 + 2)
        size *= 2;
    return size;
}

static uint64_t group_id_of(const struct event *e)
{
    uint64_t low = write_batch_hash(e->fingerprint, (uint32_t)e->project_id);
    return (uint64_t)write_batch_hash(e->fingerprint, 0x9e3779b9u) << 32 | low;
}

static void drop_repeats(struct write_batch *batch, const PGresult *known)
{
    size_t members = batch->count + (size_t)PQntuples(known);
    struct id_set set = {.size = write_batch_table_size(members)};
    set.keys = mem_alloc(set.size * sizeof *set.keys);
    for (int row = 0; row < PQntuples(known); row++)
        id_set_add(&set, pg_get_i64(known, row, REPEAT_PROJECT),
                   pg_get_text(known, row, REPEAT_EVENT_ID));
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (id_set_add(&set, batch->events[i]->project_id, batch->events[i]->event_id))
            batch->events[kept++] = batch->events[i];
    batch->repeated = batch->count - kept;
    batch->count = kept;
    free(set.keys);
}

/* A batch that is run again keeps what was decided the first time. */
static void meter_rows(struct write_batch *batch, struct row_meter *meter)
{
    int64_t now_ms = clock_wall_ms();
    for (size_t i = 0; meter && i < batch->count; i++) {
        struct event *e = batch->events[i];
        if (e->is_metered || e->is_import)
            continue;
        e->is_metered = true;
        if (now_ms - e->received_ms > METERED_MS_MAX)
            continue; /* out of the spool: it was not this minute's */
        e->is_counted_only = !row_meter_keeps(meter, group_id_of(e), now_ms);
    }
}

static uint32_t *find_slot(struct write_batch *batch, int64_t project, const char *fingerprint)
{
    size_t at = write_batch_hash(fingerprint, (uint32_t)project) & (batch->slots_count - 1);
    while (batch->slots[at]) {
        const struct event *e = batch->groups[batch->slots[at] - 1].first;
        if (e->project_id == project && strcmp(e->fingerprint, fingerprint) == 0)
            break;
        at = (at + 1) & (batch->slots_count - 1);
    }
    return &batch->slots[at];
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct batch_fact *fact_of(struct write_batch *batch, struct batch_group *group,
                                  const struct event *e)
{
    size_t at = group->first_fact;
    for (; at; at = batch->facts[at - 1].next) {
        struct batch_fact *f = &batch->facts[at - 1];
        if (f->severity == e->severity && same_text(f->environment, e->environment) &&
            same_text(f->origin, e->origin) && same_text(f->handler, e->handler))
            return f;
    }
    struct batch_fact *f = &batch->facts[batch->facts_count++];
    *f = (struct batch_fact){
        .next = group->first_fact,
        .severity = e->severity,
        .environment = e->environment,
        .origin = e->origin,
        .handler = e->handler,
    };
    group->first_fact = batch->facts_count;
    return f;
}

static void count_event(struct write_batch *batch, struct batch_group *group, const struct event *e)
{
    group->n[e->severity]++;
    group->counted_only += e->is_counted_only;
    if (!e->is_import) {
        struct batch_fact *f = fact_of(batch, group, e);
        f->n++;
        if (e->occurred_ms > f->occurred_max)
            f->occurred_max = e->occurred_ms;
    }
    if (e->received_ms < group->received_min)
        group->received_min = e->received_ms;
    if (e->received_ms > group->received_max)
        group->received_max = e->received_ms;
}

static void aggregate(struct write_batch *batch)
{
    batch->slots_count = write_batch_table_size(batch->count);
    batch->slots = mem_alloc(batch->slots_count * sizeof *batch->slots);
    batch->groups = mem_alloc(batch->count * sizeof *batch->groups);
    batch->facts = mem_alloc(batch->count * sizeof *batch->facts);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        uint32_t *slot = find_slot(batch, e->project_id, e->fingerprint);
        if (!*slot) {
            batch->groups[batch->groups_count] = (struct batch_group){
                .first = e, .received_min = e->received_ms, .received_max = e->received_ms};
            *slot = (uint32_t)++batch->groups_count;
        }
        count_event(batch, &batch->groups[*slot - 1], e);
    }
}

static void note_groups(struct write_batch *batch, const PGresult *rows, bool locked)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        uint32_t *slot = find_slot(batch, pg_get_i64(rows, row, GROUP_PROJECT),
                                   pg_get_text(rows, row, GROUP_FINGERPRINT));
        if (!*slot)
            continue; /* all its events were repeats */
        struct batch_group *group = &batch->groups[*slot - 1];
        group->id = pg_get_i64(rows, row, GROUP_ID);
        group->locked = group->locked || locked;
        group->resolved = pg_get_bool(rows, row, GROUP_RESOLVED);
        group->carded = pg_get_bool(rows, row, GROUP_CARDED);
        group->seen_before_ms = pg_get_i64(rows, row, GROUP_SEEN);
    }
}

void write_batch_take(struct write_batch *batch, const struct pg_reply *reply,
                      enum severity ring_min, struct row_meter *meter)
{
    const PGresult *named = reply->results[LOOK_RING_MIN];
    batch->ring_min = ring_min;
    if (!PQgetisnull(named, 0, 0) && pg_get_i64(named, 0, 0) < (int64_t)ring_min)
        batch->ring_min = (enum severity)pg_get_i64(named, 0, 0);
    drop_repeats(batch, reply->results[LOOK_REPEATS]);
    meter_rows(batch, meter);
    aggregate(batch);
    note_groups(batch, reply->results[LOOK_LOCK_GROUPS], true);
    note_groups(batch, reply->results[LOOK_FIND_GROUPS], false);
}
