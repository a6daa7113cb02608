/* pg_internal.h -- what the files of the connection share; nobody else includes it. */
#ifndef NABAT_STORE_PG_INTERNAL_H
#define NABAT_STORE_PG_INTERNAL_H

#include "store/pg.h"

#include "core/limits.h"

struct pg_param {
    char *owned;   /* an array's bytes; NULL: they stand in the batch's block */
    size_t offset; /* in that */
    int len;
    bool is_null;
    bool binary;
    Oid type;
};

struct pg_statement {
    const char *sql;
    size_t first_param;
    int params;
};

struct pg_batch {
    struct pg_batch *next;
    struct pg_statement *statements;
    size_t count;
    struct pg_param *params;
    size_t params_count;
    size_t params_cap;
    struct buf bytes;
    bool continues;
    bool is_prepared; /* its statements are prepared once a connection */
    pg_more_fn *more; /* NULL: it is whole */
    void *more_ctx;
    pg_done_fn *done;
    void *ctx;
};

struct pg_prepared_name {
    const char *sql;
    uint64_t hash; /* of the text: two addresses may hold the same one */
};

/* What one connection has prepared. */
struct pg_prepared {
    struct pg_prepared_name known[PG_PREPARED_MAX];
    size_t known_count;
    struct pg_prepared_name
        asked[PG_PREPARED_MAX]; /* by the batch at work, not answered yet; in order */
    size_t asked_count;
    size_t answered;    /* of these */
    uint64_t answers;   /* bit n: the batch's nth answer is to a Parse */
    size_t answer_next; /* while sending: of the next one; then while reading */
    bool
        never; /* until the next connection: a pooler gives us other connections' statements, or none */
};

/* conninfo.c: what PQconnectStartParams takes; owned arrays, freed by pg_conninfo_free. */
struct pg_conninfo {
    char **keywords; /* NULL-terminated */
    char **values;
    size_t count;
    char *hosts_to_resolve; /* comma separated, NULL: nothing to resolve */
    char *ports;            /* theirs, as given */
};
bool pg_conninfo_parse(const char *url, const char *application_name, struct pg_conninfo *info,
                       struct err *err);
void pg_conninfo_set(struct pg_conninfo *info, const char *keyword, const char *value);
void pg_conninfo_free(struct pg_conninfo *info);
/* Of several hosts the next one goes first: libpq goes on to the next only when it can't connect to one,
 * not when that one hangs up (a proxy whose server is gone). False: there is only one. */
bool pg_conninfo_next_host(struct pg_conninfo *info);
/* BLOCKS. Each host goes first once, until one answers. Never NULL. */
PGconn *pg_connect_blocking(struct pg_conninfo *info);

/* libpq's lists, one entry an address: a host with two addresses stands in them twice. */
struct pg_resolved {
    struct buf hosts;
    struct buf addresses;
    struct buf ports;
};
/* BLOCKS (helper thread). False: no host has an address. Freed by pg_resolved_fini either way. */
bool pg_resolve_hosts(const char *hosts, const char *ports, struct pg_resolved *out);
void pg_resolved_fini(struct pg_resolved *out);

/* "nabat"."x" quoting of an identifier for search_path; heap text. */
char *pg_quote_search_path(const char *schema);

enum pg_state { PG_RESOLVING, PG_CONNECTING, PG_IDLE, PG_BUSY, PG_WAITING };

struct pg {
    struct ev_loop *loop;
    struct helper *helper;
    char *name;
    char *search_path;
    struct pg_conninfo info;
    PGconn *conn;
    enum pg_state state;
    ev_io io;
    ev_timer deadline; /* of connecting, or of the wait before the next try */
    ev_timer kick;     /* runs `done` of refused batches from the loop */
    double backoff;
    struct pg_batch *first; /* the one at work when BUSY */
    struct pg_batch *last;
    size_t queued;
    struct pg_batch *refused;
    PGresult **results;
    size_t results_count; /* with the settings statement */
    bool unsent;          /* bytes wait in libpq's buffer */
    struct pg_prepared prepared;
    bool failed;
    bool breaking; /* found broken while sending: told from the loop, not inside pg_run */
    int watched;   /* events that io waits for */
    char sqlstate[6];
    bool has_constraint;
    bool lost_statement;
    struct err error;
    char trouble[ERR_TEXT_BYTES_MAX];
    struct resolving *resolving;
    void (*changed)(void *ctx, bool up);
    void *changed_ctx;
    bool was_up;
};

/* Parameters of one statement as libpq takes them. */
struct pg_params {
    int count;
    const Oid *types;
    const char *const *values;
    const int *lengths;
    const int *formats;
};

/* A name resolution under way: outlives the connection when that is freed first. */
struct resolving {
    struct pg *pg;
    char *hosts;
    char *ports;
    struct pg_resolved found;
    bool ok;
};

/* pg.c: the connection. pg_query.c: the batch at work. */
void pg_broken(struct pg *pg, const char *why); /* closes, tells every batch, comes back later */
void pg_kick(struct pg *pg);                    /* something is to be told from the loop */
void pg_watch_socket(struct pg *pg, int events);
void pg_clear_results(struct pg *pg);
/* Takes the batch at the front off the queue and tells its owner. */
void pg_finish(struct pg *pg, const struct err *err, bool unknown);
void pg_send_next(struct pg *pg);
void pg_flush_out(struct pg *pg);
void pg_read_results(struct pg *pg);

/* pg_prepare.c. Sends a statement, prepared first if the batch asks for it; false: libpq refuses. */
bool pg_send(struct pg *pg, bool is_prepared, const char *sql, const struct pg_params *params);
/* The batch at work begins to be sent; its answers begin to be read. */
void pg_prepared_begin(struct pg_prepared *p);
void pg_prepared_read(struct pg_prepared *p);
/* The next answer is here: whether it is to a Parse, which is nobody's result. */
bool pg_prepared_takes(struct pg_prepared *p, bool ok);
/* An error of this state means that statements are not where they were: none is prepared any more. */
bool pg_prepared_lost(struct pg_prepared *p, const char *sqlstate);

#endif
