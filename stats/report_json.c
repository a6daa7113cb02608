/* report_json.c -- the report for programs, and the document that is drawn of it. */
#include "stats/report.h"

#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "stats/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *error_json(const struct report_error *e)
{
    if (!e->id)
        return json_null();
    return json_pack("{s:I,s:s,s:s,s:s?}", "group_id", (json_int_t)e->id, "title", e->title,
                     "severity", severity_name(e->severity), "release", e->release);
}

static json_t *aged_json(const struct report_error *e)
{
    json_t *json = error_json(e);
    if (e->id)
        json_object_set_new(json, "seconds", json_integer((json_int_t)(e->ms / 1000)));
    return json;
}

static json_t *list_json(const struct report_error *list, size_t count)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json, error_json(&list[i]));
    return json;
}

static json_t *seconds_json(int64_t ms)
{
    return ms < 0 ? json_null() : json_integer((json_int_t)(ms / 1000));
}

/* HTML lines as plain ones; "" lines are left out. */
static json_t *lines_json(const struct buf *html)
{
    struct buf plain;
    json_t *list = json_array();
    buf_init(&plain, TG_TEXT_BYTES_MAX);
    html_to_plain(buf_text(html), &plain);
    for (const char *at = buf_text(&plain); *at;) {
        size_t n = strcspn(at, "\n");
        at += strspn(at, " ") < n ? strspn(at, " ") : 0;
        n = strcspn(at, "\n");
        if (n)
            json_array_append_new(list, json_stringn(at, n));
        at += n;
        at += *at == '\n';
    }
    buf_fini(&plain);
    return list;
}

/* Fonts of documents have no emoji: a line's mark goes. */
static void drop_marks(json_t *lines)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *text = json_string_value(json_array_get(lines, i));
        const char *at = text;
        while ((unsigned char)*at >= 0xe2 && (unsigned char)*at != 0xef)
            at += strcspn(at, " ") + strspn(at + strcspn(at, " "), " ");
        if (at != text)
            json_array_set_new(lines, i, json_string(at));
    }
}

static json_t *section(const char *title, json_t *lines)
{
    drop_marks(lines);
    return json_pack("{s:s,s:o}", "title", title, "lines", lines);
}

static json_t *document(const struct report *r)
{
    enum language l = r->view.look->language;
    struct buf words;
    struct buf advice;
    char made[WORDS_MOMENT_BYTES];
    char foot[96];
    buf_init(&words, TG_TEXT_BYTES_MAX);
    buf_init(&advice, TG_TEXT_BYTES_MAX);
    report_words(r, &words);
    report_advice(r, &advice);
    words_moment(r->view.look, r->view.look->now_ms, made);
    json_t *lines = lines_json(&words);
    char *title = NULL;
    size_t advised = json_array_size(lines);
    json_t *advices = lines_json(&advice);
    /* the advice and its title are the last lines: they are a section of their own */
    for (size_t i = 0; i <= json_array_size(advices) && advised > 1; i++)
        json_array_remove(lines, --advised);
    const char *first = json_string_value(json_array_get(lines, 0));
    const char *blank = first ? strchr(first, ' ') : NULL;
    title = blank ? strdup(blank + 1) : strdup("");
    json_array_remove(lines, 0);
    snprintf(foot, sizeof foot, "Nabat %s", NABAT_VERSION);
    json_t *chart = stats_chart(&r->view);
    json_object_set_new(chart, "theme", json_string("light"));
    json_t *doc = json_pack("{s:s,s:s,s:o,s:[o,o],s:s}", "title", title, "subtitle", made, "chart",
                            chart, "sections", section(phrase(l, PHRASE_SECTION_NUMBERS), lines),
                            section(phrase(l, PHRASE_ADVICE), advices), "foot", foot);
    free(title);
    buf_fini(&words);
    buf_fini(&advice);
    return doc;
}

json_t *report_json(const struct report *r)
{
    const struct report_facts *f = r->facts;
    struct buf advice;
    buf_init(&advice, TG_TEXT_BYTES_MAX);
    report_advice(r, &advice);
    json_t *json = stats_numbers(&r->view);
    json_t *lost = json_object();
    for (size_t i = 0; i < f->losses_count; i++)
        json_object_set_new(lost, f->losses[i].kind, json_integer((json_int_t)f->losses[i].n));
    json_object_set_new(json, "resolved", json_integer((json_int_t)f->resolved));
    json_object_set_new(json, "taken", json_integer((json_int_t)f->taken));
    json_object_set_new(json, "mean_seconds_to_take", seconds_json(f->mean_take_ms));
    json_object_set_new(json, "mean_seconds_to_resolve", seconds_json(f->mean_resolve_ms));
    json_object_set_new(json, "slowest_to_take", aged_json(&f->slowest));
    json_object_set_new(json, "oldest_open", aged_json(&f->oldest));
    json_object_set_new(json, "open_critical_unowned",
                        json_integer((json_int_t)f->open_unowned_critical));
    json_object_set_new(json, "crash_free",
                        f->crash_free < 0 ? json_null() : json_real(f->crash_free));
    json_object_set_new(json, "new_errors", list_json(f->made, f->made_count));
    json_object_set_new(json, "regressed_errors", list_json(f->back, f->back_count));
    json_object_set_new(json, "lost", lost);
    json_object_set_new(json, "advice", lines_json(&advice));
    json_object_set_new(json, "document", document(r));
    buf_fini(&advice);
    return json;
}
