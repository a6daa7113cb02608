/* project.h -- projects and their keys, mirrored in memory: a wrong key costs no query. */
#ifndef NABAT_STORE_PROJECT_H
#define NABAT_STORE_PROJECT_H

#include "core/event.h"
#include "store/mirror.h"
#include "store/pg.h"

struct projects;

struct project {
    int32_t id;
    char key[RANDOM_HEX_BYTES];
    char slug[64];
    bool enabled;
    enum severity severity_max;
    char previous_key[RANDOM_HEX_BYTES]; /* taken too, while it lasts; "": none */
    int64_t rate_per_minute;             /* 0: no limit */
};

/* `ingest_key` (NULL: keep or make one) becomes the key of project 1. What the mirror (BORROWED) holds
 * stands in until the database was asked. */
struct projects *store_projects_new(struct ev_loop *loop, struct mirror *mirror,
                                    const char *ingest_key);
/* Loads at once and again every few seconds. `pg` is BORROWED. */
void store_projects_open(struct projects *projects, struct pg *pg);
/* Knows what can be known without the database: what the mirror holds, and INGEST_KEY, which needs nobody
 * to vouch for it. Does nothing once the database was asked. */
void store_projects_recall(struct projects *projects);
/* The database was asked, and has what `ingest_key` says. */
bool store_projects_are_stored(const struct projects *projects);
void store_projects_free(struct projects *projects);
/* At least one key is known. */
bool store_projects_are_loaded(const struct projects *projects);
/* NULL: none of that slug is known. BORROWED until the loop runs on. */
const struct project *store_project_by_slug(const struct projects *projects, const char *slug);
/* Its slug; "default" for one that is not known. BORROWED until the loop runs on. */
const char *store_project_slug(const struct projects *projects, int32_t id);
/* NULL: no such key. BORROWED until the loop runs on. */
const struct project *store_project_by_key(const struct projects *projects, const char *key);

#endif
