/* pg_internal.h -- what the files of the connection share; nobody else includes it. */
#ifndef NABAT_STORE_PG_INTERNAL_H
#define NABAT_STORE_PG_INTERNAL_H

#include "store/pg.h"

struct pg_param {
    size_t offset;
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
    pg_done_fn *done;
    void *ctx;
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

#endif
