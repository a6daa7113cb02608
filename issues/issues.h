/* issues.h -- errors as issues: made when a person asks, closed and reopened in step by the holder of the lease. */
#ifndef NABAT_ISSUES_ISSUES_H
#define NABAT_ISSUES_ISSUES_H

#include "issues/github.h"
#include "store/lease.h"

#include <ev.h>

struct issues;

/* All BORROWED; `config` has a token and a repository. */
struct issues *issues_new(struct ev_loop *loop, struct http_client *http, struct pg *pg,
                          struct lease *lease, const struct github_config *config);
void issues_free(struct issues *issues);

/* What came of /issue. */
enum issue_made {
    ISSUE_MADE,
    ISSUE_WAS_THERE,
    ISSUE_BUSY,
    ISSUE_FAILED,
    ISSUE_NO_GROUP,
    ISSUE_AWAY
};
/* `text` (BORROWED): the issue's address, or why there is none. */
typedef void issue_made_fn(void *ctx, enum issue_made made, const char *text);
void issues_make(struct issues *issues, int64_t group_id, const char *made_by, issue_made_fn *done,
                 void *ctx);

#endif
