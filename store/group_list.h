/* group_list.h -- which error groups /errors shows, newest first, a page at a time. */
#ifndef NABAT_STORE_GROUP_LIST_H
#define NABAT_STORE_GROUP_LIST_H

#include "store/group.h"

enum { FILTER_WORDS_MAX = 8 };
struct group_filter {
    bool open_only;  /* not resolved */
    bool muted_only; /* now */
    bool unassigned_only;
    unsigned statuses;                   /* bits, 1 << enum group_status; 0: any */
    unsigned severities;                 /* bits, 1 << enum severity; 0: any */
    int64_t seen_within_s;               /* 0: ever */
    const char *words[FILTER_WORDS_MAX]; /* each is somewhere in title, culprit, handler, origin */
    size_t words_count;                  /* or project; without case */
    const char *assigned_to;             /* NULL: anybody */
    int64_t assigned_to_id;              /* together with assigned_to: either matches */
    int64_t offset;                      /* below LIST_TOTAL_MAX */
    int64_t limit;                       /* at most LIST_ROWS_MAX */
};

struct group_page {
    const struct group *groups; /* BORROWED until `done` returns */
    size_t count;
    int64_t total; /* of all pages, at most LIST_TOTAL_MAX; 0 when the page is empty */
    bool is_least; /* there may be more than `total` */
};
/* `page` is NULL on error. */
typedef void group_list_fn(void *ctx, const struct group_page *page, const struct err *err);
/* Costs the same however many groups there are: docs/queries.md. */
void store_group_list(struct pg *pg, const struct group_filter *filter, group_list_fn *done,
                      void *ctx);

#endif
