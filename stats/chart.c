/* chart.c -- numbers of a period to the description of a picture. */
#include "stats/chart.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "core/zone.h"

#include <stdio.h>
#include <string.h>

static int64_t sum_of(const int64_t *values, int count)
{
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

struct stats_trend stats_trend(const struct stats *s, const struct stats_ask *ask, int64_t now_ms)
{
    struct stats_trend t = {0};
    int last = ask->buckets - 1;
    int64_t passed = now_ms - (ask->from_ms + last * ask->width_ms);
    passed = passed < 0 ? 0 : passed > ask->width_ms ? ask->width_ms : passed;
    for (int i = 0; i < SEVERITIES; i++)
        t.now += sum_of(s->events[i], ask->buckets);
    t.before = sum_of(s->before, last) +
               (int64_t)((double)s->before[last] * (double)passed / (double)ask->width_ms + 0.5);
    int64_t change = t.now > t.before ? t.now - t.before : t.before - t.now;
    t.percent = t.before ? (int64_t)((double)change * 100 / (double)t.before + 0.5) : 0;
    return t;
}

void stats_trend_words(const struct stats_view *v, struct buf *html)
{
    enum language l = v->look->language;
    struct stats_trend t = stats_trend(v->stats, v->ask, v->look->now_ms);
    char number[WORDS_NUMBER_BYTES];
    const char *values[] = {number, phrase(l, stats_period_phrase(PHRASE_AGAINST_DAY, v->period))};
    words_number(l, t.percent, number);
    if (t.before == 0)
        buf_add_str(html, phrase(l, PHRASE_TREND_FIRST));
    else if (t.percent == 0)
        buf_add_str(html, phrase(l, PHRASE_TREND_SAME));
    else
        phrase_fill(l, t.now > t.before ? PHRASE_TREND_UP : PHRASE_TREND_DOWN, values, 2, html);
}

static void add_filter(const struct stats_filter *f, enum language l, struct buf *html)
{
    for (int s = SEVERITIES - 1; s >= 0; s--)
        if (f->severities & 1u << s)
            buf_addf(html, " · %s", phrase(l, (enum phrase)(PHRASE_SEVERITY_DEBUG + s)));
    for (int i = 0; i < STATS_WORDS_MAX && f->words[i]; i++) {
        buf_add_str(html, " · ");
        html_add_cut(html, f->words[i], strlen(f->words[i]), 60);
    }
}

void stats_title(const struct stats_view *v, struct buf *html)
{
    enum language l = v->look->language;
    buf_add_str(html, phrase(l, stats_period_phrase(PHRASE_TITLE_DAY, v->period)));
    add_filter(&v->ask->filter, l, html);
}

static json_t *plain(const struct buf *html)
{
    struct buf text;
    buf_init(&text, 4 * KIB);
    html_to_plain(buf_text(html), &text);
    json_t *json = json_stringn(buf_text(&text), text.len);
    buf_fini(&text);
    return json;
}

static json_t *values_of(const int64_t *values, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_integer(values[i]));
    return list;
}

/* The worst stands on the ground: there bars can be compared. */
static json_t *series_of(const struct stats_view *v)
{
    enum language l = v->look->language;
    json_t *list = json_array();
    for (int s = SEVERITIES - 1; s >= 0; s--) {
        char number[WORDS_NUMBER_BYTES];
        char name[128];
        words_number(l, sum_of(v->stats->events[s], v->ask->buckets), number);
        snprintf(name, sizeof name, "%s %s", phrase(l, (enum phrase)(PHRASE_SEVERITY_DEBUG + s)),
                 number);
        json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "name", name, "color",
                                              severity_name((enum severity)s), "values",
                                              values_of(v->stats->events[s], v->ask->buckets)));
    }
    return list;
}

/* Of a day every third hour, of a week its days in their middle, of a month every fifth day. */
static json_t *ticks_of(const struct stats_view *v)
{
    static const int EVERY[] = {3, 1, 5};
    json_t *list = json_array();
    for (int i = 0; i < v->ask->buckets; i += EVERY[v->period]) {
        int64_t at = v->ask->from_ms + i * v->ask->width_ms;
        char text[WORDS_MOMENT_BYTES];
        double middle = v->period == PERIOD_DAY ? 0 : v->period == PERIOD_WEEK ? 2 : 0.5;
        struct tm local;
        zone_local(v->look->zone, at + v->ask->width_ms / 2, &local);
        if (v->period == PERIOD_WEEK && local.tm_hour >= 6)
            continue; /* a day begins with the bucket of its midnight */
        if (v->period == PERIOD_DAY) {
            zone_local(v->look->zone, at, &local);
            snprintf(text, sizeof text, "%02d:%02d", local.tm_hour, local.tm_min);
        } else if (v->period == PERIOD_WEEK) {
            words_weekday(v->look, at + v->ask->width_ms / 2, text);
        } else {
            words_date(v->look, at + v->ask->width_ms / 2, text);
        }
        json_array_append_new(list, json_pack("{s:f,s:s}", "at", i + middle, "text", text));
    }
    return list;
}

static json_t *marks_of(const struct stats_view *v)
{
    json_t *list = json_array();
    const struct stats *s = v->stats;
    for (size_t i = 0; i < s->deploys_count; i++)
        json_array_append_new(list, json_pack("{s:f,s:s,s:s}", "at",
                                              (double)(s->deploys[i].at_ms - v->ask->from_ms) /
                                                  (double)v->ask->width_ms,
                                              "kind", "deploy", "text", s->deploys[i].name));
    for (int i = 0; i < v->ask->buckets; i++)
        if (s->alerts[i])
            json_array_append_new(list, json_pack("{s:f,s:s,s:I}", "at", i + 0.5, "kind", "alert",
                                                  "count", (json_int_t)s->alerts[i]));
    return list;
}

json_t *stats_chart(const struct stats_view *v)
{
    static const enum phrase WIDTHS[] = {PHRASE_BY_HOUR, PHRASE_BY_SIX_HOURS, PHRASE_BY_DAY};
    enum language l = v->look->language;
    struct stats_trend t = stats_trend(v->stats, v->ask, v->look->now_ms);
    char number[WORDS_NUMBER_BYTES];
    struct buf subtitle;
    struct buf trend;
    buf_init(&subtitle, 4 * KIB);
    buf_init(&trend, 4 * KIB);
    buf_add_str(&subtitle, phrase(l, WIDTHS[v->period]));
    add_filter(&v->ask->filter, l, &subtitle);
    stats_trend_words(v, &trend);
    words_number(l, t.now, number);
    json_t *chart = json_pack(
        "{s:s,s:o,s:s,s:o,s:s,s:s,s:s,s:o,s:{s:s,s:o},s:o,s:o,s:{s:s,s:s}}", "title",
        phrase(l, stats_period_phrase(PHRASE_TITLE_DAY, v->period)), "subtitle", plain(&subtitle),
        "headline", number, "trend", plain(&trend), "theme", v->is_dark ? "dark" : "light",
        "thousands", l == LANG_RU ? "\u00a0" : ",", "empty", phrase(l, PHRASE_EMPTY), "series",
        series_of(v), "ghost", "name", phrase(l, stats_period_phrase(PHRASE_BEFORE_DAY, v->period)),
        "values", values_of(v->stats->before, v->ask->buckets), "ticks", ticks_of(v), "marks",
        marks_of(v), "keys", "deploy", phrase(l, PHRASE_KEY_DEPLOY), "alert",
        phrase(l, PHRASE_KEY_ALERT));
    buf_fini(&subtitle);
    buf_fini(&trend);
    return chart;
}
