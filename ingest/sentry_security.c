/* sentry_security.c -- a report into an event: title, group, and the whole report as payload. */
#include "ingest/sentry_security.h"

#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/fingerprint.h"
#include "ingest/sentry_value.h"

#include <stdio.h>
#include <string.h>

static const struct json_value *report_at(const struct json_value *body, size_t index)
{
    if (body->kind != JSON_ARRAY_V)
        return index == 0 && body->kind == JSON_OBJECT_V ? body : NULL;
    const struct json_value *v = body->first;
    while (v && index-- > 0)
        v = v->next;
    return v;
}

/* The host of a URL; a keyword ("inline", "eval") or scheme ("data") as it is. */
static struct part host_of(struct part url)
{
    const char *scheme = part_find(url, "://");
    if (!scheme) {
        const char *colon = part_find_last(url, ':');
        return colon ? part_until(url, colon) : url;
    }
    struct part rest = part_skip(url, (size_t)(scheme - url.at) + 3);
    size_t n = 0;
    while (n < rest.len && !strchr("/?#:", rest.at[n]))
        n++;
    return (struct part){rest.at, n};
}

/* How much of it a title shows: whole code points. */
static int shown(struct part p, size_t bytes_max)
{
    return (int)utf8_cut(p.at, p.len, bytes_max);
}

/* As browsers write it, as the Reporting API does, as Sentry's own events do. */
static struct part either(const struct json_value *v, const char *a, const char *b, const char *c)
{
    struct part p = sentry_get_part(v, a);
    p = p.len ? p : sentry_get_part(v, b);
    return p.len ? p : sentry_get_part(v, c);
}

/* "script-src-elem 'self' …": the directive is the first word. */
static struct part first_word(struct part p)
{
    size_t n = 0;
    while (n < p.len && p.at[n] != ' ')
        n++;
    return (struct part){p.at, n};
}

static void title_csp(const struct json_value *r, char *title, size_t size, char *key,
                      size_t key_size)
{
    struct part directive =
        either(r, "effective-directive", "effectiveDirective", "effective_directive");
    if (!directive.len)
        directive =
            first_word(either(r, "violated-directive", "violatedDirective", "violated_directive"));
    struct part host = host_of(either(r, "blocked-uri", "blockedURL", "blocked_uri"));
    bool own = !host.len || part_equals(host, "self");
    snprintf(title, size, "CSP: %.*s blocked %.*s", shown(directive, 60), directive.at,
             own ? 4 : shown(host, 200), own ? "self" : host.at);
    snprintf(key, key_size, "%.*s %.*s", shown(directive, 60), directive.at,
             own ? 4 : shown(host, 200), own ? "self" : host.at);
}

static const struct {
    const char *member;
    const char *name;
} KINDS[] = {{"expect-ct-report", "Expect-CT"},
             {"expect-staple-report", "Expect-Staple"},
             {"known-pins", "HPKP"}};

static void title_other(const struct json_value *r, char *title, size_t size, char *key,
                        size_t key_size)
{
    const char *name = "Security report";
    const struct json_value *inner = r;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (sentry_get(r, KINDS[i].member)) {
            name = KINDS[i].name;
            inner = sentry_get(r, KINDS[i].member);
        }
    inner = inner->kind == JSON_OBJECT_V ? inner : r;
    struct part host = sentry_get_part(inner, "hostname");
    struct part type = sentry_get_part(r, "type");
    if (type.len && strcmp(name, "Security report") == 0)
        snprintf(title, size, "%.*s report", shown(type, 60), type.at);
    else
        snprintf(title, size, "%s failed for %.*s", name, shown(host, 200), host.at);
    snprintf(key, key_size, "%s", title);
}

bool sentry_security_title(const struct json_value *event, char title[SECURITY_TITLE_BYTES],
                           char key[SECURITY_TITLE_BYTES])
{
    const struct json_value *csp = sentry_get(event, "csp");
    bool other = sentry_get(event, "expectct") || sentry_get(event, "expectstaple") ||
                 sentry_get(event, "hpkp");
    if (csp)
        title_csp(csp, title, SECURITY_TITLE_BYTES, key, SECURITY_TITLE_BYTES);
    else if (other)
        title_other(event, title, SECURITY_TITLE_BYTES, key, SECURITY_TITLE_BYTES);
    return csp || other;
}

bool sentry_security_read(const struct json_value *body, size_t index,
                          const struct sentry_config *config, struct arena *arena,
                          struct sentry_notes *notes, struct event *event, struct err *err)
{
    char title[SECURITY_TITLE_BYTES];
    char key[SECURITY_TITLE_BYTES];
    char frame[400];
    const struct json_value *report = report_at(body, index);
    if (!report || index >= SECURITY_REPORTS_MAX)
        return false;
    struct json_value copy = *report;
    notes->scrubbed += scrub_tree(config->scrub, SCRUB_TEXT, &copy, arena);
    const struct json_value *csp = sentry_get(&copy, "csp-report");
    if (!csp && part_equals(sentry_get_part(&copy, "type"), "csp-violation"))
        csp = sentry_get(&copy, "body");
    if (csp)
        title_csp(csp, title, sizeof title, key, sizeof key);
    else
        title_other(&copy, title, sizeof title, key, sizeof key);
    *event = (struct event){.project_id = config->project_id,
                            .occurred_ms = config->now_ms,
                            .received_ms = config->now_ms,
                            .severity = SEV_WARNING,
                            .origin = "csp"};
    random_event_id(config->now_ms, event->event_id);
    struct buf json;
    buf_init(&json, INGEST_EVENT_BYTES_MAX);
    json_write(&copy, &json);
    if (!json.full && copy.kind == JSON_OBJECT_V)
        event->payload = arena_str_dup_n(arena, json.data, json.len);
    buf_fini(&json);
    event->title = sentry_title(title, arena);
    event->message = event->title;
    struct part page =
        csp ? either(csp, "document-uri", "documentURL", "document_uri") : (struct part){"", 0};
    event->handler = event->culprit = sentry_text(page, NAME_BYTES_MAX, arena);
    if (!event->title)
        return err_set(err, ERR_LIMIT, "the report is too large to be read");
    const char *parts[] = {"csp", key};
    struct fingerprint_input in = {.given = {parts, 2}};
    fingerprint_make(event, &in, frame, sizeof frame);
    return true;
}
