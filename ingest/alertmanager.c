/* alertmanager.c -- each firing alert is written as POST /api/events would take it, and read as such: mended, scrubbed and
 * grouped by the same code. */
#include "ingest/alertmanager.h"

#include "core/clock.h"
#include "core/json_out.h"
#include "core/limits.h"
#include "ingest/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000, KEY_BYTES_MAX = 4 * KIB, PARSE_ARENA_BYTES_MAX = 48 * MIB };

static const char *const NAMES[] = {"alertmanager", "alertmanager hour"};
enum { NAME_GROUP, NAME_EVENT };

/* What Prometheus' users write beside the usual names (docs: kube-prometheus, Grafana's mixins). */
static const struct {
    const char *label;
    const char *severity;
} SEVERITIES_OF[] = {
    {"page", "critical"},  {"emergency", "critical"}, {"alert", "critical"}, {"major", "error"},
    {"ticket", "warning"}, {"minor", "warning"},      {"notice", "info"},    {"none", "info"},
};

struct alert {
    const struct json_value *labels;
    const struct json_value *annotations;
    char key[KEY_BYTES_MAX]; /* Alertmanager's fingerprint; its labels where there is none */
    int64_t starts_ms;       /* 0: it does not say */
    int64_t ends_ms;
    bool is_firing;
};

static bool is_text(const struct json_value *v)
{
    return v && v->kind == JSON_STRING_V && v->len > 0;
}

static const struct json_value *text_of(const struct json_value *object, const char *name)
{
    const struct json_value *v = json_find(object, name);
    return is_text(v) ? v : NULL;
}

static int64_t time_of(const struct json_value *alert, const char *name)
{
    int64_t ms = 0;
    const struct json_value *v = text_of(alert, name);
    return v && clock_parse_rfc3339(v->text, v->len, &ms) && ms > 0 ? ms : 0;
}

static void read_alert(const struct json_value *v, struct alert *out)
{
    const struct json_value *status = text_of(v, "status");
    const struct json_value *fingerprint = text_of(v, "fingerprint");
    struct buf key;
    *out = (struct alert){
        .labels = json_find(v, "labels"),
        .annotations = json_find(v, "annotations"),
        .starts_ms = time_of(v, "startsAt"),
        .ends_ms = time_of(v, "endsAt"),
        .is_firing = !status || status->len != 8 || memcmp(status->text, "resolved", 8) != 0,
    };
    buf_init(&key, KEY_BYTES_MAX - 1);
    if (fingerprint)
        buf_add(&key, fingerprint->text, fingerprint->len);
    else if (out->labels)
        json_write(out->labels, &key);
    snprintf(out->key, sizeof out->key, "%s", buf_text(&key));
    buf_fini(&key);
}

/* The same parts give the same 32 hex digits: of the group, and of the event of an hour. */
static void key_of(const struct alert *a, int32_t project, int64_t hour,
                   char out[FINGERPRINT_BYTES])
{
    char starts[24];
    char at[24];
    char frame[400];
    const char *const parts[] = {NAMES[hour ? NAME_EVENT : NAME_GROUP], a->key, starts, at};
    struct event event = {.project_id = project};
    struct fingerprint_input in = {.given = {parts, hour ? 4 : 2}};
    snprintf(starts, sizeof starts, "%" PRId64, a->starts_ms);
    snprintf(at, sizeof at, "%" PRId64, hour);
    fingerprint_make(&event, &in, frame, sizeof frame);
    memcpy(out, event.fingerprint, FINGERPRINT_BYTES);
}

static void add_member(struct buf *out, const char *name, const struct json_value *text)
{
    if (!text)
        return;
    buf_addf(out, ",\"%s\":", name);
    json_add_str_n(out, text->text, text->len);
}

static void add_severity(struct buf *out, const struct json_value *label)
{
    for (size_t i = 0; label && i < sizeof SEVERITIES_OF / sizeof *SEVERITIES_OF; i++)
        if (label->len == strlen(SEVERITIES_OF[i].label) &&
            memcmp(label->text, SEVERITIES_OF[i].label, label->len) == 0) {
            buf_addf(out, ",\"severity\":\"%s\"", SEVERITIES_OF[i].severity);
            return;
        }
    enum severity known;
    if (label && severity_parse(label->text, label->len, &known))
        buf_addf(out, ",\"severity\":\"%s\"", severity_name(known));
}

/* "DiskFull: / is 95 % full": the rule's name, and what its author says of this one. */
static void add_message(struct buf *out, const struct alert *a)
{
    static const char *const SAID_BY[] = {"summary", "message", "description"};
    const struct json_value *name = text_of(a->labels, "alertname");
    const struct json_value *said = NULL;
    struct buf text;
    for (size_t i = 0; !said && i < sizeof SAID_BY / sizeof *SAID_BY; i++)
        said = text_of(a->annotations, SAID_BY[i]);
    buf_init(&text, 64 * KIB);
    if (name)
        buf_add(&text, name->text, name->len);
    if (name && said)
        buf_add_str(&text, ": ");
    if (said)
        buf_add(&text, said->text, said->len);
    if (!name && !said)
        buf_add_str(&text, "an alert without a name");
    buf_add_str(out, "\"message\":");
    json_add_str_n(out, buf_text(&text), text.len);
    buf_fini(&text);
}

static void add_payload(struct buf *out, const struct json_value *alert,
                        const struct json_value *whole)
{
    static const char *const OF_ALERT[] = {"annotations", "startsAt", "generatorURL"};
    static const char *const OF_ALL[] = {"externalURL", "receiver", "groupKey"};
    const char *separator = "";
    buf_add_str(out, ",\"payload\":{");
    for (size_t i = 0; i < 6; i++) {
        const char *name = i < 3 ? OF_ALERT[i] : OF_ALL[i - 3];
        const struct json_value *v = json_find(i < 3 ? alert : whole, name);
        if (!v)
            continue;
        buf_addf(out, "%s\"%s\":", separator, name);
        json_write(v, out);
        separator = ",";
    }
    buf_add_str(out, "}");
}

/* It counts as happening now: at its start, or at the beginning of this hour if that was before. */
static void add_event(struct buf *out, const struct json_value *v, const struct json_value *whole,
                      const struct alert *a, const struct native_config *config)
{
    int64_t hour = config->now_ms / HOUR_MS;
    int64_t since = a->starts_ms > hour * HOUR_MS ? a->starts_ms : hour * HOUR_MS;
    char id[FINGERPRINT_BYTES];
    key_of(a, config->project_id, hour, id);
    buf_add_str(out, out->len > 1 ? ",{" : "{");
    add_message(out, a);
    buf_addf(out,
             ",\"origin\":\"alertmanager\",\"event_id\":\"%s\",\"occurred_at\":%" PRId64 ".%03d",
             id, since / 1000, (int)(since % 1000));
    add_severity(out, text_of(a->labels, "severity"));
    add_member(out, "handler", text_of(a->labels, "alertname"));
    add_member(out, "server_name", text_of(a->labels, "instance"));
    const struct json_value *environment = text_of(a->labels, "environment");
    add_member(out, "environment", environment ? environment : text_of(a->labels, "env"));
    if (a->labels) {
        buf_add_str(out, ",\"tags\":");
        json_write(a->labels, out);
    }
    add_payload(out, v, whole);
    buf_addf(out, ",\"fingerprint\":[\"%s\",", NAMES[NAME_GROUP]);
    json_add_str(out, a->key);
    buf_add_str(out, "]}");
}

static bool add_over(const struct alert *a, const struct native_config *config, struct arena *arena,
                     struct alert_over *over)
{
    const struct json_value *name = text_of(a->labels, "alertname");
    int64_t ends = a->ends_ms ? a->ends_ms : config->now_ms;
    key_of(a, config->project_id, 0, over->fingerprint);
    over->name = name ? arena_str_dup_n(arena, name->text, name->len) : "?";
    over->minutes = a->starts_ms && ends > a->starts_ms ? (ends - a->starts_ms) / 60000 : 0;
    return over->name != NULL;
}

static bool check(const struct json_value *whole, struct err *err)
{
    const struct json_value *version = json_find(whole, "version");
    const struct json_value *alerts = json_find(whole, "alerts");
    if (whole->kind != JSON_OBJECT_V)
        return err_set(err, ERR_INPUT, "the body is no JSON object: Alertmanager's webhook is one");
    if (!version || version->len != 1 || *version->text != '4')
        return err_set(
            err, ERR_INPUT,
            "\"version\" is not \"4\": this takes the webhook of Alertmanager, version 4");
    if (!alerts || alerts->kind != JSON_ARRAY_V)
        return err_set(err, ERR_INPUT, "\"alerts\" is no array");
    return true;
}

static size_t count_of(const struct json_value *array)
{
    size_t n = 0;
    for (const struct json_value *v = array->first; v; v = v->next)
        n++;
    return n;
}

/* The firing ones as a request's body. */
static bool sort(const struct json_value *whole, const struct native_config *config,
                 struct arena *arena, struct alertmanager_batch *batch, struct buf *events,
                 struct err *err)
{
    const struct json_value *alerts = json_find(whole, "alerts");
    const struct json_value *left_out = json_find(whole, "truncatedAlerts");
    size_t count = count_of(alerts);
    batch->has_left_out = left_out && left_out->kind == JSON_NUMBER_V && *left_out->text != '0';
    batch->over = arena_alloc(arena, (count ? count : 1) * sizeof *batch->over);
    if (!batch->over)
        return err_set(err, ERR_LIMIT, "the request is too large");
    buf_add_str(events, "[");
    for (const struct json_value *v = alerts->first; v; v = v->next) {
        struct alert alert;
        if (v->kind != JSON_OBJECT_V)
            return err_set(err, ERR_INPUT, "an element of \"alerts\" is no object");
        read_alert(v, &alert);
        if (alert.is_firing)
            add_event(events, v, whole, &alert, config);
        else if (!add_over(&alert, config, arena, &batch->over[batch->over_count++]))
            return err_set(err, ERR_LIMIT, "the request is too large");
    }
    buf_add_str(events, "]");
    return !events->full || err_set(err, ERR_LIMIT, "the request is too large");
}

bool alertmanager_read(const char *body, size_t len, const struct native_config *config,
                       struct arena *arena, struct alertmanager_batch *batch, struct err *err)
{
    const char *at = body;
    struct arena *parse = arena_new(PARSE_ARENA_BYTES_MAX);
    struct buf events;
    *batch = (struct alertmanager_batch){0};
    buf_init(&events, INGEST_INFLATED_BYTES_MAX);
    const struct json_value *whole = json_read(body, &at, body + len, parse, err);
    bool ok = whole && check(whole, err) && sort(whole, config, arena, batch, &events, err);
    arena_free(parse);
    if (ok && events.len > 2)
        ok = native_read(events.data, events.len, config, arena, &batch->firing, err);
    buf_fini(&events);
    return ok;
}
