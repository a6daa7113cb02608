/* group_list.c -- the list of groups: the newest by an index, and all of them only when these don't do.
 *
 *     newest (bounded) --filter--> enough? --yes--> page
 *                                     \--no--> all that match (words: by trigrams) --> page
 *
 * The hard thing: a filter may fit most groups or three of a million, and nobody knows beforehand. What fits many is
 * found among the newest; what fits few is found by its index. What somebody owns and what is muted has indexes of
 * its own and is few: it is read at once. */
#include "store/group_list.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>

/* clang-format off */
/* Parameters of every list: $1 statuses, $2 severities, $3 seconds since it was seen (0: any), $4 unassigned only,
 * $5 rows of a page, $6 rows before it, $7 how many are counted. Then, of the newest: $8 how many are looked at,
 * $9 words; of few: $8 whose, $9 and by number, $10 words. */
#define TEXT "nabat_group_text(g.title, g.culprit, g.handler, g.origin)"
#define UNASSIGNED "AND (NOT $4::bool OR g.assigned_to IS NULL) "
#define SEEN "AND ($3::bigint = 0 OR g.last_seen > now() - make_interval(secs => $3::bigint)) "
#define SORTED "ORDER BY g.last_seen DESC, g.id DESC LIMIT $7 "
static const char ALL[] =
    "SELECT g.id, g.last_seen FROM error_group g WHERE g.merged_into IS NULL AND g.status = ANY($1) "
    "AND g.severity = ANY($2) " SEEN UNASSIGNED;

/* An @ is a word, in lower case: it is in the text, or the project is called so. */
#define IS_WORD(text) \
    "AND (strpos(" text ", @) > 0 OR g.project_id = ANY (ARRAY(SELECT p.id FROM project p " \
    "WHERE strpos(lower(p.slug), @) > 0))) "
static const char IS_WORD_OF_NEWEST[] = IS_WORD("g.words");
/* The same, and a form of it that the index knows. A percent sign alone fits all: for a word of a project. */
static const char IS_WORD_BY_INDEX[] =
    "AND " TEXT " LIKE (SELECT CASE WHEN EXISTS (SELECT 1 FROM project p WHERE strpos(lower(p.slug), w.word) > 0) "
    "THEN '%' ELSE '%' || regexp_replace(w.word, '([\\\\%_])', '\\\\\\1', 'g') || '%' END "
    "FROM (SELECT @ AS word) w) " IS_WORD(TEXT);

/* One index scan; those of all pairs are merged. Ordered and limited by itself, or the planner sorts all of it. */
static const char BRANCH_HEAD[] = "(SELECT g.id, g.project_id, g.assigned_to, g.last_seen, g.seen_minute";
static const char BRANCH_WORDS[] = ", " TEXT " AS words";
static const char BRANCH_FROM[] = " FROM error_group g WHERE g.merged_into IS NULL AND ";
static const char BRANCH_END[] =
    "AND ($3::bigint = 0 OR g.seen_minute > now() - make_interval(secs => $3::bigint + 60)) "
    "ORDER BY g.seen_minute DESC, g.last_seen DESC, g.id DESC LIMIT $8)";
static const char NEWEST_HEAD[] = "WITH newest AS MATERIALIZED (SELECT g.* FROM (";
static const char NEWEST_TAIL[] =
    ") g ORDER BY g.seen_minute DESC, g.last_seen DESC, g.id DESC LIMIT $8), "
    "hits AS MATERIALIZED (SELECT g.id, g.last_seen FROM newest g WHERE true " SEEN UNASSIGNED;
static const char NEWEST_GATE[] =
    SORTED "), gate AS MATERIALIZED (SELECT n.is_full, NOT n.is_full OR (SELECT count(*) FROM hits) > "
    "$5::bigint + $6::bigint AS is_enough FROM (SELECT (SELECT count(*) FROM newest) >= $8 AS is_full) n), "
    "least AS (SELECT is_enough AND is_full AS is_least FROM gate), "
    "found AS MATERIALIZED (SELECT id, last_seen FROM hits WHERE (SELECT is_enough FROM gate) UNION ALL "
    "SELECT id, last_seen FROM (";
static const char NEWEST_ELSE[] = "AND NOT (SELECT is_enough FROM gate) ";
static const char NEWEST_END[] = SORTED ") g) ";

static const char FEW_HEAD[] = "WITH least AS (SELECT false AS is_least), found AS MATERIALIZED (";
static const char MINE[] =
    "AND ($8::text IS NULL OR g.assigned_to = $8 OR g.assigned_to_id = nullif($9::bigint, 0)) ";
static const char MUTED[] =
    "AND (g.muted_until IS NOT NULL OR g.muted_until_count IS NOT NULL) AND (g.muted_until > now() "
    "OR (g.muted_until_count IS NOT NULL AND nabat_occurrences(g.id) < g.muted_until_count)) ";
static const char FEW_END[] = SORTED ") ";

/* Only the groups of the page are read whole. */
static const char PAGE_HEAD[] = "SELECT (SELECT count(*) FROM found), (SELECT is_least FROM least), ";
static const char PAGE_FROM[] =
    " FROM (SELECT id FROM found ORDER BY last_seen DESC, id DESC LIMIT $5 OFFSET $6) f "
    "JOIN error_group g ON g.id = f.id ";
static const char PAGE_TAIL[] = " ORDER BY g.last_seen DESC, g.id DESC";
/* clang-format on */
enum { PAGE_TOTAL, PAGE_LEAST, PAGE_GROUP };
static const char WORDS_OF_NEWEST[] = "$9";
static const char WORDS_OF_FEW[] = "$10";

/* How many of the newest are looked at before an index for few is asked: reading one and looking for a word in it
 * takes some 4 us, one that was found by the index some 10, and of a million groups a filter that fits fewer than ten
 * of these fits some two thousand. */
enum { NEWEST_LOOKED_AT_MAX = 5000 };

struct list_call {
    group_list_fn *done;
    void *ctx;
    struct buf sql;
};

static void on_list(void *ctx, const struct pg_reply *reply)
{
    struct list_call *call = ctx;
    struct group groups[LIST_ROWS_MAX];
    struct group_page page = {.groups = groups};
    const PGresult *rows = reply->err ? NULL : reply->results[reply->count - 1];
    for (int row = 0; rows && row < PQntuples(rows) && page.count < LIST_ROWS_MAX; row++)
        store_group_decode(rows, row, PAGE_GROUP, &groups[page.count++]);
    if (page.count) {
        page.total = pg_get_i64(rows, 0, PAGE_TOTAL);
        page.is_least = pg_get_bool(rows, 0, PAGE_LEAST) || page.total > LIST_TOTAL_MAX;
        page.total = page.total < LIST_TOTAL_MAX ? page.total : LIST_TOTAL_MAX;
    }
    call->done(call->ctx, rows ? &page : NULL, reply->err);
    buf_fini(&call->sql);
    free(call);
}

/* --------------------------------------------------------------------------------------- the statement */

static bool wants_status(const struct group_filter *f, int status)
{
    return (!f->open_only || status != STATUS_RESOLVED) &&
           (!f->statuses || f->statuses & 1u << status);
}

static bool wants_severity(const struct group_filter *f, int severity)
{
    return !f->severities || f->severities & 1u << severity;
}

/* Open ones among the resolved are none. */
static bool is_few(const struct group_filter *f)
{
    bool none = f->open_only && f->statuses == 1u << STATUS_RESOLVED;
    return none || f->muted_only || f->assigned_to;
}

static void add_branches(const struct group_filter *f, struct buf *sql)
{
    const char *between = "";
    for (int status = 0; status < STATUSES; status++)
        for (int severity = 0; severity < SEVERITIES; severity++) {
            if (!wants_status(f, status) || !wants_severity(f, severity))
                continue;
            buf_add_str(sql, between);
            buf_add_str(sql, BRANCH_HEAD);
            buf_add_str(sql, f->words_count ? BRANCH_WORDS : "");
            buf_add_str(sql, BRANCH_FROM);
            buf_addf(sql, "g.status = '%s' AND g.severity = '%s' ",
                     status_name((enum group_status)status),
                     severity_name((enum severity)severity));
            buf_add_str(sql, BRANCH_END);
            between = " UNION ALL ";
        }
}

/* A condition for each word: the words are the parameter `words`. */
static void add_words_conditions(const struct group_filter *f, const char *condition,
                                 const char *words, struct buf *sql)
{
    for (size_t i = 1; i <= f->words_count; i++)
        for (const char *at = condition; *at; at++) {
            if (*at == '@')
                buf_addf(sql, "lower((%s::text[])[%zu])", words, i);
            else
                buf_add_char(sql, *at);
        }
}

static void add_all(const struct group_filter *f, const char *words, const char *condition,
                    struct buf *sql)
{
    buf_add_str(sql, ALL);
    buf_add_str(sql, condition);
    add_words_conditions(f, IS_WORD_BY_INDEX, words, sql);
}

static void make_few(const struct group_filter *f, struct buf *sql)
{
    buf_add_str(sql, FEW_HEAD);
    add_all(f, WORDS_OF_FEW, MINE, sql);
    buf_add_str(sql, f->muted_only ? MUTED : "");
    buf_add_str(sql, FEW_END);
}

static void make_newest(const struct group_filter *f, struct buf *sql)
{
    buf_add_str(sql, NEWEST_HEAD);
    add_branches(f, sql);
    buf_add_str(sql, NEWEST_TAIL);
    add_words_conditions(f, IS_WORD_OF_NEWEST, WORDS_OF_NEWEST, sql);
    buf_add_str(sql, NEWEST_GATE);
    add_all(f, WORDS_OF_NEWEST, NEWEST_ELSE, sql);
    buf_add_str(sql, NEWEST_END);
}

static void add_page(struct buf *sql)
{
    buf_add_str(sql, PAGE_HEAD);
    buf_add_str(sql, STORE_GROUP_COLUMNS);
    buf_add_str(sql, PAGE_FROM);
    buf_add_str(sql, STORE_GROUP_JOINS);
    buf_add_str(sql, PAGE_TAIL);
}

/* ----------------------------------------------------------------------------------------- parameters */

static void add_names(struct pg_batch *batch, const struct group_filter *f)
{
    struct pg_array statuses;
    struct pg_array severities;
    pg_array_init(&statuses, PG_TEXT_ARRAY, KIB);
    pg_array_init(&severities, PG_TEXT_ARRAY, KIB);
    for (int i = 0; i < STATUSES; i++)
        if (wants_status(f, i))
            pg_array_text(&statuses, status_name((enum group_status)i));
    for (int i = 0; i < SEVERITIES; i++)
        if (wants_severity(f, i))
            pg_array_text(&severities, severity_name((enum severity)i));
    pg_array_param(batch, &statuses);
    pg_array_param(batch, &severities);
}

static void add_words(struct pg_batch *batch, const struct group_filter *f)
{
    struct pg_array words;
    if (!f->words_count)
        return;
    pg_array_init(&words, PG_TEXT_ARRAY, MIB);
    for (size_t i = 0; i < f->words_count; i++)
        pg_array_text(&words, f->words[i]);
    pg_array_param(batch, &words);
}

static void add_filter(struct pg_batch *batch, const struct group_filter *f)
{
    bool filters = f->words_count || f->unassigned_only || f->seen_within_s;
    add_names(batch, f);
    pg_i64(batch, f->seen_within_s);
    pg_bool(batch, f->unassigned_only);
    pg_i64(batch, f->limit < LIST_ROWS_MAX ? f->limit : LIST_ROWS_MAX);
    pg_i64(batch, f->offset);
    pg_i64(batch, LIST_TOTAL_MAX + 1);
    if (is_few(f)) {
        pg_text(batch, f->assigned_to);
        pg_i64(batch, f->assigned_to_id);
    } else {
        pg_i64(batch, filters ? NEWEST_LOOKED_AT_MAX : LIST_TOTAL_MAX + 1);
    }
    add_words(batch, f);
}

void store_group_list(struct pg *pg, const struct group_filter *filter, group_list_fn *done,
                      void *ctx)
{
    struct list_call *call = mem_alloc(sizeof *call);
    struct pg_batch *batch = pg_batch_new();
    *call = (struct list_call){.done = done, .ctx = ctx};
    buf_init(&call->sql, 32 * KIB);
    if (is_few(filter))
        make_few(filter, &call->sql);
    else
        make_newest(filter, &call->sql);
    add_page(&call->sql);
    pg_add(batch, buf_text(&call->sql));
    add_filter(batch, filter);
    pg_run(pg, batch, on_list, call);
}
