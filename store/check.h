/* check.h -- the tables uptime_check, check_sample, beat_key. */
#ifndef NABAT_STORE_CHECK_H
#define NABAT_STORE_CHECK_H

#include "core/check_spec.h"
#include "core/event.h"
#include "store/pg.h"

/* BORROWED until done returns. */
struct check_row {
    int64_t id;
    struct check_spec spec;
    const char *troubles;
};
typedef void checks_fn(void *ctx, const struct check_row *rows, size_t count,
                       const struct err *err);
enum { CHECKS_AT_ONCE_MAX = 20 };
/* Those that are due, each of which is now due again after its time: one instance asks it. */
void store_checks_claim(struct pg *pg, checks_fn *done, void *ctx);

enum { CHECK_NEWS_MAX = 3 };
struct check_news {
    const char *event_id; /* NULL: it is over */
    const char *body;
    const char *fingerprint;
    const char *name;
    int64_t minutes;
    int64_t failures;
};
struct check_write {
    int64_t id;
    const char *troubles;
    const char *failing; /* "": all is well */
    int64_t ms;
    int64_t status;
    const char *error;
    int64_t cert_expires_ms;
    bool ok;
    struct check_news news[CHECK_NEWS_MAX];
    size_t news_count;
};
void store_check_write(struct pg *pg, const struct check_write *write, pg_outcome_fn *done,
                       void *ctx);

/* `id` 0: there is no room (CHECKS_MAX). */
typedef void check_added_fn(void *ctx, int64_t id, const struct err *err);
/* The same address again changes what is asked of it. */
void store_check_put(struct pg *pg, const struct check_spec *spec, const char *added_by,
                     check_added_fn *done, void *ctx);
/* What CHECKS says; others that came from it before go. */
void store_checks_set(struct pg *pg, const struct check_spec *specs, size_t count,
                      pg_outcome_fn *done, void *ctx);
/* `id` of the row that was changed, 0: there is none. */
void store_check_remove(struct pg *pg, int64_t id, check_added_fn *done, void *ctx);
void store_check_switch(struct pg *pg, int64_t id, bool on, check_added_fn *done, void *ctx);

/* For people. BORROWED; times in ms, -1: not known. */
struct check_line {
    int64_t id;
    const char *url;
    bool enabled;
    const char *failing; /* NULL: all is well */
    int64_t last_ms;     /* Unix time; 0: never asked */
    int64_t p50_ms;      /* of the last day */
    int64_t p95_ms;
    double up; /* per cent of the last day's answers */
    int64_t cert_expires_ms;
};
typedef void check_lines_fn(void *ctx, const struct check_line *lines, size_t count,
                            const struct err *err);
void store_checks_list(struct pg *pg, check_lines_fn *done, void *ctx);

/* ---- beats ---- */
/* Makes or finds the key of a job's address. `key` is BORROWED. */
typedef void beat_key_fn(void *ctx, const char *key, const struct err *err);
void store_beat_put(struct pg *pg, const char *slug, int64_t every_min, const char *added_by,
                    beat_key_fn *done, void *ctx);
/* `slug` NULL: there is no such key. */
typedef void beat_fn(void *ctx, int32_t project_id, const char *slug, int64_t every_min,
                     const struct err *err);
void store_beat_get(struct pg *pg, const char *key, beat_fn *done, void *ctx);

#endif
