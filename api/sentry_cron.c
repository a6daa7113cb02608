/* sentry_cron.c -- query and body into one check-in. */
#include "api/sentry_cron.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    const struct http_request *request;
    const struct sentry_config *config;
    struct arena *arena;
    struct sentry_batch *batch;
};

static const char *query_text(struct reading *r, const char *name)
{
    char text[65]; /* longer ones say nothing */
    if (!http_query_find(r->request->head->query, name, text, sizeof text) || !text[0])
        return NULL;
    return sentry_name(text, strlen(text), SCRUB_WORDS, r->config, r->arena, &r->batch->notes);
}

static bool read_body(struct reading *r, const char *body, size_t len, struct checkin *c,
                      struct err *err)
{
    const char *at = body;
    struct json_value slug = {.kind = JSON_STRING_V,
                              .text = c->slug,
                              .len = strlen(c->slug),
                              .key = "monitor_slug",
                              .key_len = 12};
    struct json_value *v = json_read(body, &at, body + len, r->arena, err);
    if (!v)
        return false;
    if (v->kind != JSON_OBJECT_V)
        return err_set(err, ERR_INPUT, "the body is no JSON object");
    r->batch->notes.scrubbed += scrub_tree(r->config->scrub, SCRUB_WORDS, v, r->arena);
    *(v->last ? &v->last->next : &v->first) = &slug; /* the path's beats the body's */
    v->last = &slug;
    struct checkin *said = sentry_checkin_read(v, r->arena);
    if (!said)
        return err_set(err, ERR_LIMIT, "the check-in is too large");
    *c = *said;
    return true;
}

bool sentry_cron_read(const struct http_request *request, const struct sentry_path *path,
                      const char *body, size_t len, const struct sentry_config *config,
                      struct arena *arena, struct sentry_batch *batch, struct err *err)
{
    struct reading r = {request, config, arena, batch};
    struct checkin *c = arena_alloc(arena, sizeof *c);
    *batch = (struct sentry_batch){0};
    if (!c)
        return err_set(err, ERR_LIMIT, "the request is too large");
    *c = (struct checkin){.duration_ms = -1,
                          .slug = sentry_slug(path->slug.at, path->slug.len, arena)};
    if (!c->slug)
        return err_set(err, ERR_INPUT, "the monitor's name in the path has no letter or digit");
    if (len > 0 && !read_body(&r, body, len, c, err))
        return false;
    const char *status = query_text(&r, "status");
    const char *id = query_text(&r, "check_in_id");
    const char *duration = query_text(&r, "duration");
    const char *environment = query_text(&r, "environment");
    if (status && !sentry_checkin_status(status, strlen(status), &c->status))
        return err_set(err, ERR_INPUT, "status is \"%.40s\": it takes ok, error or in_progress",
                       status);
    if (id && hex32_parse(id, strlen(id), c->id) && strspn(c->id, "0") == 32)
        c->id[0] = '\0';
    double seconds = duration ? strtod(duration, NULL) : -1;
    if (seconds >= 0 && seconds < 1e9)
        c->duration_ms = (int64_t)(seconds * 1000);
    if (environment)
        c->environment = environment;
    batch->checkins = c;
    return true;
}
