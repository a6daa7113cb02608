/* project.h -- projects and their keys, mirrored in memory: a wrong key costs no query. */
#ifndef NABAT_STORE_PROJECT_H
#define NABAT_STORE_PROJECT_H

#include "core/event.h"
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

/* Loads at once and again every few seconds. `ingest_key` (NULL: keep or make one) becomes the key
 * of project 1. `pg` is BORROWED. */
struct projects *store_projects_new(struct ev_loop *loop, struct pg *pg, const char *ingest_key);
void store_projects_free(struct projects *projects);
bool store_projects_are_loaded(const struct projects *projects);
/* NULL: no such key. BORROWED until the loop runs on. */
const struct project *store_project_by_key(const struct projects *projects, const char *key);

#endif
