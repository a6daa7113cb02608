/* deploy.c -- see deploy.h. */
#include "ingest/deploy.h"

#include "core/clock.h"

#include <string.h>
#include <strings.h>

/* NULL when it is no text, or an empty one. */
static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text && *text ? text : NULL;
}

static bool read_time(const json_t *value, int64_t *ms, struct err *err)
{
    *ms = 0;
    if (!value || json_is_null(value))
        return true;
    if (json_is_number(value) && json_number_value(value) > 0 && json_number_value(value) < 1e11) {
        *ms = (int64_t)(json_number_value(value) * 1000);
        return true;
    }
    if (json_is_string(value) &&
        clock_parse_rfc3339(json_string_value(value), json_string_length(value), ms))
        return true;
    return err_set(err, ERR_INPUT,
                   "deployed_at takes RFC 3339 (2026-11-28T12:00:00Z) or Unix seconds");
}

static bool fits(const struct deploy *d, struct err *err)
{
    const struct {
        const char *name;
        const char *text;
    } FIELDS[] = {{"release", d->release},
                  {"environment", d->environment},
                  {"actor", d->actor},
                  {"url", d->url},
                  {"id", d->external_id}};
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if (FIELDS[i].text && strlen(FIELDS[i].text) > DEPLOY_FIELD_BYTES_MAX)
            return err_set(err, ERR_INPUT, "%s is longer than %d bytes", FIELDS[i].name,
                           DEPLOY_FIELD_BYTES_MAX);
    return true;
}

/* The end of each reader. */
static enum deploy_read check(struct deploy *d, const json_t *time, struct err *err)
{
    return read_time(time, &d->deployed_ms, err) && fits(d, err) ? DEPLOY_READ : DEPLOY_WRONG;
}

enum deploy_read deploy_read_native(const json_t *json, struct deploy *d, struct err *err)
{
    static const char *const NAMES[] = {"name", "release", "version", "commit"};
    *d = (struct deploy){.source = "api"};
    if (!json_is_object(json)) {
        err_set(err, ERR_INPUT, "a deploy is a JSON object");
        return DEPLOY_WRONG;
    }
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && !d->name; i++)
        d->name = text_at(json, NAMES[i]);
    if (!d->name) {
        err_set(err, ERR_INPUT, "one of name, release, version, commit is needed, as text");
        return DEPLOY_WRONG;
    }
    d->release = text_at(json, "release");
    if (!d->release)
        d->release = text_at(json, "version");
    d->environment = text_at(json, "environment");
    d->url = text_at(json, "url");
    d->actor = text_at(json, "actor");
    d->external_id = text_at(json, "id");
    return check(d, json_object_get(json, "deployed_at"), err);
}

/* Whether the last word of the type, or the status, says that it is out. */
static bool is_out(const char *word)
{
    static const char *const OUT[] = {"success", "succeeded", "deployed", "completed"};
    for (size_t i = 0; word && i < sizeof OUT / sizeof *OUT; i++)
        if (strcasecmp(word, OUT[i]) == 0)
            return true;
    return false;
}

enum deploy_read deploy_read_railway(const json_t *json, struct deploy *d, struct err *err)
{
    const char *type = text_at(json, "type");
    const json_t *details = json_object_get(json, "details");
    const json_t *resource = json_object_get(json, "resource");
    const json_t *older = json_object_get(json, "deployment");
    const json_t *meta = json_object_get(older, "meta");
    *d = (struct deploy){.source = "railway"};
    if (!type || (!details && !older)) {
        err_set(err, ERR_INPUT,
                "this is no webhook of Railway's: it has a type, and details or a "
                "deployment");
        return DEPLOY_WRONG;
    }
    if (details) {
        const char *dot = strchr(type, '.');
        if (strncasecmp(type, "deployment.", 11) != 0 || !is_out(dot + 1))
            return DEPLOY_IGNORED;
        d->external_id = text_at(json_object_get(resource, "deployment"), "id");
        if (!d->external_id)
            d->external_id = text_at(details, "id");
        d->release = text_at(details, "commitHash");
        d->actor = text_at(details, "commitAuthor");
        d->environment = text_at(json_object_get(resource, "environment"), "name");
        d->name = d->release ? d->release : text_at(details, "branch");
    } else {
        if (strcasecmp(type, "DEPLOY") != 0 || !is_out(text_at(json, "status")))
            return DEPLOY_IGNORED;
        d->external_id = text_at(older, "id");
        d->release = text_at(meta, "commitHash");
        d->actor = text_at(meta, "commitAuthor");
        d->environment = text_at(json_object_get(json, "environment"), "name");
        d->name = d->release ? d->release : text_at(meta, "branch");
    }
    if (!d->name)
        d->name = d->external_id ? d->external_id : "railway";
    return check(d, json_object_get(json, "timestamp"), err);
}

enum deploy_read deploy_read_github(const json_t *json, struct deploy *d, struct err *err)
{
    const json_t *status = json_object_get(json, "deployment_status");
    const json_t *deployment = json_object_get(json, "deployment");
    *d = (struct deploy){.source = "github"};
    if (!json_is_object(status) || !json_is_object(deployment)) {
        err_set(err, ERR_INPUT, "a deployment_status has deployment_status and deployment");
        return DEPLOY_WRONG;
    }
    if (!is_out(text_at(status, "state")))
        return DEPLOY_IGNORED;
    d->release = text_at(deployment, "sha");
    d->name = d->release ? d->release : text_at(deployment, "ref");
    d->environment = text_at(deployment, "environment");
    d->url = text_at(status, "environment_url");
    d->actor = text_at(json_object_get(status, "creator"), "login");
    d->external_id = text_at(deployment, "node_id");
    if (!d->name) {
        err_set(err, ERR_INPUT, "the deployment has neither sha nor ref");
        return DEPLOY_WRONG;
    }
    return check(d, json_object_get(status, "created_at"), err);
}
