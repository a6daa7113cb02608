/* channel_kinds.c -- the table of kinds: what each is sent. To add one, write its function and its row.
 *
 * Limits and formats: Slack (api.slack.com: incoming webhooks, Block Kit), Discord (discord.com/developers:
 * execute webhook), PagerDuty (Events API v2), ntfy (docs.ntfy.sh: publish as JSON), our own webhook
 * (docs/channels.md, signed as Standard Webhooks are). */
#include "alerts/channel.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "net/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_header(struct channel_request *r, const char *name, const char *value)
{
    if (r->headers_count < CHANNEL_HEADERS_MAX)
        snprintf(r->headers[r->headers_count++], CHANNEL_HEADER_BYTES, "%s: %s", name, value);
}

/* STEALS `json`. */
static bool send_json(struct channel_request *r, const char *url, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    snprintf(r->url, sizeof r->url, "%s", url);
    add_header(r, "Content-Type", "application/json");
    bool fits = text && buf_add_str(&r->body, text);
    r->broken = fits ? NULL : "what it is to be told does not fit";
    free(text);
    json_decref(json);
    return fits;
}

/* Text cut to `bytes_max` at a character; jansson takes clean UTF-8 alone. */
static json_t *text_of(const char *text, size_t bytes_max)
{
    size_t len = strlen(text);
    size_t cut = len > bytes_max ? utf8_cut(text, len, bytes_max - 4) : len;
    struct buf out;
    buf_init(&out, bytes_max + 8);
    buf_add(&out, text, cut);
    if (cut < len)
        buf_add_str(&out, "…");
    json_t *json = json_string(buf_text(&out));
    buf_fini(&out);
    return json ? json : json_string("");
}

static json_t *said(void (*say)(const struct channel_alert *, struct buf *),
                    const struct channel_alert *a, size_t bytes_max)
{
    struct buf text;
    buf_init(&text, TG_TEXT_BYTES_MAX);
    say(a, &text);
    json_t *json = text_of(buf_text(&text), bytes_max);
    buf_fini(&text);
    return json;
}

static const int COLORS[SEVERITIES] = {0x9e9e9e, 0x2196f3, 0xffb300, 0xf4511e, 0xd50000};

static int color_of(const struct channel_alert *a)
{
    bool resolved = a->what == CHANNEL_STATUS && a->card->group->status == STATUS_RESOLVED;
    return resolved ? 0x43a047 : COLORS[channel_severity(a)];
}

/* ----------------------------------------------------------------------------------------- Slack */

/* Slack's own marks: & < > are escaped, so that no text is a link or calls a channel. */
static void slack_text(const struct channel_alert *a, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, TG_TEXT_BYTES_MAX);
    channel_plain(a, &plain);
    for (const char *p = buf_text(&plain); *p; p++) {
        if (*p == '&')
            buf_add_str(out, "&amp;");
        else if (*p == '<')
            buf_add_str(out, "&lt;");
        else if (*p == '>')
            buf_add_str(out, "&gt;");
        else
            buf_add_char(out, *p);
    }
    buf_fini(&plain);
}

enum { SLACK_SECTION_BYTES = 2900, SLACK_TEXT_BYTES = 300 };

static bool build_slack(const struct channel *c, const struct channel_alert *a,
                        struct channel_request *r)
{
    char color[16];
    snprintf(color, sizeof color, "#%06x", (unsigned)color_of(a));
    json_t *section =
        json_pack("{s:s,s:{s:s,s:o,s:b}}", "type", "section", "text", "type", "plain_text", "text",
                  said(channel_plain, a, SLACK_SECTION_BYTES), "emoji", 0);
    struct buf fallback;
    buf_init(&fallback, TG_TEXT_BYTES_MAX);
    slack_text(a, &fallback);
    json_t *all =
        json_pack("{s:o,s:[{s:s,s:[o]}]}", "text", text_of(buf_text(&fallback), SLACK_TEXT_BYTES),
                  "attachments", "color", color, "blocks", section);
    buf_fini(&fallback);
    return send_json(r, c->url, all);
}

/* --------------------------------------------------------------------------------------- Discord */

enum { DISCORD_TITLE_BYTES = 250, DISCORD_TEXT_BYTES = 4000 };

static bool build_discord(const struct channel *c, const struct channel_alert *a,
                          struct channel_request *r)
{
    json_t *embed =
        json_pack("{s:o,s:o,s:i}", "title", said(channel_title, a, DISCORD_TITLE_BYTES),
                  "description", said(channel_plain, a, DISCORD_TEXT_BYTES), "color", color_of(a));
    /* no text of an event calls everyone */
    return send_json(r, c->url,
                     json_pack("{s:s,s:[o],s:{s:[]}}", "username", "Nabat", "embeds", embed,
                               "allowed_mentions", "parse"));
}

/* ------------------------------------------------------------------------------------------ ntfy */

enum { NTFY_MESSAGE_BYTES = 4000 };

/* The topic is the last part of the address; published as JSON to the server's root. */
static bool build_ntfy(const struct channel *c, const struct channel_alert *a,
                       struct channel_request *r)
{
    static const int PRIORITY[SEVERITIES] = {1, 2, 3, 4, 5};
    static const char *const TAGS[SEVERITIES] = {"speech_balloon", "information_source", "warning",
                                                 "x", "rotating_light"};
    const char *slash = strrchr(c->url, '/');
    char root[1000];
    char token[600];
    if (!slash || !slash[1]) {
        r->broken = "its url has no topic at the end";
        return false;
    }
    snprintf(root, sizeof root, "%.*s", (int)(slash - c->url), c->url);
    json_t *json = json_pack("{s:s,s:o,s:o,s:i,s:[s]}", "topic", slash + 1, "title",
                             said(channel_title, a, DISCORD_TITLE_BYTES), "message",
                             said(channel_plain, a, NTFY_MESSAGE_BYTES), "priority",
                             PRIORITY[channel_severity(a)], "tags", TAGS[channel_severity(a)]);
    if (c->secret) {
        snprintf(token, sizeof token, "Bearer %s", c->secret);
        add_header(r, "Authorization", token);
    }
    return send_json(r, root, json);
}

/* ------------------------------------------------------------------------------------- PagerDuty */

static const char PAGERDUTY_URL[] = "https://events.pagerduty.com/v2/enqueue";
enum { PAGERDUTY_SUMMARY_BYTES = 1000, PAGERDUTY_TEXT_BYTES = 20000 };

static const char *pagerduty_action(const struct channel_alert *a)
{
    if (a->what != CHANNEL_STATUS || !a->card)
        return "trigger";
    return a->card->group->status == STATUS_RESOLVED      ? "resolve"
           : a->card->group->status == STATUS_IN_PROGRESS ? "acknowledge"
                                                          : "trigger";
}

/* One incident a group, for as long as it is open; a digest is one of its own. */
static bool build_pagerduty(const struct channel *c, const struct channel_alert *a,
                            struct channel_request *r)
{
    static const char *const SEVERITY[SEVERITIES] = {"info", "info", "warning", "error",
                                                     "critical"};
    const struct group *g = a->card ? a->card->group : NULL;
    char key[80];
    char now[CLOCK_TEXT_BYTES];
    const char *action = pagerduty_action(a);
    clock_format_utc(a->now_ms, now);
    if (a->what == CHANNEL_NOTE)
        return false;
    if (g)
        snprintf(key, sizeof key, "nabat-%d-%" PRId64, (int)g->project_id, g->id);
    else
        snprintf(key, sizeof key, "nabat-digest-%" PRId64, a->delivery_id);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s}", "routing_key", c->secret, "event_action", action,
                             "dedup_key", key, "client", "Nabat");
    if (strcmp(action, "trigger") == 0)
        json_object_set_new(json, "payload",
                            json_pack("{s:o,s:s,s:s,s:s,s:s,s:{s:o}}", "summary",
                                      said(channel_title, a, PAGERDUTY_SUMMARY_BYTES), "source",
                                      g && g->server_name ? g->server_name : "nabat", "severity",
                                      SEVERITY[channel_severity(a)], "timestamp", now, "component",
                                      g && g->origin ? g->origin : "nabat", "custom_details",
                                      "text", said(channel_plain, a, PAGERDUTY_TEXT_BYTES)));
    return send_json(r, strstr(c->url, "://") ? c->url : PAGERDUTY_URL, json);
}

/* --------------------------------------------------------------------------------- our own webhook */

static json_t *group_json(const struct group *g)
{
    char first[CLOCK_TEXT_BYTES];
    char last[CLOCK_TEXT_BYTES];
    clock_format_utc(g->first_seen_ms, first);
    clock_format_utc(g->last_seen_ms, last);
    return json_pack("{s:I,s:s?,s:s,s:s?,s:s?,s:s,s:s,s:I,s:I,s:s,s:s,s:s?,s:s?,s:s?,s:s?}", "id",
                     (json_int_t)g->id, "project", g->project, "title", g->title ? g->title : "",
                     "culprit", g->culprit, "origin", g->origin, "severity",
                     severity_name(g->severity), "status", status_name(g->status), "occurrences",
                     (json_int_t)g->occurrences, "users_affected", (json_int_t)g->users_affected,
                     "first_seen", first, "last_seen", last, "assigned_to", g->assigned_to,
                     "environment", g->environment, "release", g->release, "handler", g->handler);
}

static json_t *groups_json(const struct digest_message *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->count; i++)
        json_array_append_new(list, group_json(&m->groups[i]));
    return list;
}

static bool build_webhook(const struct channel *c, const struct channel_alert *a,
                          struct channel_request *r)
{
    static const char *const TYPES[] = {"alert", "digest", "note", "status", "test"};
    char id[64];
    char text[CLOCK_TEXT_BYTES];
    struct buf signature;
    clock_format_utc(a->now_ms, text);
    snprintf(id, sizeof id, "nabat-%s-%" PRId64, TYPES[a->what], a->delivery_id);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s?,s:b,s:b,s:o}", "type", TYPES[a->what], "id", id,
                             "timestamp", text, "reason", a->reason, "possible_repeat",
                             a->card     ? a->card->possible_repeat
                             : a->digest ? a->digest->digest->possible_repeat
                                         : false,
                             "is_fallback", a->is_fallback, "text",
                             said(channel_plain, a, TG_TEXT_BYTES_MAX - 8));
    if (a->card)
        json_object_set_new(json, "group", group_json(a->card->group));
    if (a->digest)
        json_object_set_new(json, "groups", groups_json(a->digest));
    if (a->digest)
        json_object_set_new(json, "groups_total",
                            json_integer((json_int_t)a->digest->digest->groups));
    if (!send_json(r, c->url, json))
        return false;
    if (!c->secret)
        return true;
    int64_t now_s = a->now_ms / 1000;
    buf_init(&signature, KIB);
    bool ok = sign_webhook(c->secret, id, now_s, buf_text(&r->body), &signature);
    add_header(r, "webhook-id", id);
    snprintf(id, sizeof id, "%" PRId64, now_s);
    add_header(r, "webhook-timestamp", id);
    add_header(r, "webhook-signature", buf_text(&signature));
    buf_fini(&signature);
    r->broken = ok ? NULL : "its secret is no base64 behind whsec_";
    return ok;
}

const struct channel_kind CHANNEL_KINDS[] = {
    {"email", false, channel_mail},       {"slack", false, build_slack},
    {"discord", false, build_discord},    {"ntfy", false, build_ntfy},
    {"pagerduty", true, build_pagerduty}, {"webhook", true, build_webhook},
};
const size_t CHANNEL_KINDS_COUNT = sizeof CHANNEL_KINDS / sizeof *CHANNEL_KINDS;

const struct channel_kind *channel_kind_of(const char *name)
{
    for (size_t i = 0; i < CHANNEL_KINDS_COUNT; i++)
        if (strcmp(CHANNEL_KINDS[i].name, name) == 0)
            return &CHANNEL_KINDS[i];
    return NULL;
}
