/* sentry_items.c -- small payloads, read as tolerantly as events are. */
#include "ingest/sentry_items.h"

#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/fingerprint.h"
#include "ingest/sentry_event.h"
#include "ingest/sentry_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SLUG_BYTES_MAX = 50, MINUTES_MAX = 40320, THRESHOLD_MAX = 720, HOUR_MS = 3600 * 1000 };

/* -------------------------------------------------------------------------------------- check-ins */

const char *sentry_slug(const char *text, size_t len, struct arena *arena)
{
    char slug[SLUG_BYTES_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < len && n < SLUG_BYTES_MAX; i++) {
        char c = (char)tolower((unsigned char)text[i]);
        if (isalnum((unsigned char)c) || c == '_')
            slug[n++] = c;
        else if (n > 0 && slug[n - 1] != '-')
            slug[n++] = '-';
    }
    while (n > 0 && slug[n - 1] == '-')
        n--;
    return n ? arena_str_dup_n(arena, slug, n) : NULL;
}

bool sentry_checkin_status(const char *text, size_t len, enum checkin_status *out)
{
    for (int s = CHECKIN_OK; s <= CHECKIN_IN_PROGRESS; s++) {
        const char *name = checkin_status_name((enum checkin_status)s);
        if (strlen(name) == len && strncasecmp(name, text, len) == 0) {
            *out = (enum checkin_status)s;
            return true;
        }
    }
    return false;
}

static int64_t minutes(const struct json_value *config, const char *key, int64_t preset,
                       int64_t max)
{
    int64_t n = preset;
    if (!sentry_int(sentry_get(config, key), &n))
        return preset;
    return n < 1 ? 1 : n > max ? max : n;
}

/* {"type": "crontab", "value": "0 3 * * *"} or {"type": "interval", "value": 10, "unit": "minute"}.
 * Whether it means anything is for monitors/schedule to say. */
static bool read_schedule(const struct json_value *schedule, struct arena *arena,
                          struct monitor_config *config)
{
    struct part type = sentry_get_part(schedule, "type");
    struct part value = sentry_get_part(schedule, "value");
    struct part unit = sentry_get_part(schedule, "unit");
    char text[128];
    if (!value.len || value.len > 100 || unit.len > 20)
        return false;
    config->is_interval = part_equals(type, "interval");
    if (config->is_interval)
        snprintf(text, sizeof text, "%.*s %.*s", (int)value.len, value.at, (int)unit.len, unit.at);
    else
        snprintf(text, sizeof text, "%.*s", (int)value.len, value.at);
    config->schedule = arena_str_dup_n(arena, text, strlen(text));
    return config->schedule != NULL;
}

static bool read_config(const struct json_value *v, struct arena *arena, struct monitor_config *c)
{
    if (!v || !read_schedule(sentry_get(v, "schedule"), arena, c))
        return false;
    c->margin_min = minutes(v, "checkin_margin", 1, MINUTES_MAX);
    c->max_runtime_min = minutes(v, "max_runtime", 30, MINUTES_MAX);
    c->failure_threshold = minutes(v, "failure_issue_threshold", 1, THRESHOLD_MAX);
    c->recovery_threshold = minutes(v, "recovery_threshold", 1, THRESHOLD_MAX);
    c->timezone = sentry_text(sentry_get_part(v, "timezone"), 64, arena);
    return true;
}

struct checkin *sentry_checkin_read(const struct json_value *v, struct arena *arena)
{
    struct part slug = sentry_get_part(v, "monitor_slug");
    struct part id = sentry_get_part(v, "check_in_id");
    struct part status = sentry_get_part(v, "status");
    struct part seconds = sentry_get_part(v, "duration");
    struct checkin *c = arena_alloc(arena, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct checkin){.duration_ms = -1, .slug = sentry_slug(slug.at, slug.len, arena)};
    if (!c->slug)
        return NULL;
    if (hex32_parse(id.at, id.len, c->id) && strspn(c->id, "0") == 32)
        c->id[0] = '\0';
    sentry_checkin_status(status.at, status.len, &c->status);
    const char *text = sentry_text(seconds, 30, arena);
    double duration = text ? strtod(text, NULL) : -1;
    if (duration >= 0 && duration < 1e9)
        c->duration_ms = (int64_t)(duration * 1000);
    c->environment = sentry_text(sentry_get_part(v, "environment"), 64, arena);
    c->release = sentry_text(sentry_get_part(v, "release"), NAME_BYTES_MAX, arena);
    c->has_config = read_config(sentry_get(v, "monitor_config"), arena, &c->config);
    return c;
}

/* --------------------------------------------------------------------------------------- sessions */

static struct session_count *new_count(const struct json_value *attrs,
                                       const struct json_value *time, int64_t now_ms,
                                       struct arena *arena)
{
    int64_t ms = now_ms;
    struct session_count *s = arena_alloc(arena, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct session_count){
        .release = sentry_text(sentry_get_part(attrs, "release"), NAME_BYTES_MAX, arena),
        .environment = sentry_text(sentry_get_part(attrs, "environment"), 64, arena)};
    if (!sentry_time(time, &ms) || ms > now_ms + HOUR_MS || ms < now_ms - 30LL * 24 * HOUR_MS)
        ms = now_ms;
    s->hour_ms = ms - ms % HOUR_MS;
    return s;
}

/* Each update of a session counts what is new in it: its beginning (init), its first error, its
 * end. SDKs send an error only with the first update that has one. */
struct session_count *sentry_session_read(const struct json_value *v, int64_t now_ms,
                                          struct arena *arena)
{
    struct session_count *s =
        new_count(sentry_get(v, "attrs"), sentry_get(v, "started"), now_ms, arena);
    struct part status = sentry_get_part(v, "status");
    struct part id = sentry_get_part(v, "sid");
    int64_t errors = 0;
    if (!s || !s->release)
        return NULL;
    if (id.len < sizeof s->id)
        memcpy(s->id, id.at, id.len);
    sentry_int(sentry_get(v, "errors"), &errors);
    s->started = sentry_bool(sentry_get(v, "init")) == 1;
    s->crashed = part_equals(status, "crashed") || part_equals(status, "unhandled");
    s->abnormal = part_equals(status, "abnormal");
    s->errored = !s->crashed && (errors > 0 || part_equals(status, "errored"));
    return s->started || s->crashed || s->abnormal || s->errored ? s : NULL;
}

struct session_count *sentry_sessions_read(const struct json_value *v, int64_t now_ms,
                                           struct arena *arena)
{
    enum { AGGREGATES_MAX = 100 };
    const struct json_value *list = sentry_get(v, "aggregates");
    struct session_count *first = NULL;
    size_t n = 0;
    for (const struct json_value *a = sentry_list(list); a && n < AGGREGATES_MAX;
         a = sentry_list_next(list, a), n++) {
        struct session_count *s =
            new_count(sentry_get(v, "attrs"), sentry_get(a, "started"), now_ms, arena);
        int64_t exited = 0;
        if (!s || !s->release)
            return first;
        sentry_int(sentry_get(a, "exited"), &exited);
        sentry_int(sentry_get(a, "errored"), &s->errored);
        sentry_int(sentry_get(a, "crashed"), &s->crashed);
        sentry_int(sentry_get(a, "abnormal"), &s->abnormal);
        s->started = exited + s->errored + s->crashed + s->abnormal;
        if (s->started <= 0 || exited < 0 || s->errored < 0 || s->crashed < 0 || s->abnormal < 0 ||
            s->started > 1000000000)
            continue;
        s->next = first;
        first = s;
    }
    return first;
}

/* --------------------------------------------------------------------------------------- feedback */

static struct feedback *new_feedback(struct part message, struct arena *arena)
{
    struct feedback *f = arena_alloc(arena, sizeof *f);
    if (!f)
        return NULL;
    *f = (struct feedback){.message = sentry_text(message, 8 * KIB, arena)};
    return f->message ? f : NULL;
}

struct feedback *sentry_feedback_read(const struct json_value *v, struct arena *arena)
{
    const struct json_value *said = sentry_get_path(v, "contexts.feedback");
    struct part about = sentry_get_part(said, "associated_event_id");
    struct part id = sentry_get_part(v, "event_id");
    struct feedback *f = new_feedback(sentry_get_part(said, "message"), arena);
    if (!f)
        return NULL;
    hex32_parse(about.at, about.len, f->event_id);
    if (!hex32_parse(id.at, id.len, f->id))
        random_hex32(f->id);
    f->name = sentry_text(sentry_get_part(said, "name"), NAME_BYTES_MAX, arena);
    f->email = sentry_text(sentry_get_part(said, "contact_email"), NAME_BYTES_MAX, arena);
    f->url = sentry_text(sentry_get_part(said, "url"), 2 * KIB, arena);
    return f;
}

void sentry_feedback_event(const struct feedback *f, struct event *event, struct arena *arena)
{
    char title[TITLE_BYTES_MAX + NAME_BYTES_MAX + 4];
    char frame[400];
    const char *const parts[] = {"feedback", f->id};
    struct fingerprint_input in = {.given = {parts, 2}};
    size_t shown = utf8_cut(f->message, strlen(f->message), TITLE_BYTES_MAX);
    snprintf(title, sizeof title, "%s: %.*s", f->name ? f->name : "Feedback", (int)shown,
             f->message);
    const char *line = sentry_title(title, arena);
    event->title = line ? line : event->title;
    event->message = f->message;
    event->culprit = event->culprit ? event->culprit : f->url;
    fingerprint_make(event, &in, frame, sizeof frame);
}

struct feedback *sentry_user_report_read(const struct json_value *v, struct arena *arena)
{
    struct part about = sentry_get_part(v, "event_id");
    struct feedback *f = new_feedback(sentry_get_part(v, "comments"), arena);
    if (!f)
        return NULL;
    hex32_parse(about.at, about.len, f->event_id);
    random_hex32(f->id);
    f->name = sentry_text(sentry_get_part(v, "name"), NAME_BYTES_MAX, arena);
    f->email = sentry_text(sentry_get_part(v, "email"), NAME_BYTES_MAX, arena);
    return f;
}

/* --------------------------------------------------------------------------------- client reports */

/* Reasons that are the user's own wish, not a loss. */
static bool is_wished(struct part reason)
{
    return part_equals(reason, "sample_rate") || part_equals(reason, "before_send") ||
           part_equals(reason, "event_processor") || part_equals(reason, "ignored");
}

void sentry_client_report_read(const struct json_value *v, struct sentry_discards *discards)
{
    const struct json_value *list = sentry_get(v, "discarded_events");
    for (const struct json_value *d = sentry_list(list); d; d = sentry_list_next(list, d)) {
        int64_t n = 0;
        struct part category = sentry_get_part(d, "category");
        bool error = part_equals(category, "error") || part_equals(category, "default") ||
                     part_equals(category, "security");
        if (!sentry_int(sentry_get(d, "quantity"), &n) || n <= 0 || n > 1000000000)
            continue;
        if (error && !is_wished(sentry_get_part(d, "reason")))
            discards->errors += n;
        else
            discards->others += n;
    }
}
