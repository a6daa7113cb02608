/* group.h -- error groups: one row per distinct error of one project; reading and changing them.
 *
 * Every call starts one query and returns at once; `done` then runs exactly once, from the loop.
 * Strings are BORROWED until `done` returns: copy what you keep. */
#ifndef NABAT_STORE_GROUP_H
#define NABAT_STORE_GROUP_H

#include "core/event.h"
#include "store/pg.h"

struct group {
    int64_t id;
    int32_t project_id;
    const char *project; /* slug */
    const char *title;
    const char *culprit;
    const char *origin;
    const char *handler;
    enum severity severity;
    enum group_status status;
    int64_t occurrences;
    int64_t users_affected;
    int64_t first_seen_ms;
    int64_t last_seen_ms;
    const char *assigned_to;
    const char *note;
    int64_t muted_until_ms;    /* 0: not by time */
    int64_t muted_until_count; /* 0: not by count */
    int64_t resolved_ms;
    bool muted; /* now, by the database's clock */
    /* its last status change */
    const char *changed_by;
    int64_t changed_ms;
    /* its newest event; NULL or 0 when none is left */
    const char *event_handler;
    const char *environment;
    const char *release;
    const char *user_id;
    const char *gen_request_id;
    bool has_chat_id;
    int64_t chat_id;
    const char *stack_part; /* the end that matters, at most 3000 characters */
    bool stack_is_cut;
};

/* The columns of a group and its newest event, for queries of this folder; group.c decodes them. */
extern const char *const STORE_GROUP_COLUMNS;
extern const char *const STORE_GROUP_JOINS; /* needs error_group AS g */
enum { STORE_GROUP_COLUMNS_COUNT = 30 };
void store_group_decode(const PGresult *rows, int row, int first_column, struct group *out);

/* `group` is NULL when there is no such row, or on error. */
typedef void group_done_fn(void *ctx, const struct group *group, const struct err *err);
void store_group_get(struct pg *pg, int64_t group_id, group_done_fn *done, void *ctx);

/* Which groups /errors lists, newest first. */
struct group_filter {
    bool open_only;       /* not resolved */
    const char *status;   /* NULL: any */
    const char *severity; /* NULL: any */
    const char *text;     /* NULL: any; matched in title, culprit, origin without case */
    const char *assigned_to;
    int64_t limit;
};
typedef void group_list_fn(void *ctx, const struct group *groups, size_t count, int64_t total,
                           const struct err *err);
void store_group_list(struct pg *pg, const struct group_filter *filter, group_list_fn *done,
                      void *ctx);

/* Who changes it: goes to the history with source "chat". */
struct actor {
    const char *name;
    int64_t id;
    const char *source;
};
enum group_change {
    CHANGE_TAKE,
    CHANGE_RESOLVE, /* text: a note or NULL */
    CHANGE_REOPEN,
    CHANGE_MUTE,       /* number: seconds */
    CHANGE_MUTE_COUNT, /* number: events */
    CHANGE_UNMUTE,
};
/* `done` gets the group as it is afterwards. */
void store_group_change(struct pg *pg, int64_t group_id, enum group_change change, const char *text,
                        int64_t number, const struct actor *actor, group_done_fn *done, void *ctx);

#endif
