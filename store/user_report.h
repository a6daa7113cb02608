/* user_report.h -- the tables user_report and group_comment. */
#ifndef NABAT_STORE_USER_REPORT_H
#define NABAT_STORE_USER_REPORT_H

#include "core/user_report.h"
#include "store/group.h"
#include "store/pg.h"

/* `about` is the event that its code named, "" when it had none or none is found. Committed when `err` is NULL. */
typedef void report_added_fn(void *ctx, int64_t id, const char *about, const struct err *err);
void store_user_report_add(struct pg *pg, const struct user_report *report, report_added_fn *done,
                           void *ctx);

/* By the code of its event. NULL: there is none of seven days. */
typedef void report_state_fn(void *ctx, const char *state, const char *title,
                             const struct err *err);
void store_user_report_find(struct pg *pg, int32_t project_id, const char *low, const char *high,
                            report_state_fn *done, void *ctx);
/* Of a group; `state` "wont_fix" and the like. ERR_INPUT: it is none of the six. NULL: the group is no report. */
void store_user_report_set(struct pg *pg, int64_t group_id, const char *state,
                           const struct actor *actor, report_state_fn *done, void *ctx);
/* Who reported it wants to hear when it is over, in private. `title` (BORROWED) NULL: it is not theirs. */
typedef void report_follow_fn(void *ctx, const char *title, const struct err *err);
void store_user_report_follow(struct pg *pg, int64_t report_id, int64_t user_id,
                              const char *language, report_follow_fn *done, void *ctx);

/* ---- what somebody is to be told ---- */
enum report_news { NEWS_NONE, NEWS_SHOW, NEWS_OVER, NEWS_ASSIGNED };
/* BORROWED until done returns. */
struct report_word {
    enum report_news what;
    int64_t report_id;
    int64_t group_id;
    int64_t chat_id; /* of the reporter, or of who is to look at it */
    const char *title;
    const char *state;
    const char *note;
    const char *language;
};
/* Joins reports with their groups; then the first word that nobody has said yet; `may_show` false: cards in
 * the alert chat wait. */
typedef void report_word_fn(void *ctx, const struct report_word *word, const struct err *err);
void store_user_report_next(struct pg *pg, bool may_show, report_word_fn *done, void *ctx);
void store_user_report_said(struct pg *pg, const struct report_word *word, pg_outcome_fn *done,
                            void *ctx);

/* ---- comments ---- */
/* `done` gets the number of the root group, 0: there is no such group. */
typedef void comment_added_fn(void *ctx, int64_t group_id, const struct err *err);
void store_comment_add(struct pg *pg, int64_t group_id, const char *body, const struct actor *actor,
                       comment_added_fn *done, void *ctx);
enum { COMMENTS_SHOWN_MAX = 5 };
struct comment_line {
    const char *body;
    const char *actor;
    int64_t made_ms;
};
/* The newest, oldest first; and state and contact of the report that the group is, NULL: it is none. */
typedef void comments_fn(void *ctx, const char *state, const char *contact,
                         const struct comment_line *lines, size_t count, const struct err *err);
void store_comments_list(struct pg *pg, int64_t group_id, comments_fn *done, void *ctx);

#endif
