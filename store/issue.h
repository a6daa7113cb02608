/* issue.h -- the table issue_link: which issue is which error's, and whether they are in step. */
#ifndef NABAT_STORE_ISSUE_H
#define NABAT_STORE_ISSUE_H

#include "store/group.h"
#include "store/pg.h"

enum issue_claim {
    ISSUE_CLAIMED,  /* it is ours to make */
    ISSUE_THERE,    /* `url` has it */
    ISSUE_NO_ERROR, /* there is no group of that number */
    ISSUE_MADE_NOW /* somebody is making it, or it is not known what became of it; two minutes later it may be made again */
};
typedef void issue_claimed_fn(void *ctx, enum issue_claim claim, const char *url,
                              const struct err *err);
void store_issue_claim(struct pg *pg, int64_t group_id, const char *repository, const char *made_by,
                       issue_claimed_fn *done, void *ctx);
/* It is made; `number` 0: it is not, and may be tried again at once. */
void store_issue_made(struct pg *pg, int64_t group_id, int64_t number, const char *url,
                      pg_outcome_fn *done, void *ctx);

/* The one that is out of step for longest; `number` 0: none is. BORROWED. */
struct issue_behind {
    int64_t group_id;
    int64_t number;
    const char *repository;
    bool open; /* as it is wanted */
};
typedef void issue_behind_fn(void *ctx, const struct issue_behind *issue, const struct err *err);
void store_issue_behind(struct pg *pg, issue_behind_fn *done, void *ctx);
/* `trouble` NULL: it is as it was wanted. `wait_s` 0: it is given up. */
void store_issue_followed(struct pg *pg, int64_t group_id, bool open, const char *trouble,
                          int wait_s, pg_outcome_fn *done, void *ctx);

/* GitHub's webhook. `group_id` 0: it changes nothing. */
typedef void issue_said_fn(void *ctx, int64_t group_id, const struct err *err);
void store_issue_said(struct pg *pg, const char *repository, int64_t number, bool open,
                      const struct actor *actor, issue_said_fn *done, void *ctx);

#endif
