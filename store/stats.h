/* stats.h -- what happened in a period: read from hours and days, never from events. */
#ifndef NABAT_STORE_STATS_H
#define NABAT_STORE_STATS_H

#include "core/event.h"
#include "store/pg.h"

enum {
    STATS_BUCKETS_MAX = 200,
    STATS_WORDS_MAX = 3,
    STATS_DEPLOYS_MAX = 50,
    STATS_TOP_MAX = 15,
    SKETCH_REGISTERS = 2048
};

/* All BORROWED for the call. */
struct stats_filter {
    unsigned severities; /* 1 << severity, or'ed; 0: all */
    const char *words
        [STATS_WORDS_MAX]; /* each is an origin, a project's slug or a release; NULL ends them */
};
struct stats_ask {
    int64_t from_ms;  /* a whole hour */
    int64_t width_ms; /* of a bucket: whole hours */
    int buckets;
    struct stats_filter filter;
};
/* Nothing narrows it: then about how many users is known, too. */
bool stats_filter_is_open(const struct stats_filter *filter);

struct stats_deploy {
    const char *name;
    int64_t at_ms;
};
/* BORROWED until done returns. `before` is the same of the period before. */
struct stats {
    int64_t events[SEVERITIES][STATS_BUCKETS_MAX];
    int64_t before[STATS_BUCKETS_MAX];
    int64_t before_made;
    int64_t before_regressed;
    int64_t made;
    int64_t regressed;
    int64_t counted; /* events that left no row */
    int64_t users;   /* about; -1: not known for this filter */
    int64_t open;    /* now */
    int64_t open_critical;
    int64_t alerts[STATS_BUCKETS_MAX]; /* sent */
    struct stats_deploy deploys[STATS_DEPLOYS_MAX];
    size_t deploys_count;
    /* what had most events; id 0: nothing had any, or the question is narrowed (how much of an error fits is not known) */
    int64_t worst_id;
    const char *worst_title;
    int64_t worst_events;
};
typedef void stats_fn(void *ctx, const struct stats *stats, const struct err *err);
void store_stats(struct pg *pg, const struct stats_ask *ask, stats_fn *done, void *ctx);

/* ---- who or what had most ---- */
enum stats_top { TOP_ERRORS, TOP_USERS, TOP_HANDLERS, TOP_RELEASES, TOP_ORIGINS, TOPS };
struct stats_line {
    const char *name;
    int64_t group_id; /* of TOP_ERRORS; else 0 */
    int64_t events;
    int64_t made; /* errors that were first seen in the release; of TOP_RELEASES */
    int64_t regressed;
    enum severity severity; /* of TOP_ERRORS */
};
typedef void stats_top_fn(void *ctx, const struct stats_line *lines, size_t count, int64_t total,
                          const struct err *err);
void store_stats_top(struct pg *pg, enum stats_top what, int64_t from_ms, int64_t to_ms,
                     const struct stats_filter *filter, stats_top_fn *done, void *ctx);

/* ---- the life of one group ---- */
typedef void stats_life_fn(void *ctx, const int64_t *events, size_t count, const struct err *err);
/* `count` buckets from when it was first seen, or 30 days ago, until now. */
void store_stats_life(struct pg *pg, int64_t group_id, size_t count, stats_life_fn *done,
                      void *ctx);

/* Pure: about how many users; `registers` of one or more sketches, the higher one of each. */
int64_t stats_users(const unsigned char registers[SKETCH_REGISTERS]);

#endif
