/* writer_store.c -- the second round trip of a batch: groups, counters, events, users, facts, COMMIT.
 *
 * One statement each, whatever the number of events: columns travel as arrays and are unnested. */
#include "store/writer_batch.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#define SEVERITY_ORDER "ARRAY['debug', 'info', 'warning', 'error', 'critical']"

static const char NEW_GROUPS_SQL[] =
    "INSERT INTO error_group AS g (project_id, fingerprint, title, culprit, origin, handler, "
    "severity, status, occurrences, first_seen, last_seen, resolved_at) "
    "SELECT project_id, fingerprint, title, culprit, origin, handler, severity, status, n, "
    "first_seen, last_seen, CASE WHEN status = 'resolved' THEN now() END "
    "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
    "$7::text[], $8::text[], $9::bigint[], $10::timestamptz[], $11::timestamptz[]) "
    "AS u (project_id, fingerprint, title, culprit, origin, handler, severity, status, n, "
    "first_seen, last_seen) "
    "ON CONFLICT (project_id, fingerprint) DO UPDATE SET "
    "occurrences = g.occurrences + excluded.occurrences, "
    "last_seen = greatest(g.last_seen, excluded.last_seen)";

static const char COUNT_GROUPS_SQL[] =
    "UPDATE error_group g SET occurrences = g.occurrences + u.n, "
    "last_seen = greatest(g.last_seen, u.seen), "
    "severity = CASE WHEN array_position(" SEVERITY_ORDER ", u.severity) > "
    "array_position(" SEVERITY_ORDER ", g.severity) THEN u.severity ELSE g.severity END "
    "FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[]) "
    "AS u (id, n, seen, severity) WHERE g.id = u.id";

static const char DELTAS_SQL[] =
    "INSERT INTO group_delta (group_id, occurrences, last_seen, severity) "
    "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[])";

static const char EVENTS_SQL[] =
    "WITH s AS MATERIALIZED (SELECT ord, body, substr(encode(sha256(convert_to(body, 'UTF8')), "
    "'hex'), 1, 32)::uuid AS hash FROM unnest($25::text[]) WITH ORDINALITY AS t (body, ord)), "
    "e AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], "
    "$4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], "
    "$11::text[], $12::bigint[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], "
    "$18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::bigint[], "
    "$26::bytea[]) "
    "AS u (id, received_at, occurred_at, project_id, fingerprint, event_id, severity, origin, "
    "handler, message, exception_type, chat_id, user_id, gen_request_id, request_id, session_id, "
    "trace_id, environment, release, server_name, payload, tags, breadcrumbs, stack, detail)), "
    "stacks AS (INSERT INTO error_stack (received_day, hash, body) "
    "SELECT DISTINCT ON (day, s.hash) day, s.hash, s.body FROM (SELECT DISTINCT stack, "
    "(received_at AT TIME ZONE 'UTC')::date AS day FROM e WHERE stack > 0) d "
    "JOIN s ON s.ord = d.stack ON CONFLICT (received_day, hash) DO NOTHING) "
    "INSERT INTO event (id, received_at, occurred_at, group_id, project_id, chat_id, event_id, "
    "severity, origin, handler, message, exception_type, user_id, gen_request_id, request_id, "
    "session_id, trace_id, environment, release, server_name, stack_hash, payload, tags, "
    "breadcrumbs, detail) "
    "SELECT CASE WHEN e.id = 0 THEN nextval('event_id_seq') ELSE e.id END, e.received_at, "
    "e.occurred_at, g.id, e.project_id, e.chat_id, e.event_id, e.severity, e.origin, e.handler, "
    "e.message, e.exception_type, e.user_id, e.gen_request_id, e.request_id, e.session_id, "
    "e.trace_id, e.environment, e.release, e.server_name, s.hash, e.payload::jsonb, e.tags::jsonb, "
    "e.breadcrumbs::jsonb, e.detail FROM e JOIN error_group g ON g.project_id = e.project_id "
    "AND g.fingerprint = e.fingerprint LEFT JOIN s ON s.ord = e.stack";

/* Pairs never seen before count; for rows that somebody else holds the count goes to group_delta. */
static const char USERS_SQL[] =
    "WITH pairs AS (INSERT INTO group_user (group_id, user_id) "
    "SELECT DISTINCT g.id, u.user_id FROM unnest($1::bigint[], $2::text[], $3::text[]) "
    "AS u (project_id, fingerprint, user_id) JOIN error_group g ON g.project_id = u.project_id "
    "AND g.fingerprint = u.fingerprint ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING group_id), "
    "counts AS (SELECT group_id, count(*) AS n FROM pairs GROUP BY group_id), "
    "known AS (UPDATE error_group g SET users_affected = g.users_affected + c.n FROM counts c "
    "WHERE g.id = c.group_id AND NOT g.id = ANY($4::bigint[])) "
    "INSERT INTO group_delta (group_id, occurrences, last_seen, severity, users) "
    "SELECT group_id, 0, '-infinity', 'debug', n FROM counts WHERE group_id = ANY($4::bigint[])";

static const char DUE_SQL[] =
    "INSERT INTO alert_due (kind, group_id, n, severity, occurred_max, environment, is_new, "
    "quiet_since, origin, handler) "
    "SELECT 'event', coalesce(g.merged_into, g.id), u.n, u.severity, u.occurred_max, "
    "u.environment, u.is_new AND g.merged_into IS NULL, u.quiet_since, u.origin, u.handler "
    "FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], "
    "$6::text[], $7::bool[], $8::timestamptz[], $9::text[], $10::text[]) "
    "AS u (project_id, fingerprint, n, severity, occurred_max, environment, is_new, quiet_since, "
    "origin, handler) "
    "JOIN error_group g "
    "ON g.project_id = u.project_id AND g.fingerprint = u.fingerprint";

/* Of the same day as their event; a repeat of an event brings none. */
static const char ATTACHMENTS_SQL[] =
    "INSERT INTO event_attachment (received_day, project_id, event_id, n, name, content_type, "
    "bytes, body) SELECT (received_at AT TIME ZONE 'UTC')::date, project_id, event_id, n, name, "
    "content_type, bytes, body FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], "
    "$4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bytea[]) "
    "AS u (received_at, project_id, event_id, n, name, content_type, bytes, body) "
    "ON CONFLICT DO NOTHING";

enum { COLUMNS_MAX = 26 };

/* Columns of one statement: arrays of one length, filled row by row. */
struct columns {
    struct pg_array array[COLUMNS_MAX];
    size_t count;
};

static void columns_init(struct columns *c, const enum pg_array_type *types, size_t count)
{
    c->count = count;
    for (size_t i = 0; i < count; i++)
        pg_array_init(&c->array[i], types[i], ARRAY_BYTES_MAX);
}

static void columns_add(struct pg_batch *pg, struct columns *c, const char *sql)
{
    bool empty = c->array[0].count == 0;
    if (!empty)
        pg_add(pg, sql);
    for (size_t i = 0; i < c->count; i++) {
        if (!empty)
            pg_array_param(pg, &c->array[i]);
        else
            pg_array_fini(&c->array[i]);
    }
}

static enum severity worst(const struct batch_group *g)
{
    int s = SEV_CRITICAL;
    while (s > SEV_DEBUG && g->n[s] == 0)
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

static void add_new_groups(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {
        PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
        PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY, PG_TIME_ARRAY, PG_TIME_ARRAY};
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
        pg_array_text(&c.array[6], severity_name(worst(g)));
        pg_array_text(&c.array[7], status_name(g->first_fact ? STATUS_NEW : e->status));
        pg_array_i64(&c.array[8], total(g->n));
        pg_array_time(&c.array[9], g->received_min);
        pg_array_time(&c.array[10], g->received_max);
    }
    columns_add(pg, &c, NEW_GROUPS_SQL);
}

static void add_counts(struct pg_batch *pg, const struct write_batch *batch, bool locked,
                       const char *sql)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TIME_ARRAY,
                                               PG_TEXT_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->groups_count; i++) {
        const struct batch_group *g = &batch->groups[i];
        if (!g->id || g->locked != locked)
            continue;
        pg_array_i64(&c.array[0], g->id);
        pg_array_i64(&c.array[1], total(g->n));
        pg_array_time(&c.array[2], g->received_max);
        pg_array_text(&c.array[3], severity_name(worst(g)));
    }
    columns_add(pg, &c, sql);
}

/* Distinct stack texts of a batch; 1-based numbers, 0 for none. */
struct stack_table {
    const char **texts;
    size_t count;
    uint32_t *slots;
    size_t size;
};

static int64_t stack_number(struct stack_table *t, const char *text)
{
    if (!text)
        return 0;
    size_t at = write_batch_hash(text, 0) & (t->size - 1);
    while (t->slots[at]) {
        if (strcmp(t->texts[t->slots[at] - 1], text) == 0)
            return t->slots[at];
        at = (at + 1) & (t->size - 1);
    }
    t->texts[t->count++] = text;
    t->slots[at] = (uint32_t)t->count;
    return (int64_t)t->count;
}

static void add_event_row(struct columns *c, const struct event *e, int64_t stack)
{
    const char *const texts_a[] = {e->fingerprint,   e->event_id, severity_name(e->severity),
                                   e->origin,        e->handler,  e->message,
                                   e->exception_type};
    const char *const texts_b[] = {e->user_id,  e->gen_request_id, e->request_id, e->session_id,
                                   e->trace_id, e->environment,    e->release,    e->server_name,
                                   e->payload,  e->tags,           e->breadcrumbs};
    pg_array_i64(&c->array[0], e->id);
    pg_array_time(&c->array[1], e->received_ms);
    pg_array_time(&c->array[2], e->occurred_ms);
    pg_array_i64(&c->array[3], e->project_id);
    for (size_t i = 0; i < 7; i++)
        pg_array_text(&c->array[4 + i], texts_a[i]);
    if (e->has_chat_id)
        pg_array_i64(&c->array[11], e->chat_id);
    else
        pg_array_null(&c->array[11]);
    for (size_t i = 0; i < 11; i++)
        pg_array_text(&c->array[12 + i], texts_b[i]);
    pg_array_i64(&c->array[23], stack);
    pg_array_bytes(&c->array[25], e->detail, e->detail_len);
}

static void add_events(struct pg_batch *pg, const struct write_batch *batch)
{
    enum pg_array_type types[COLUMNS_MAX];
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        types[i] = PG_TEXT_ARRAY;
    types[0] = types[3] = types[11] = types[23] = PG_INT8_ARRAY;
    types[1] = types[2] = PG_TIME_ARRAY;
    types[25] = PG_BYTEA_ARRAY;
    struct columns c;
    columns_init(&c, types, COLUMNS_MAX);
    struct stack_table stacks = {.size = write_batch_table_size(batch->count)};
    stacks.texts = mem_alloc(batch->count * sizeof *stacks.texts);
    stacks.slots = mem_alloc(stacks.size * sizeof *stacks.slots);
    for (size_t i = 0; i < batch->count; i++)
        if (!batch->events[i]->is_counted_only)
            add_event_row(&c, batch->events[i],
                          stack_number(&stacks, batch->events[i]->stacktrace));
    for (size_t i = 0; i < stacks.count; i++)
        pg_array_text(&c.array[24], stacks.texts[i]);
    free(stacks.texts);
    free(stacks.slots);
    columns_add(pg, &c, EVENTS_SQL);
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

static void add_users(struct pg_batch *pg, const struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
                                               PG_INT8_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *e = batch->events[i];
        if (!e->user_id)
            continue;
        pg_array_i64(&c.array[0], e->project_id);
        pg_array_text(&c.array[1], e->fingerprint);
        pg_array_text(&c.array[2], e->user_id);
    }
    for (size_t i = 0; i < batch->groups_count; i++)
        if (batch->groups[i].id && !batch->groups[i].locked)
            pg_array_i64(&c.array[3], batch->groups[i].id);
    columns_add(pg, &c, USERS_SQL);
}

/* Facts that can lead to a ring, an edit of a card, or a reopening; the rest is nobody's business. */
static void add_due(struct pg_batch *pg, struct write_batch *batch)
{
    static const enum pg_array_type TYPES[] = {
        PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_TIME_ARRAY,
        PG_TEXT_ARRAY, PG_BOOL_ARRAY, PG_TIME_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY};
    struct columns c;
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < batch->groups_count; i++) {
        const struct batch_group *g = &batch->groups[i];
        for (size_t at = g->first_fact; at; at = batch->facts[at - 1].next) {
            const struct batch_fact *f = &batch->facts[at - 1];
            if (f->severity < batch->ring_min && !g->resolved && !g->carded)
                continue;
            pg_array_i64(&c.array[0], g->first->project_id);
            pg_array_text(&c.array[1], g->first->fingerprint);
            pg_array_i64(&c.array[2], f->n);
            pg_array_text(&c.array[3], severity_name(f->severity));
            pg_array_time(&c.array[4], f->occurred_max);
            pg_array_text(&c.array[5], f->environment);
            pg_array_bool(&c.array[6], g->id == 0);
            if (g->seen_before_ms)
                pg_array_time(&c.array[7], g->seen_before_ms);
            else
                pg_array_null(&c.array[7]);
            pg_array_text(&c.array[8], f->origin);
            pg_array_text(&c.array[9], f->handler);
        }
    }
    batch->has_due = c.array[0].count > 0;
    columns_add(pg, &c, DUE_SQL);
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

struct pg_batch *write_batch_store(struct write_batch *batch)
{
    struct pg_batch *pg = pg_batch_new();
    pg_batch_continue(pg);
    if (batch->count) {
        add_new_groups(pg, batch);
        add_counts(pg, batch, true, COUNT_GROUPS_SQL);
        add_counts(pg, batch, false, DELTAS_SQL);
        add_events(pg, batch);
        add_attachments(pg, batch);
        add_users(pg, batch);
        add_counted(pg, batch);
        add_counted_ids(pg, batch);
        add_due(pg, batch);
    }
    pg_add(pg, "COMMIT");
    return pg;
}
