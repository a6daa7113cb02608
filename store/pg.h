/* pg.h -- one connection to PostgreSQL in the loop: batches of statements in, results out.
 *
 * A batch is sent as one libpq pipeline: one round trip, one transaction (all or nothing), unless
 * its statements say BEGIN themselves. No setting is kept as session state, so poolers in transaction
 * mode work: each batch starts by setting search_path and timeouts for its own transaction. Statements
 * may be prepared; a pooler that loses them is found out, and then they are not. */
#ifndef NABAT_STORE_PG_H
#define NABAT_STORE_PG_H

#include "core/buf.h"
#include "core/err.h"
#include "core/helper.h"

#include <ev.h>
#include <libpq-fe.h>
#include <stdint.h>

struct pg;
struct pg_batch;

struct pg_config {
    const char *url; /* libpq URI or key=value string; BORROWED for the call */
    const char *schema;
    const char *name; /* for the log and application_name, such as "writer" */
};

/* Connects by itself, again and again with backoff, for as long as it lives. */
struct pg *pg_new(struct ev_loop *loop, struct helper *helper, const struct pg_config *config);
/* Batches still waiting end with ERR_RETRY; their `done` runs now. */
void pg_free(struct pg *pg);
bool pg_is_up(const struct pg *pg);
/* Closes the connection, as if it had broken, and makes a new one: what was at work is unknown. */
void pg_give_up(struct pg *pg, const char *why);
/* Why it is not up; "" when it is. BORROWED. */
const char *pg_trouble(const struct pg *pg);
/* `changed` runs from the loop whenever the connection came up or went down. */
void pg_watch(struct pg *pg, void (*changed)(void *ctx, bool up), void *ctx);

/* ---- building a batch ---- */
struct pg_batch *pg_batch_new(void);
void pg_batch_free(struct pg_batch *batch); /* only one that was never run */
/* A batch within a transaction that an earlier batch began: no settings of its own. */
void pg_batch_continue(struct pg_batch *batch);
/* Its statements are parsed and planned once a connection: for those that run again and again. */
void pg_batch_prepare(struct pg_batch *batch);
/* `more` adds the rest of its statements when those so far are on their way, so that the server works on these
 * meanwhile. Runs once, when the batch is sent (inside pg_run, if the connection is idle), unless it is refused;
 * `ctx` lives until `done`. */
typedef void pg_more_fn(void *ctx, struct pg_batch *batch);
void pg_batch_more(struct pg_batch *batch, pg_more_fn *more, void *ctx);
/* Statements so far: which result the next one will be. */
size_t pg_batch_count(const struct pg_batch *batch);
/* Starts a statement; `sql` is BORROWED until done (a literal). Parameters follow in order. */
void pg_add(struct pg_batch *batch, const char *sql);
void pg_text(struct pg_batch *batch, const char *text); /* NULL is SQL NULL; copied */
void pg_i64(struct pg_batch *batch, int64_t value);
void pg_i64_or_null(struct pg_batch *batch, int64_t value); /* 0 is NULL */
void pg_bool(struct pg_batch *batch, bool value);
void pg_time(struct pg_batch *batch, int64_t ms); /* Unix time, milliseconds */

/* Arrays travel in PostgreSQL's binary form: nothing to escape. */
enum pg_array_type {
    PG_TEXT_ARRAY,
    PG_INT8_ARRAY,
    PG_TIME_ARRAY,
    PG_BOOL_ARRAY,
    PG_BYTEA_ARRAY,
    PG_UUID_ARRAY
};
struct pg_array {
    struct buf bytes;
    enum pg_array_type type;
    int32_t count;
    bool any; /* an element that is not NULL */
};
void pg_array_init(struct pg_array *array, enum pg_array_type type, size_t bytes_max);
void pg_array_fini(struct pg_array *array);
void pg_array_text(struct pg_array *array, const char *text); /* NULL is SQL NULL */
void pg_array_i64(struct pg_array *array, int64_t value);
void pg_array_time(struct pg_array *array, int64_t ms); /* Unix time, milliseconds */
void pg_array_bool(struct pg_array *array, bool value);
void pg_array_bytes(struct pg_array *array, const void *data, size_t len); /* NULL: SQL NULL */
void pg_array_uuid(struct pg_array *array, const unsigned char bytes[16]); /* NULL: SQL NULL */
void pg_array_null(struct pg_array *array);
/* Adds the array as a parameter; moves its bytes, the array is empty afterwards. One of nothing but
 * NULLs is NULL itself: unnest pads it. */
void pg_array_param(struct pg_batch *batch, struct pg_array *array);

/* ---- running it ---- */
struct pg_reply {
    PGresult *const *results; /* one a statement, BORROWED until done returns; NULL on error */
    size_t count;
    const struct err *err; /* NULL on success */
    char sqlstate[6];      /* "" when the server did not speak */
    bool has_constraint;   /* the error names one: 23514 without is a row that has no partition */
    bool lost_statement;   /* prepared ones went: nothing happened, the same batch works now */
    bool unknown;          /* the connection broke after sending: it may have been committed */
};
typedef void pg_done_fn(void *ctx, const struct pg_reply *reply);
/* STEALS the batch. `done` runs exactly once, from the loop, never before this returns. */
void pg_run(struct pg *pg, struct pg_batch *batch, pg_done_fn *done, void *ctx);

/* The same, for whoever only wants to know whether it worked. `done` may be NULL. */
typedef void pg_outcome_fn(void *ctx, const struct err *err);
void pg_run_outcome(struct pg *pg, struct pg_batch *batch, pg_outcome_fn *done, void *ctx);

/* ---- reading results ---- */
int64_t pg_get_i64(const PGresult *result, int row, int column); /* NULL is 0 */
bool pg_get_bool(const PGresult *result, int row, int column);
/* NULL for SQL NULL; BORROWED from the result. */
const char *pg_get_text(const PGresult *result, int row, int column);

/* For timestamptz columns as Unix milliseconds: SELECT PG_MS(last_seen). */
#define PG_MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

#endif
