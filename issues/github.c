/* github.c -- see github.h. */
#include "issues/github.h"

#include "core/limits.h"
#include "core/utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TITLE_UNITS_MAX = 250,
    BODY_BYTES_MAX = 60000,
    TEXT_BYTES_MAX = 4000,
    WAIT_SECONDS = 60,
    LABEL_BYTES_MAX = 50
};

/* On one line; a name behind @ would be told of it: a space without width goes in between. */
static void add_title(struct buf *out, const char *text)
{
    size_t len = utf8_cut_units(text, strlen(text), TITLE_UNITS_MAX / 2);
    for (size_t i = 0; i < len; i++) {
        buf_add_char(out,
                     (char)(text[i] == '\n' || text[i] == '\r' || text[i] == '\t' ? ' ' : text[i]));
        if (text[i] == '@')
            buf_add_str(out, "\u200b");
    }
}

/* In a fence that is longer than any in the text: nothing in it is markup, and nobody is mentioned. */
static void add_fenced(struct buf *out, const char *text)
{
    size_t longest = 2;
    size_t run = 0;
    for (const char *c = text; *c; c++) {
        run = *c == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (int side = 0; side < 2; side++) {
        buf_add_str(out, side ? "\n" : "");
        for (size_t i = 0; i <= longest; i++)
            buf_add_char(out, '`');
        buf_add_char(out, '\n');
        if (side == 0)
            buf_add(out, text, utf8_cut(text, strlen(text), TEXT_BYTES_MAX));
    }
}

static void add_row(struct buf *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    const char *end = value + utf8_cut(value, strlen(value), 200);
    buf_addf(out, "| %s | `", name);
    for (const char *c = value; c < end; c++)
        if (*c != '`' && *c != '|' && *c != '\n' && *c != '\r')
            buf_add_char(out, *c);
    buf_add_str(out, "` |\n");
}

static void add_body(struct buf *out, const struct github_config *config, const struct group *g)
{
    char number[24];
    if (g->message && *g->message)
        add_fenced(out, g->message);
    buf_add_str(out, "\n| | |\n|---|---|\n");
    add_row(out, "origin", g->origin);
    add_row(out, "handler", g->event_handler ? g->event_handler : g->handler);
    add_row(out, "project", g->project);
    add_row(out, "environment", g->environment);
    add_row(out, "release", g->release);
    snprintf(number, sizeof number, "%" PRId64, g->occurrences);
    add_row(out, "times", number);
    snprintf(number, sizeof number, "%" PRId64, g->users_affected);
    add_row(out, "users", g->users_affected ? number : NULL);
    if (g->stack_part && *g->stack_part) {
        buf_add_char(out, '\n');
        add_fenced(out, g->stack_part);
    }
    buf_addf(out, "\nNabat #%" PRId64 "%s%s", g->id, config->public_url ? " · " : "",
             config->public_url ? config->public_url : "");
}

bool github_assignee(const char *rules, const struct group *group, char out[64])
{
    out[0] = '\0';
    for (const char *at = rules ? rules : ""; *at;) {
        char name[80];
        char login[64];
        size_t n = strcspn(at, ",");
        const char *equals = memchr(at, '=', n);
        if (!equals || equals == at || equals + 1 == at + n || n >= sizeof name)
            return false;
        snprintf(name, sizeof name, "%.*s", (int)(equals - at), at + strspn(at, " "));
        name[strcspn(name, " =")] = '\0';
        snprintf(login, sizeof login, "%.*s", (int)(at + n - equals - 1), equals + 1);
        if (strspn(login, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") !=
            strlen(login))
            return false;
        bool fits = group && (strcmp(name, "*") == 0 || strcasecmp(name, group->origin) == 0 ||
                              strcasecmp(name, severity_name(group->severity)) == 0);
        if (fits && !out[0])
            snprintf(out, 64, "%s", login);
        at += n + (at[n] == ',');
    }
    return true;
}

/* Of the lines "name TAB value" that of the category; NULL: there is none. */
static const char *find_category(const char *tags)
{
    static const char NAME[] = "category\t";
    for (const char *at = tags; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strncmp(at, NAME, sizeof NAME - 1) == 0)
            return at + sizeof NAME - 1;
    return NULL;
}

json_t *github_issue(const struct github_config *config, const struct group *g, bool with_assignees)
{
    char login[64];
    char category[80] = "";
    struct buf title;
    struct buf body;
    buf_init(&title, 4 * KIB);
    buf_init(&body, BODY_BYTES_MAX);
    add_title(&title, g->title);
    add_body(&body, config, g);
    json_t *labels = json_pack("[s,s]", severity_name(g->severity), g->origin);
    const char *tag = find_category(g->tags);
    if (tag)
        snprintf(category, sizeof category, "%.*s",
                 (int)utf8_cut(tag, strcspn(tag, "\n"), LABEL_BYTES_MAX), tag);
    if (category[0] && utf8_is_clean(category, strlen(category)))
        json_array_append_new(labels, json_string(category));
    json_t *issue = json_pack("{s:s,s:s,s:o}", "title", buf_text(&title), "body", buf_text(&body),
                              "labels", labels);
    if (with_assignees && github_assignee(config->assignees, g, login) && login[0])
        json_object_set_new(issue, "assignees", json_pack("[s]", login));
    buf_fini(&title);
    buf_fini(&body);
    return issue;
}

json_t *github_state(bool open)
{
    return json_pack("{s:s,s:s}", "state", open ? "open" : "closed", "state_reason",
                     open ? "reopened" : "completed");
}

/* "Validation Failed: assignees is invalid" */
static bool says_assignees(const json_t *root)
{
    const json_t *errors = json_object_get(root, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const char *field = json_string_value(json_object_get(json_array_get(errors, i), "field"));
        if (field && strncmp(field, "assignee", 8) == 0)
            return true;
    }
    return false;
}

static enum github_outcome outcome_of(const struct http_answer *http, const json_t *root)
{
    if (http->status == 0)
        return http->sent ? GITHUB_UNCERTAIN : GITHUB_LATER;
    if (http->status >= 200 && http->status < 300)
        return GITHUB_DONE;
    /* docs.github.com, rate limits: 403 or 429; a right that is missing or a token that ran out is mended by people */
    if (http->status == 429 || http->status >= 500 || http->status == 401 || http->status == 403)
        return GITHUB_LATER;
    if (http->status == 404 || http->status == 410)
        return GITHUB_GONE;
    return http->status == 422 && says_assignees(root) ? GITHUB_NO_ASSIGNEES : GITHUB_REFUSED;
}

void github_read(const struct http_answer *http, struct github_answer *a)
{
    json_error_t why;
    json_t *root = http->status ? json_loadb(http->body, http->body_len, 0, &why) : NULL;
    const char *message = json_string_value(json_object_get(root, "message"));
    const char *url = json_string_value(json_object_get(root, "html_url"));
    *a = (struct github_answer){.outcome = outcome_of(http, root)};
    a->number = (int64_t)json_integer_value(json_object_get(root, "number"));
    snprintf(a->url, sizeof a->url, "%s", url && strncmp(url, "http", 4) == 0 ? url : "");
    a->retry_after_s = http->retry_after_s > 0 ? http->retry_after_s : WAIT_SECONDS;
    if (http->status == 0)
        snprintf(a->text, sizeof a->text, "no answer: %s", http->error);
    else
        snprintf(a->text, sizeof a->text, "%d %s", http->status, message ? message : "");
    if (a->outcome == GITHUB_DONE && a->number <= 0)
        a->outcome = GITHUB_REFUSED; /* a page of something else */
    json_decref(root);
}
