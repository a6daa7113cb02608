/* writer_store.c -- a batch into the database in one round trip: counters, users, stacks, events, facts.
 *
 * One statement each, whatever the number of events: columns travel as arrays and are unnested. A batch that
 * was looked up (writer_look.c) knows its groups. A direct one relies on what is remembered, so
 * it makes the database look before anything else: nabat_stale fails the transaction, and the batch is run
 * again, looked up.
 *
 * The hard thing: a person's open transaction on a group must not stop anybody's ingest. A direct batch waits
 * for a row for a moment only. A batch that was looked up skips rows that are held; their events are stored and
 * rung all the same, and what would have changed in the row is appended to group_delta. */
#include "store/writer_batch.h"

#include "core/limits.h"
#include "core/mem.h"
#include "store/writer_forward.h"
#include "store/writer_stack.h"
#include "store/writer_tally.h"

#include <stdlib.h>
#include <string.h>

static const char ENTER_SQL[] =
    "SELECT " WRITER_SETTINGS ", set_config('lock_timeout', '200ms', true), " WRITER_LOCK;

/* The leaf of the day itself refuses a repeat; the day before has to be asked. */
static const char AS_REMEMBERED_SQL[] =
    "SELECT CASE WHEN " WRITER_EPOCH " IS DISTINCT FROM $5 THEN nabat_stale('the epoch') END, "
    "CASE WHEN EXISTS (SELECT 1 FROM " EVENT_IDS " u JOIN event e "
    "ON e.project_id = u.project_id AND e.event_id = u.event_id "
    "AND e.received_at >= $3::timestamptz AND e.received_at < $4::timestamptz) "
    "OR EXISTS (SELECT 1 FROM " EVENT_IDS " u JOIN event_counted c "
    "ON c.project_id = u.project_id AND c.event_id = u.event_id) "
    "THEN nabat_stale('a repeat') END";

#define GROUP_COUNTED                                                                              \
    "occurrences = g.occurrences + u.n, last_seen = greatest(g.last_seen, u.seen), "               \
    "severity = CASE WHEN u.severity <> g.severity AND array_position(" SEVERITY_ORDER             \
    ", u.severity) > array_position(" SEVERITY_ORDER ", g.severity) THEN u.severity "              \
    "ELSE g.severity END, users_affected = g.users_affected + coalesce(c.n, 0)"

/* Groups come in the order of their ids, so that two writers seldom wait for each other, and pairs of group and
 * user that were never seen before are counted. */
#define COUNT_INPUT                                                                                \
    "WITH u AS (SELECT unnest($1::bigint[]) AS id, unnest($2::bigint[]) AS n, "                    \
    "unnest($3::timestamptz[]) AS seen, unnest($4::text[]) AS severity, "                          \
    "unnest($5::bool[]) AS noisy, unnest($6::bool[]) AS untold, "                                  \
    "unnest($9::text[]) AS fingerprint), "                                                         \
    "pairs AS (INSERT INTO group_user (group_id, user_id) "                                        \
    "SELECT unnest($7::bigint[]), unnest($8::text[]) ON CONFLICT DO NOTHING RETURNING group_id), " \
    "c AS (SELECT group_id, count(*) AS n FROM pairs GROUP BY group_id), "

/* Answers with the groups that are not as remembered and may be all the same. A restored or promoted database may
 * have another group under an id. */
static const char COUNT_DIRECT_SQL[] = COUNT_INPUT
    "up AS (UPDATE error_group g SET " GROUP_COUNTED " FROM u LEFT JOIN c ON c.group_id = u.id "
    "WHERE g.id = u.id AND g.fingerprint = u.fingerprint "
    "RETURNING g.id, u.noisy AS was_noisy, u.untold, " GROUP_IS_NOISY " AS noisy) "
    "SELECT id, noisy, CASE WHEN noisy AND untold THEN nabat_stale('a group') END FROM up "
    "WHERE noisy <> was_noisy UNION ALL SELECT 0, false, nabat_stale('a group') "
    "WHERE (SELECT count(*) FROM up) <> cardinality($1::bigint[])";
enum { COUNTED_ID, COUNTED_NOISY };

/* A row is looked at again when it is locked: it may have been resolved since the look-up. One that is held may be
 * being resolved: its facts must go along. */
static const char COUNT_FREE_SQL[] = COUNT_INPUT
    "free AS MATERIALIZED (SELECT g.id, " GROUP_IS_NOISY " AS noisy FROM error_group g "
    "WHERE g.id = ANY($1::bigint[]) ORDER BY g.id FOR NO KEY UPDATE OF g SKIP LOCKED), "
    "up AS (UPDATE error_group g SET " GROUP_COUNTED " FROM u LEFT JOIN c ON c.group_id = u.id "
    "WHERE g.id = u.id AND g.id IN (SELECT id FROM free) RETURNING g.id), "
    "held AS (INSERT INTO group_delta (group_id, occurrences, last_seen, severity, users) "
    "SELECT u.id, u.n, u.seen, u.severity, coalesce(c.n, 0) FROM u "
    "LEFT JOIN c ON c.group_id = u.id WHERE u.id NOT IN (SELECT id FROM free)) "
    "SELECT nabat_stale('a group') FROM u LEFT JOIN free f ON f.id = u.id "
    "WHERE u.untold AND coalesce(f.noisy, true)";

static const char EVENTS_SQL[] =
    "INSERT INTO event (id, received_at, occurred_at, group_id, project_id, chat_id, event_id, "
    "severity, origin, handler, message, exception_type, user_id, gen_request_id, request_id, "
    "session_id, trace_id, environment, release, server_name, stack_hash, payload, tags, "
    "breadcrumbs, detail, stack_said) "
    "SELECT coalesce(id, nextval('event_id_seq')), received_at, occurred_at, group_id, project_id, "
    "chat_id, event_id, severity, origin, handler, message, exception_type, user_id, "
    "gen_request_id, request_id, session_id, trace_id, environment, release, server_name, "
    "stack_hash, payload::jsonb, tags::jsonb, breadcrumbs::jsonb, detail, "
    "stack_said "
    "FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::timestamptz[]) AS received_at, "
    "unnest($3::timestamptz[]) AS occurred_at, unnest($4::bigint[]) AS group_id, "
    "unnest($5::bigint[]) AS project_id, unnest($6::bigint[]) AS chat_id, "
    "unnest($7::text[]) AS event_id, unnest($8::text[]) AS severity, unnest($9::text[]) AS origin, "
    "unnest($10::text[]) AS handler, unnest($11::text[]) AS message, "
    "unnest($12::text[]) AS exception_type, unnest($13::text[]) AS user_id, "
    "unnest($14::text[]) AS gen_request_id, unnest($15::text[]) AS request_id, "
    "unnest($16::text[]) AS session_id, unnest($17::text[]) AS trace_id, "
    "unnest($18::text[]) AS environment, unnest($19::text[]) AS release, "
    "unnest($20::text[]) AS server_name, unnest($21::uuid[]) AS stack_hash, "
    "unnest($22::text[]) AS payload, unnest($23::text[]) AS tags, "
    "unnest($24::text[]) AS breadcrumbs, unnest($25::bytea[]) AS detail, "
    "unnest($26::text[]) AS stack_said) u";

static const char DUE_SQL[] =
    "INSERT INTO alert_due (kind, group_id, n, severity, occurred_max, environment, is_new, "
    "quiet_since, origin, handler) "
    "SELECT 'event', coalesce(g.merged_into, g.id), u.n, u.severity, u.occurred_max, "
    "u.environment, u.is_new AND g.merged_into IS NULL, "
    "CASE WHEN NOT u.is_new THEN g.last_seen END, u.origin, u.handler "
    "FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::bigint[]) AS n, "
    "unnest($3::text[]) AS severity, unnest($4::timestamptz[]) AS occurred_max, "
    "unnest($5::text[]) AS environment, unnest($6::bool[]) AS is_new, "
    "unnest($7::text[]) AS origin, unnest($8::text[]) AS handler) u "
    "JOIN error_group g ON g.id = u.id";

/* Of the same day as their event; a repeat of an event brings none. */
static const char ATTACHMENTS_SQL[] =
    "INSERT INTO event_attachment (received_day, project_id, event_id, n, name, content_type, "
    "bytes, body) SELECT (received_at AT TIME ZONE 'UTC')::date, project_id, event_id, n, name, "
    "content_type, bytes, body FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], "
    "$4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bytea[]) "
    "AS u (received_at, project_id, event_id, n, name, content_type, bytes, body) "
    "ON CONFLICT DO NOTHING";

/* --------------------------------------------------------------------------------- groups and users */

enum severity write_batch_worst(const struct batch_group *group)
{
    int s = SEV_CRITICAL;
    while (s > SEV_DEBUG && group->n[s] == 0)
        s--;
    return (enum severity)s;
}

static int64_t total(const int64_t n[SEVERITIES])
{
    int64_t sum = 0;
    for (int s = 0; s < SEVERITIES; s++)
        sum += n[s];
    return sum;
}

static int compare_groups(const void *a, const void *b)
{
    const struct batch_group *x = *(const struct batch_group *const *)a;
    const struct batch_group *y = *(const struct batch_group *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Somebody whom an error of a group met. */
struct pair {
    int64_t group_id;
    const char *user_id;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    if (x->group_id != y->group_id)
        return x->group_id < y->group_id ? -1 : 1;
    return strcmp(x->user_id, y->user_id);
}

static void add_pairs(struct columns *c, const struct write_batch *batch)
{
    struct pair *pairs = mem_alloc(batch->count * sizeof *pairs);
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->events[i]->user_id)
            pairs[count++] =
                (struct pair){batch->groups[batch->group_of[i]].id, batch->events[i]->user_id};
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        if (i && compare_pairs(&pairs[i - 1], &pairs[i]) == 0)
            continue;
        pg_array_i64(&c->array[6], pairs[i].group_id);
        pg_array_text(&c->array[7], pairs[i].user_id);
    }
    free(pairs);
}

static void add_counts(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TIME_ARRAY,
                                               PG_TEXT_ARRAY, PG_BOOL_ARRAY, PG_BOOL_ARRAY,
                                               PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY};
    struct columns c;
    const struct batch_group **sorted = mem_alloc(batch->groups_count * sizeof *sorted);
    for (size_t i = 0; i < batch->groups_count; i++)
        sorted[i] = &batch->groups[i];
    qsort(sorted, batch->groups_count, sizeof *sorted, compare_groups);
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->groups_count; i++) {
        const struct batch_group *g = sorted[i];
        pg_array_i64(&c.array[0], g->id);
        pg_array_i64(&c.array[1], total(g->n));
        pg_array_time(&c.array[2], g->received_max);
        pg_array_text(&c.array[3], severity_name(write_batch_worst(g)));
        pg_array_bool(&c.array[4], g->noisy);
        pg_array_bool(&c.array[5], g->has_untold);
        pg_array_text(&c.array[8], g->first->fingerprint);
    }
    free(sorted);
    add_pairs(&c, batch);
    columns_add(pg, &c, batch->is_direct ? COUNT_DIRECT_SQL : COUNT_FREE_SQL);
}

/* ----------------------------------------------------------------------------------------------- events */

/* `stack` NULL: it has none. */
static void add_event_row(struct columns *c, const struct event *e, int64_t group_id,
                          const struct event_stack *stack)
{
    const char *const texts_a[] = {e->event_id,   severity_name(e->severity),
                                   e->origin,     e->handler,
                                   e->message,    e->exception_type,
                                   e->user_id,    e->gen_request_id,
                                   e->request_id, e->session_id,
                                   e->trace_id,   e->environment,
                                   e->release,    e->server_name};
    if (e->id)
        pg_array_i64(&c->array[0], e->id);
    else
        pg_array_null(&c->array[0]);
    pg_array_time(&c->array[1], e->received_ms);
    pg_array_time(&c->array[2], e->occurred_ms);
    pg_array_i64(&c->array[3], group_id);
    pg_array_i64(&c->array[4], e->project_id);
    if (e->has_chat_id)
        pg_array_i64(&c->array[5], e->chat_id);
    else
        pg_array_null(&c->array[5]);
    for (size_t i = 0; i < sizeof texts_a / sizeof *texts_a; i++)
        pg_array_text(&c->array[6 + i], texts_a[i]);
    pg_array_uuid(&c->array[20], stack ? stack->hash : NULL);
    pg_array_text(&c->array[21], e->payload);
    pg_array_text(&c->array[22], e->tags);
    pg_array_text(&c->array[23], e->breadcrumbs);
    pg_array_bytes(&c->array[24], e->detail, e->detail_len);
    event_stack_add_said(stack, &c->array[25]);
}

static void add_events(struct pg_batch *pg, const struct write_batch *batch)
{
    enum pg_array_type types[COLUMNS_MAX];
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        types[i] = PG_TEXT_ARRAY;
    types[0] = types[3] = types[4] = types[5] = PG_INT8_ARRAY;
    types[1] = types[2] = PG_TIME_ARRAY;
    types[20] = PG_UUID_ARRAY;
    types[24] = PG_BYTEA_ARRAY;
    struct columns events;
    struct event_stack *stacks = mem_alloc(batch->count * sizeof *stacks);
    size_t count = 0;
    columns_init(&events, types, COLUMNS_MAX);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        if (e->is_counted_only)
            continue;
        if (event_has_stack(e))
            stacks[count] = event_stack_of(batch->cache, e);
        add_event_row(&events, e, batch->groups[batch->group_of[i]].id,
                      event_has_stack(e) ? &stacks[count] : NULL);
        if (event_has_stack(e) && event_stack_is_new(batch->cache, &stacks[count]))
            count++;
    }
    event_stacks_store(stacks, count, pg);
    columns_add(pg, &events, EVENTS_SQL);
    free(stacks);
}

static void add_attachments(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_TIME_ARRAY, PG_INT8_ARRAY, PG_TEXT_ARRAY,
                                               PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
                                               PG_INT8_ARRAY, PG_BYTEA_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        int64_t n = 0;
        const struct attachment *first = e->is_counted_only ? NULL : e->attachments;
        for (const struct attachment *a = first; a; a = a->next) {
            pg_array_time(&c.array[0], e->received_ms);
            pg_array_i64(&c.array[1], e->project_id);
            pg_array_text(&c.array[2], e->event_id);
            pg_array_i64(&c.array[3], ++n);
            pg_array_text(&c.array[4], a->name);
            pg_array_text(&c.array[5], a->content_type);
            pg_array_i64(&c.array[6], (int64_t)a->bytes);
            pg_array_bytes(&c.array[7], a->data, a->len);
        }
    }
    columns_add(pg, &c, ATTACHMENTS_SQL);
}

/* ----------------------------------------------------------------------------------------------- facts */

/* Facts that can lead to a ring, an edit of a card, or a reopening; the rest is nobody's business. */
static void add_due(struct pg_batch *pg, struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TEXT_ARRAY,
                                               PG_TIME_ARRAY, PG_TEXT_ARRAY, PG_BOOL_ARRAY,
                                               PG_TEXT_ARRAY, PG_TEXT_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->groups_count; i++) {
        struct batch_group *g = &batch->groups[i];
        for (size_t at = g->first_fact; at; at = batch->facts[at - 1].next) {
            const struct batch_fact *f = &batch->facts[at - 1];
            if (f->severity < batch->ring_min && !g->noisy && !batch->tells_all) {
                g->has_untold = true;
                continue;
            }
            pg_array_i64(&c.array[0], g->id);
            pg_array_i64(&c.array[1], f->n);
            pg_array_text(&c.array[2], severity_name(f->severity));
            pg_array_time(&c.array[3], f->occurred_max);
            pg_array_text(&c.array[4], f->environment);
            pg_array_bool(&c.array[5], g->is_new);
            pg_array_text(&c.array[6], f->origin);
            pg_array_text(&c.array[7], f->handler);
        }
    }
    batch->has_due = columns_add(pg, &c, DUE_SQL);
}

static const char COUNTED_SQL[] =
    "INSERT INTO group_counted AS c (group_id, n) SELECT g.id, u.n "
    "FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS u (project_id, fingerprint, n) "
    "JOIN error_group g ON g.project_id = u.project_id AND g.fingerprint = u.fingerprint "
    "ORDER BY g.id ON CONFLICT (group_id) DO UPDATE SET n = c.n + excluded.n, last_at = now()";

static const char COUNTED_IDS_SQL[] =
    "INSERT INTO event_counted (project_id, event_id, received_at) "
    "SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) ON CONFLICT DO NOTHING";

/* Their ids, so that a repeat is known. */
static void add_counted_ids(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TIME_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        if (!e->is_counted_only)
            continue;
        pg_array_i64(&c.array[0], e->project_id);
        pg_array_text(&c.array[1], e->event_id);
        pg_array_time(&c.array[2], e->received_ms);
    }
    columns_add(pg, &c, COUNTED_IDS_SQL);
}

/* What the chat is told of later. */
static void add_counted(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->groups_count; i++) {
        const struct batch_group *g = &batch->groups[i];
        if (!g->counted_only)
            continue;
        pg_array_i64(&c.array[0], g->first->project_id);
        pg_array_text(&c.array[1], g->first->fingerprint);
        pg_array_i64(&c.array[2], g->counted_only);
    }
    columns_add(pg, &c, COUNTED_SQL);
}

/* ------------------------------------------------------------------------------------------------ whole */

/* What a direct batch makes sure of before anything is written. Its transaction is that of the pipeline, from here to the
 * Sync: BEGIN and COMMIT would be two statements more, and it leaves nothing open when it fails. */
static void enter(struct pg_batch *pg, const struct write_batch *batch,
                  const struct writer_cache *cache)
{
    pg_add(pg, ENTER_SQL);
    pg_add(pg, AS_REMEMBERED_SQL);
    write_batch_add_ids(pg, batch);
    pg_time(pg, batch->received_min - (int64_t)DEDUP_HOURS * 3600 * 1000);
    pg_time(pg, batch->received_max / DAY_MS * DAY_MS);
    pg_text(pg, writer_cache_epoch(cache));
}

/* A small batch goes out in one piece: the server would be woken, do little and wait for the rest. */
enum { SENT_AT_ONCE_MAX = 16 };

/* The larger part, of a large batch while the server counts. */
static void add_rest(void *ctx, struct pg_batch *pg)
{
    struct write_batch *batch = ctx;
    if (batch->count) {
        add_events(pg, batch);
        add_attachments(pg, batch);
        add_counted(pg, batch);
        add_counted_ids(pg, batch);
        write_batch_add_tally(pg, batch);
        if (batch->forward)
            write_batch_add_forward(pg, batch);
    }
    if (!batch->is_direct)
        pg_add(pg, "COMMIT");
}

void write_batch_store(struct write_batch *batch, struct writer_cache *cache, struct pg *pg,
                       pg_done_fn *done, void *ctx)
{
    struct pg_batch *first = pg_batch_new();
    batch->cache = cache;
    pg_batch_prepare(first);
    if (batch->is_direct)
        enter(first, batch, cache);
    else
        pg_batch_continue(first);
    if (batch->count) {
        add_due(first, batch); /* before the counters: it reads when a group was last seen */
        batch->counted_at = pg_batch_count(first);
        add_counts(first, batch);
    }
    if (batch->count > SENT_AT_ONCE_MAX)
        pg_batch_more(first, add_rest, batch);
    else
        add_rest(batch, first);
    pg_run(pg, first, done, ctx);
}

void write_batch_remember(const struct write_batch *batch, const struct pg_reply *reply,
                          struct writer_cache *cache)
{
    const PGresult *odd =
        batch->is_direct && batch->count ? reply->results[batch->counted_at] : NULL;
    write_batch_keep_users(batch, cache);
    for (size_t i = 0; i < batch->groups_count; i++) {
        const struct batch_group *g = &batch->groups[i];
        struct cached_group known = {g->id, g->noisy};
        bool changed = !batch->is_direct;
        for (int row = 0; odd && row < PQntuples(odd); row++)
            if (pg_get_i64(odd, row, COUNTED_ID) == g->id) {
                known.noisy = pg_get_bool(odd, row, COUNTED_NOISY);
                changed = true;
            }
        if (changed)
            writer_cache_put_group(cache, g->first->project_id, g->first->fingerprint, &known);
    }
}
