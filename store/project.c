/* project.c -- the table of projects, mirrored. */
#include "store/project.h"

#include "core/log.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double RELOAD_SECONDS = 5.0;

struct projects {
    struct ev_loop *loop;
    struct pg *pg; /* NULL until the database was reached */
    struct mirror *mirror;
    char key[RANDOM_HEX_BYTES]; /* for project 1, when there is none or when it is set */
    bool key_is_set;
    bool loaded; /* from the database */
    bool asking;
    struct project *list;
    size_t count;
    ev_timer reload;
};

/* The first start makes project 1; INGEST_KEY, when set, is its key from then on. */
static const char ENSURE_SQL[] =
    "INSERT INTO project (id, slug, public_key) VALUES (1, 'default', $1) "
    "ON CONFLICT (id) DO UPDATE SET public_key = excluded.public_key "
    "WHERE $2 AND project.public_key <> excluded.public_key";
static const char LIST_SQL[] =
    "SELECT id, public_key, slug, enabled, max_severity, "
    "CASE WHEN previous_until > now() THEN previous_key END, rate_per_minute "
    "FROM project ORDER BY id LIMIT 1000";
enum {
    PROJECT_ID,
    PROJECT_KEY,
    PROJECT_SLUG,
    PROJECT_ENABLED,
    PROJECT_MAX,
    PROJECT_PREVIOUS,
    PROJECT_RATE
};

static void read_rows(struct projects *p, const PGresult *rows)
{
    int n = PQntuples(rows);
    free(p->list);
    p->list = mem_alloc((size_t)n * sizeof *p->list);
    p->count = 0;
    for (int row = 0; row < n; row++) {
        struct project *item = &p->list[p->count++];
        const char *max = pg_get_text(rows, row, PROJECT_MAX);
        item->id = (int32_t)pg_get_i64(rows, row, PROJECT_ID);
        snprintf(item->key, sizeof item->key, "%s", pg_get_text(rows, row, PROJECT_KEY));
        snprintf(item->slug, sizeof item->slug, "%s", pg_get_text(rows, row, PROJECT_SLUG));
        item->enabled = pg_get_bool(rows, row, PROJECT_ENABLED);
        const char *previous = pg_get_text(rows, row, PROJECT_PREVIOUS);
        snprintf(item->previous_key, sizeof item->previous_key, "%s", previous ? previous : "");
        item->rate_per_minute = pg_get_i64(rows, row, PROJECT_RATE);
        item->severity_max = SEV_CRITICAL;
        severity_parse(max, strlen(max), &item->severity_max);
    }
}

static void on_list(void *ctx, const struct pg_reply *reply)
{
    struct projects *p = ctx;
    p->asking = false;
    if (reply->err) {
        log_debug("projects not loaded", LOG_S("error", reply->err->text), LOG_END);
        return;
    }
    read_rows(p, reply->results[reply->count - 1]);
    store_mirror_put(p->mirror, MIRROR_PROJECTS, &reply->results[reply->count - 1]);
    p->loaded = true;
}

static void trust_key(struct projects *p)
{
    struct project *first = p->count ? &p->list[0] : NULL;
    if (!p->key_is_set)
        return;
    if (!first || first->id != 1) {
        p->list = mem_realloc(p->list, (p->count + 1) * sizeof *p->list);
        memmove(p->list + 1, p->list, p->count * sizeof *p->list);
        p->count++;
        first = p->list;
        *first = (struct project){
            .id = 1, .slug = "default", .enabled = true, .severity_max = SEV_CRITICAL};
    }
    memcpy(first->key, p->key, sizeof first->key);
}

void store_projects_recall(struct projects *p)
{
    PGresult *rows[MIRROR_RESULTS_MAX];
    if (p->loaded)
        return;
    if (store_mirror_get(p->mirror, MIRROR_PROJECTS, rows)) {
        read_rows(p, rows[0]);
        PQclear(rows[0]);
    }
    trust_key(p);
}

bool store_projects_are_stored(const struct projects *p)
{
    return p->loaded;
}

static void reload(struct projects *p)
{
    if (p->asking || !p->pg || !pg_is_up(p->pg))
        return;
    p->asking = true;
    struct pg_batch *batch = pg_batch_new();
    if (!p->loaded) {
        pg_add(batch, ENSURE_SQL);
        pg_text(batch, p->key);
        pg_bool(batch, p->key_is_set);
    }
    pg_add(batch, LIST_SQL);
    pg_run(p->pg, batch, on_list, p);
}

/* Until the first list is there, the wait is short: start-up is measured in milliseconds. */
static void on_reload(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct projects *p = timer->data;
    reload(p);
    timer->repeat = p->loaded ? RELOAD_SECONDS : 0.02;
    ev_timer_again(loop, timer);
}

struct projects *store_projects_new(struct ev_loop *loop, struct mirror *mirror,
                                    const char *ingest_key)
{
    struct projects *p = mem_alloc(sizeof *p);
    p->loop = loop;
    p->mirror = mirror;
    p->key_is_set = ingest_key != NULL;
    if (ingest_key)
        snprintf(p->key, sizeof p->key, "%s", ingest_key);
    else
        random_hex32(p->key);
    ev_init(&p->reload, on_reload);
    p->reload.data = p;
    return p;
}

void store_projects_open(struct projects *p, struct pg *pg)
{
    p->pg = pg;
    ev_timer_set(&p->reload, 0.0, 0.02);
    ev_timer_start(p->loop, &p->reload);
}

void store_projects_free(struct projects *p)
{
    if (!p)
        return;
    ev_timer_stop(p->loop, &p->reload);
    free(p->list);
    free(p);
}

bool store_projects_are_loaded(const struct projects *p)
{
    return p->count > 0;
}

const char *store_project_slug(const struct projects *p, int32_t id)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->list[i].id == id)
            return p->list[i].slug;
    return "default";
}

const struct project *store_project_by_slug(const struct projects *p, const char *slug)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->list[i].slug, slug) == 0)
            return &p->list[i];
    return NULL;
}

const struct project *store_project_by_key(const struct projects *p, const char *key)
{
    const struct project *found = NULL;
    for (size_t i = 0; i < p->count; i++)
        if (secret_equal(p->list[i].key, key) ||
            (p->list[i].previous_key[0] && secret_equal(p->list[i].previous_key, key)))
            found = &p->list[i];
    return found;
}
