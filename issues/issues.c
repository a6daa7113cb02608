/* issues.c -- see issues.h.
 *
 *     make --claimed--> group --> POST --201--> written down --> done
 *                                  |  \__422 about assignees: once more without
 *                                  \__ no: the claim goes; may be: the claim stays, so that two minutes pass
 *     tick --one is behind--> PATCH --> written down: in step, or when it is tried again           */
#include "issues/issues.h"

#include "core/log.h"
#include "core/mem.h"
#include "store/issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TICK_SECONDS = 2.0;
enum { ASK_SECONDS_MAX = 20, HEADERS = 4 };

struct issues {
    struct ev_loop *loop;
    struct http_client *http;
    struct pg *pg;
    struct lease *lease;
    struct github_config config;
    char authorization[300];
    ev_timer tick;
    bool busy;
    int64_t group_id; /* of the one that is brought in step */
    bool open;
};

static void call(struct issues *s, const char *method, const char *path, json_t *body,
                 http_done_fn *done, void *ctx)
{
    const char *const headers[HEADERS] = {s->authorization, "Accept: application/vnd.github+json",
                                          "X-GitHub-Api-Version: 2022-11-28",
                                          "Content-Type: application/json"};
    char url[600];
    snprintf(url, sizeof url, "%s/repos/%s", s->config.api_url, path);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    http_client_send(s->http, method, url, headers, HEADERS, text ? text : "{}", ASK_SECONDS_MAX,
                     done, ctx);
    free(text);
}

/* ------------------------------------------------------------------------------------------- making */

struct making {
    struct issues *issues;
    int64_t group_id;
    json_t *without; /* the same issue without assignees; NULL: it was tried */
    issue_made_fn *done;
    void *ctx;
    enum issue_made made;
    char text[300];
};

static void end(struct making *m, enum issue_made made, const char *text)
{
    m->done(m->ctx, made, text);
    json_decref(m->without);
    free(m);
}

static void on_written(void *ctx, const struct err *err)
{
    struct making *m = ctx;
    if (err && m->made == ISSUE_MADE)
        log_warn("an issue was made, but that is not written down", LOG_S("issue", m->text),
                 LOG_S("error", err->text), LOG_END);
    end(m, m->made, m->text);
}

static void on_posted(void *ctx, const struct http_answer *http)
{
    struct making *m = ctx;
    struct issues *s = m->issues;
    struct github_answer answer;
    char path[160];
    github_read(http, &answer);
    if (answer.outcome == GITHUB_NO_ASSIGNEES && m->without) {
        json_t *again = m->without;
        m->without = NULL;
        log_warn("GitHub does not take the assignee: the issue is made without",
                 LOG_S("error", answer.text), LOG_END);
        snprintf(path, sizeof path, "%s/issues", s->config.repository);
        call(s, "POST", path, again, on_posted, m);
        return;
    }
    m->made = answer.outcome == GITHUB_DONE ? ISSUE_MADE : ISSUE_FAILED;
    snprintf(m->text, sizeof m->text, "%s",
             answer.outcome == GITHUB_DONE ? answer.url : answer.text);
    if (answer.outcome == GITHUB_UNCERTAIN) /* it may be there: not at once again */
        end(m, ISSUE_FAILED, m->text);
    else
        store_issue_made(s->pg, m->group_id, answer.outcome == GITHUB_DONE ? answer.number : 0,
                         answer.url, on_written, m);
}

static void on_group(void *ctx, const struct group *group, const struct err *err)
{
    struct making *m = ctx;
    struct issues *s = m->issues;
    char path[160];
    if (err || !group) {
        m->made = err ? ISSUE_AWAY : ISSUE_NO_GROUP;
        store_issue_made(s->pg, m->group_id, 0, NULL, on_written, m);
        return;
    }
    m->without = github_issue(&s->config, group, false);
    snprintf(path, sizeof path, "%s/issues", s->config.repository);
    call(s, "POST", path, github_issue(&s->config, group, true), on_posted, m);
}

static void on_claimed(void *ctx, enum issue_claim claim, const char *url, const struct err *err)
{
    struct making *m = ctx;
    if (err)
        end(m, ISSUE_AWAY, err->text);
    else if (claim == ISSUE_NO_ERROR)
        end(m, ISSUE_NO_GROUP, "");
    else if (claim == ISSUE_CLAIMED)
        store_group_get(m->issues->pg, m->group_id, on_group, m);
    else
        end(m, claim == ISSUE_THERE ? ISSUE_WAS_THERE : ISSUE_BUSY, url ? url : "");
}

void issues_make(struct issues *s, int64_t group_id, const char *made_by, issue_made_fn *done,
                 void *ctx)
{
    struct making *m = mem_alloc(sizeof *m);
    *m = (struct making){.issues = s, .group_id = group_id, .done = done, .ctx = ctx};
    store_issue_claim(s->pg, group_id, s->config.repository, made_by, on_claimed, m);
}

/* ------------------------------------------------------------------------------------------ in step */

static void on_followed(void *ctx, const struct err *err)
{
    struct issues *s = ctx;
    s->busy = false;
    if (!err)
        ev_feed_event(s->loop, &s->tick, EV_TIMER);
}

static void on_patched(void *ctx, const struct http_answer *http)
{
    struct issues *s = ctx;
    struct github_answer answer;
    github_read(http, &answer);
    /* saying a state twice is harmless, so what is uncertain is said again */
    bool later = answer.outcome == GITHUB_LATER || answer.outcome == GITHUB_UNCERTAIN;
    bool done = answer.outcome == GITHUB_DONE;
    if (!done)
        log_warn(later ? "an issue is not in step: it is tried again"
                       : "an issue is not in step, and GitHub refuses to change it",
                 LOG_I("group", s->group_id), LOG_S("error", answer.text), LOG_END);
    store_issue_followed(s->pg, s->group_id, s->open, done ? NULL : answer.text,
                         later ? answer.retry_after_s : 0, on_followed, s);
}

static void on_behind(void *ctx, const struct issue_behind *issue, const struct err *err)
{
    struct issues *s = ctx;
    char path[200];
    if (err || !issue->number) {
        s->busy = false;
        return;
    }
    s->group_id = issue->group_id;
    s->open = issue->open;
    snprintf(path, sizeof path, "%s/issues/%" PRId64, issue->repository, issue->number);
    call(s, "PATCH", path, github_state(issue->open), on_patched, s);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct issues *s = timer->data;
    if (s->busy || !store_lease_is_held(s->lease) || !pg_is_up(s->pg))
        return;
    s->busy = true;
    store_issue_behind(s->pg, on_behind, s);
}

struct issues *issues_new(struct ev_loop *loop, struct http_client *http, struct pg *pg,
                          struct lease *lease, const struct github_config *config)
{
    struct issues *s = mem_alloc(sizeof *s);
    *s = (struct issues){.loop = loop, .http = http, .pg = pg, .lease = lease, .config = *config};
    snprintf(s->authorization, sizeof s->authorization, "Authorization: Bearer %s", config->token);
    ev_timer_init(&s->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    s->tick.data = s;
    ev_timer_start(loop, &s->tick);
    return s;
}

void issues_free(struct issues *s)
{
    if (!s)
        return;
    ev_timer_stop(s->loop, &s->tick);
    free(s);
}
