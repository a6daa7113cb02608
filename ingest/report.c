/* report.c -- see report.h.
 *
 *     JSON --read--> tree --scrubbed--> fields, each cut at its bound --> an event that is alone in its group */
#include "ingest/report.h"

#include "core/buf.h"
#include "core/event_code.h"
#include "core/json_out.h"
#include "core/limits.h"
#include "core/random.h"
#include "core/utf8.h"
#include "ingest/json_reader.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { TITLE_BYTES = 200, SHORT_BYTES = 500, LONG_BYTES = 8000 };

static const struct {
    const char *name;
    size_t offset;
    size_t bytes_max;
} FIELDS[] = {
    {"title", offsetof(struct user_report, title), TITLE_BYTES},
    {"description", offsetof(struct user_report, description), LONG_BYTES},
    {"steps", offsetof(struct user_report, steps), LONG_BYTES},
    {"expected", offsetof(struct user_report, expected), LONG_BYTES},
    {"actual", offsetof(struct user_report, actual), LONG_BYTES},
    {"category", offsetof(struct user_report, category), 64},
    {"url", offsetof(struct user_report, url), SHORT_BYTES},
    {"browser", offsetof(struct user_report, browser), SHORT_BYTES},
    {"contact", offsetof(struct user_report, contact), SHORT_BYTES},
    {"user_id", offsetof(struct user_report, user_id), 128},
    {"code", offsetof(struct user_report, code), 32},
    {"environment", offsetof(struct user_report, environment), 64},
    {"release", offsetof(struct user_report, release), 200},
};

static const char **field_at(struct user_report *r, size_t i)
{
    return (const char **)(void *)((char *)r + FIELDS[i].offset);
}

/* Without blanks around it; NULL when nothing is left, or nothing was given. */
static bool take(const struct json_value *value, size_t bytes_max, struct arena *arena,
                 const char **out)
{
    *out = NULL;
    if (!value || (value->kind != JSON_STRING_V && value->kind != JSON_NUMBER_V))
        return true;
    const char *at = value->text;
    size_t len = value->len;
    while (len && isspace((unsigned char)*at)) {
        at++;
        len--;
    }
    while (len && isspace((unsigned char)at[len - 1]))
        len--;
    if (!len)
        return true;
    len = utf8_cut(at, len, bytes_max);
    char *text = arena_alloc(arena, len + 1);
    if (!text)
        return false;
    memcpy(text, at, len);
    text[len] = '\0';
    *out = text;
    return true;
}

/* The first line of what is said, when no title is given. */
static bool add_title(struct user_report *r, struct arena *arena)
{
    if (r->title || !r->description)
        return true;
    size_t len = strcspn(r->description, "\r\n");
    struct json_value line = {.kind = JSON_STRING_V,
                              .text = r->description,
                              .len = utf8_cut(r->description, len, TITLE_BYTES)};
    return take(&line, TITLE_BYTES, arena, &r->title);
}

/* "Payment form" -> "payment-form"; what has no letter or digit is a bug. */
static bool add_category(struct user_report *r, struct arena *arena)
{
    char slug[65];
    size_t n = 0;
    for (const char *c = r->category; c && *c && n < sizeof slug - 1; c++)
        if (isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80) /* "Оплата" is a word, too */
            slug[n++] = (char)tolower((unsigned char)*c);
        else if (n && slug[n - 1] != '-')
            slug[n++] = '-';
    while (n && slug[n - 1] == '-')
        n--;
    slug[n] = '\0';
    struct json_value value = {.kind = JSON_STRING_V, .text = n ? slug : "bug", .len = n ? n : 3};
    return take(&value, sizeof slug, arena, &r->category);
}

static void add_member(struct buf *json, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(json, ",\"%s\":", name);
    json_add_str(json, value);
}

/* Its parts one below the other, as a person would read them; whom to write to stays in user_report: events
 * go on to others. */
static void add_story(const struct user_report *r, struct buf *text)
{
    const struct {
        const char *name;
        const char *text;
    } PARTS[] = {{"Description", r->description}, {"Steps", r->steps}, {"Expected", r->expected},
                 {"Actual", r->actual},           {"URL", r->url},     {"Browser", r->browser}};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (PARTS[i].text)
            buf_addf(text, "%s%s:\n%s", text->len ? "\n\n" : "", PARTS[i].name, PARTS[i].text);
}

static bool add_event(struct user_report *r, struct arena *arena)
{
    struct buf json;
    struct buf story;
    buf_init(&json, INGEST_EVENT_BYTES_MAX);
    buf_init(&story, 8 * LONG_BYTES);
    add_story(r, &story);
    random_hex32(r->event_id);
    buf_addf(&json,
             "{\"event_id\":\"%s\",\"origin\":\"user_report\",\"severity\":\"info\","
             "\"fingerprint\":[\"user_report\",\"%s\"]",
             r->event_id, r->event_id);
    add_member(&json, "message", r->title);
    add_member(&json, "stacktrace", story.len ? buf_text(&story) : NULL);
    add_member(&json, "handler", r->category);
    add_member(&json, "user_id", r->user_id);
    add_member(&json, "environment", r->environment);
    add_member(&json, "release", r->release);
    if (!r->user_id && r->reporter_id)
        buf_addf(&json, ",\"user_id\":\"%lld\"", (long long)r->reporter_id);
    buf_addf(&json, ",\"tags\":{\"category\":");
    json_add_str(&json, r->category);
    buf_add_str(&json, "}}");
    char *kept = json.full ? NULL : arena_alloc(arena, json.len + 1);
    if (kept)
        memcpy(kept, buf_text(&json), json.len + 1);
    r->event = kept;
    buf_fini(&json);
    buf_fini(&story);
    return kept != NULL;
}

static bool finish(struct user_report *r, struct arena *arena, struct err *err)
{
    if (!add_title(r, arena) || !add_category(r, arena))
        return err_set(err, ERR_LIMIT, "the report is too large");
    if (!r->title)
        return err_set(err, ERR_INPUT, "a report needs a title or a description");
    return add_event(r, arena) || err_set(err, ERR_LIMIT, "the report is too large");
}

static bool take_fields(struct json_value *tree, const struct scrub *scrub, struct arena *arena,
                        struct user_report *r)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        struct json_value *value = json_find(tree, FIELDS[i].name);
        bool is_contact = strcmp(FIELDS[i].name, "contact") == 0; /* it is given to be used */
        if (value && !is_contact && strcmp(FIELDS[i].name, "code") != 0)
            scrub_value(scrub, SCRUB_TEXT, value, arena);
        ok = ok && take(value, FIELDS[i].bytes_max, arena, field_at(r, i));
    }
    return ok;
}

bool report_read(const char *body, size_t len, int32_t project_id, const struct scrub *scrub,
                 struct arena *arena, struct user_report *r, struct err *err)
{
    const char *at = body;
    *r = (struct user_report){.project_id = project_id};
    struct json_value *tree = json_read(body, &at, body + len, arena, err);
    if (!tree)
        return false;
    if (tree->kind != JSON_OBJECT_V || json_skip_blanks(at, body + len) != body + len)
        return err_set(err, ERR_INPUT, "a report is one JSON object");
    if (!take_fields(tree, scrub, arena, r))
        return err_set(err, ERR_LIMIT, "the report is too large");
    return finish(r, arena, err);
}

/* Six characters, one of them a digit, none of them small. The number of an order looks the same: what is taken for a code stays
 * where it is said. */
static bool is_code(const char *text, size_t len)
{
    char low[RANDOM_HEX_BYTES];
    char high[RANDOM_HEX_BYTES];
    char code[EVENT_CODE_BYTES];
    bool digit = false;
    if (len != EVENT_CODE_BYTES - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (islower((unsigned char)text[i]))
            return false;
        digit = digit || isdigit((unsigned char)text[i]);
    }
    snprintf(code, sizeof code, "%.*s", (int)len, text);
    return digit && event_code_range(code, low, high);
}

bool report_of_text(const char *text, int32_t project_id, const struct scrub *scrub,
                    struct arena *arena, struct user_report *r, struct err *err)
{
    size_t word = strcspn(text, " \t\r\n");
    if (is_code(text, word)) {
        struct json_value code = {.kind = JSON_STRING_V, .text = text, .len = word};
        if (!take(&code, word, arena, &r->code))
            return err_set(err, ERR_LIMIT, "the report is too large");
    }
    struct json_value value = {.kind = JSON_STRING_V, .text = text, .len = strlen(text)};
    r->project_id = project_id;
    r->of_any_project = true;
    scrub_value(scrub, SCRUB_TEXT, &value, arena);
    if (!take(&value, LONG_BYTES, arena, &r->description))
        return err_set(err, ERR_LIMIT, "the report is too large");
    return finish(r, arena, err);
}
