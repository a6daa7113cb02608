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
    int64_t assigned_to_id; /* Telegram user; 0: not known */
    const char *note;
    int64_t muted_until_ms;    /* 0: not by time */
    int64_t muted_until_count; /* 0: not by count */
    int64_t resolved_ms;
    bool muted; /* now, by the database's clock */
    /* the deploy that it was first seen after, within a day; NULL: none */
    const char *deploy;
    int64_t deployed_ms;
    const char *issue_url; /* NULL: it has no issue */
    int64_t issue_number;
    /* its last status change */
    const char *changed_by;
    int64_t changed_ms;
    bool changed_by_service; /* it came back, or a cron job runs again */
    const char *noted_by;
    const char *muted_by;
    int64_t undo_until_ms; /* until when the newest change can be taken back; 0: it can't */
    const char *merged;    /* numbers of the groups merged into it, comma separated; NULL: none */
    /* its newest event; NULL or 0 when none is left */
    const char *event_handler;
    const char *environment;
    const char *release;
    const char *server_name;
    const char *user_id;
    const char *gen_request_id;
    bool has_chat_id;
    int64_t chat_id;
    const char *exception_type;
    const char *message;    /* its beginning, at most 1000 characters */
    const char *tags;       /* up to 12 lines of "name TAB value" */
    const char *stack_part; /* the end that matters, at most 3000 characters */
    bool stack_is_cut;
};

/* The columns of a group and its newest event, for queries of this folder; group.c decodes them. */
extern const char *const STORE_GROUP_COLUMNS;
extern const char *const STORE_GROUP_JOINS; /* needs error_group AS g */
void store_group_decode(const PGresult *rows, int row, int first_column, struct group *out);

/* `group` is NULL when there is no such row, or on error. */
typedef void group_done_fn(void *ctx, const struct group *group, const struct err *err);
void store_group_get(struct pg *pg, int64_t group_id, group_done_fn *done, void *ctx);

/* Who changes it: goes to the history with source "chat". `id` 0: a person without one (an
 * anonymous administrator). */
struct actor {
    const char *name;
    int64_t id;
    const char *source;
};
/* For the other writers of this folder: the transaction's actor. */
void store_actor_set(struct pg_batch *batch, const struct actor *actor);

enum group_change_kind {
    CHANGE_TAKE,
    CHANGE_RESOLVE, /* text: a note or NULL */
    CHANGE_REOPEN,
    CHANGE_MUTE,       /* number: seconds */
    CHANGE_MUTE_COUNT, /* number: events */
    CHANGE_UNMUTE,
    CHANGE_ASSIGN, /* text: whom, NULL nobody; number: Telegram user id or 0 */
    CHANGE_NOTE,   /* text; NULL removes it */
    CHANGE_UNDO,   /* the newest change made in the chat within 5 min */
    CHANGE_MERGE,  /* number: the group that is joined to this one */
    CHANGE_SPLIT,
};
struct group_change {
    enum group_change_kind kind;
    const char *text;
    int64_t number;
};
/* `done` gets the group as it is afterwards. ERR_INPUT: that can't be done as things are (nothing to
 * undo, nothing merged, groups of two projects). */
void store_group_change(struct pg *pg, int64_t group_id, const struct group_change *change,
                        const struct actor *actor, group_done_fn *done, void *ctx);

/* This group, then the newest ones of its project that stand for themselves, for likeness. */
struct group_brief {
    int64_t id;
    const char *title;
    const char *culprit;
    enum group_status status;
};
typedef void group_briefs_fn(void *ctx, const struct group_brief *briefs, size_t count,
                             const struct err *err);
void store_group_neighbours(struct pg *pg, int64_t group_id, group_briefs_fn *done, void *ctx);

#endif
