/* github.h -- GitHub's REST API for issues (docs.github.com/rest/issues): what is sent, and what answers mean; pure. */
#ifndef NABAT_ISSUES_GITHUB_H
#define NABAT_ISSUES_GITHUB_H

#include "core/buf.h"
#include "net/http_client.h"
#include "store/group.h"

#include <jansson.h>

/* GITHUB_ISSUES_…; NULL: not set. */
struct github_config {
    const char *token;
    const char *repository; /* owner/name */
    const char *api_url;    /* without a slash at its end */
    const char *assignees;  /* "celery=ann,critical=bob,*=carl": the first that fits */
    const char *public_url; /* of this service, for the foot of an issue */
};

/* The body of POST /repos/{owner}/{repo}/issues, NEW. Titles are cut to 256 characters and bodies to 60,000 (GitHub refuses
 * 65,536 and more); nobody is mentioned by what an error says. `with_assignees` false: it was refused with them. */
json_t *github_issue(const struct github_config *config, const struct group *group,
                     bool with_assignees);
/* Whom the rules name for a group; "" nobody. False: `rules` are none (GITHUB_ISSUES_ASSIGNEES is checked with NULL for the
 * group). */
bool github_assignee(const char *rules, const struct group *group, char out[64]);
/* The body of PATCH /repos/{owner}/{repo}/issues/{number}, NEW. */
json_t *github_state(bool open);

enum github_outcome {
    GITHUB_DONE,
    GITHUB_UNCERTAIN,    /* it may have been made */
    GITHUB_LATER,        /* not reached, 5xx, or too many requests: `retry_after_s` */
    GITHUB_NO_ASSIGNEES, /* 422 about assignees: it works without them */
    GITHUB_GONE,   /* 404, 410: the issue or the repository is not there, or not for this token */
    GITHUB_REFUSED /* anything else: it does not help to ask again */
};
struct github_answer {
    enum github_outcome outcome;
    int64_t number;
    char url[300];
    int retry_after_s;
    char text[200]; /* what GitHub said, or what became of it */
};
void github_read(const struct http_answer *http, struct github_answer *answer);

#endif
