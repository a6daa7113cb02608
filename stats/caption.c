/* caption.c -- numbers of a period to words: under a chart, as bars, as a sparkline. */
#include "stats/chart.h"

#include "alerts/card.h"
#include "alerts/html.h"
#include "core/limits.h"

#include <stdio.h>
#include <string.h>

static void line(struct buf *html, enum language l, enum phrase which, const char *a, const char *b,
                 const char *c)
{
    const char *values[] = {a, b, c};
    buf_add_char(html, '\n');
    phrase_fill(l, which, values, 3, html);
}

static void add_changes(const struct stats_view *v, struct buf *html)
{
    enum language l = v->look->language;
    char made[WORDS_COUNT_BYTES];
    char made_before[WORDS_NUMBER_BYTES];
    char back[WORDS_NUMBER_BYTES];
    char back_before[WORDS_NUMBER_BYTES];
    words_count(l, COUNT_NEW_ERRORS, v->stats->made, made);
    words_number(l, v->stats->before_made, made_before);
    words_number(l, v->stats->regressed, back);
    words_number(l, v->stats->before_regressed, back_before);
    const char *values[] = {back, back_before};
    line(html, l, PHRASE_MADE, made, made_before, NULL);
    phrase_fill(l, PHRASE_REGRESSED, values, 2, html);
}

static void add_open(const struct stats_view *v, struct buf *html)
{
    enum language l = v->look->language;
    char open[WORDS_NUMBER_BYTES];
    char critical[WORDS_NUMBER_BYTES];
    words_number(l, v->stats->open, open);
    words_number(l, v->stats->open_critical, critical);
    line(html, l, v->stats->open ? PHRASE_OPEN : PHRASE_OPEN_NONE, open, critical, NULL);
}

static void add_alerts(const struct stats_view *v, struct buf *html)
{
    enum language l = v->look->language;
    int64_t alerts = 0;
    char text[WORDS_COUNT_BYTES];
    for (int i = 0; i < v->ask->buckets; i++)
        alerts += v->stats->alerts[i];
    words_count(l, COUNT_ALERTS, alerts, text);
    line(html, l, alerts ? PHRASE_ALERTS : PHRASE_NO_ALERTS, text, NULL, NULL);
}

static void add_worst(const struct stats_view *v, int64_t all, struct buf *html)
{
    char id[WORDS_NUMBER_BYTES];
    char percent[WORDS_NUMBER_BYTES];
    if (!v->stats->worst_id || all == 0)
        return;
    int64_t share = (int64_t)((double)v->stats->worst_events * 100 / (double)all + 0.5);
    snprintf(id, sizeof id, "%lld", (long long)v->stats->worst_id);
    words_number(v->look->language, share > 100 ? 100 : share, percent);
    line(html, v->look->language, PHRASE_WORST, id, v->stats->worst_title, percent);
}

void stats_caption(const struct stats_view *v, struct buf *html)
{
    enum language l = v->look->language;
    struct stats_trend t = stats_trend(v->stats, v->ask, v->look->now_ms);
    char events[WORDS_COUNT_BYTES];
    char users[WORDS_COUNT_BYTES];
    char counted[WORDS_NUMBER_BYTES];
    buf_add_str(html, "📊 <b>");
    stats_title(v, html);
    words_count(l, COUNT_EVENTS, t.now, events);
    buf_addf(html, "</b>\n🔢 <b>%s</b>, ", events);
    stats_trend_words(v, html);
    add_changes(v, html);
    words_count(l, COUNT_USERS, v->stats->users, users);
    if (v->stats->users > 0)
        line(html, l, PHRASE_USERS, users, NULL, NULL);
    add_open(v, html);
    add_alerts(v, html);
    add_worst(v, t.now, html);
    words_number(l, v->stats->counted, counted);
    if (v->stats->counted)
        line(html, l, PHRASE_COUNTED, counted, NULL, NULL);
}

/* ----------------------------------------------------------------------------------------------- top */

enum { BAR_SIGNS = 12, NAME_UNITS = 60 };

static void add_bar(struct buf *html, int64_t n, int64_t most)
{
    int64_t eighths = most ? (n * BAR_SIGNS * 8 + most - 1) / most : 0;
    static const char *const PARTS[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    for (int64_t i = 0; i < eighths / 8; i++)
        buf_add_str(html, "█");
    buf_add_str(html, PARTS[eighths % 8]);
}

static void add_top_line(enum stats_top what, const struct stats_line *s, int64_t most,
                         int64_t total, const struct look *look, struct buf *html)
{
    enum language l = look->language;
    char events[WORDS_NUMBER_BYTES];
    words_number(l, s->events, events);
    buf_add_str(html, "\n<code>");
    add_bar(html, s->events, most);
    buf_addf(html, "</code> <b>%s</b>", events);
    if (total)
        buf_addf(html, " · %lld %%", (long long)((s->events * 100 + total / 2) / total));
    buf_add_str(html, "\n");
    if (what == TOP_ERRORS)
        buf_addf(html, "%s <b>#%lld</b> ", card_severity_mark(s->severity), (long long)s->group_id);
    html_add_cut(html, s->name, strlen(s->name), NAME_UNITS);
    if (what == TOP_RELEASES && (s->made || s->regressed)) {
        char made[WORDS_COUNT_BYTES];
        char back[WORDS_NUMBER_BYTES];
        const char *values[] = {made, back};
        words_count(l, COUNT_NEW_ERRORS, s->made, made);
        words_number(l, s->regressed, back);
        buf_add_char(html, '\n');
        phrase_fill(l, PHRASE_BROKE, values, 2, html);
    }
}

void stats_top_render(enum stats_top what, enum stats_period period, const struct look *look,
                      const struct stats_line *lines, size_t count, int64_t total, struct buf *html)
{
    static const char *const SPANS[][LANGUAGES] = {
        [PERIOD_DAY] = {"24 hours", "24 часа"},
        [PERIOD_WEEK] = {"7 days", "7 дней"},
        [PERIOD_MONTH] = {"30 days", "30 дней"},
    };
    enum language l = look->language;
    buf_addf(html, "<b>%s</b> · %s\n", phrase(l, (enum phrase)(PHRASE_TOP_ERRORS + (int)what)),
             SPANS[period][l]);
    if (count == 0)
        buf_addf(html, "\n%s", phrase(l, PHRASE_TOP_NONE));
    for (size_t i = 0; i < count; i++)
        add_top_line(what, &lines[i], lines[0].events, total, look, html);
}

void stats_sparkline(const int64_t *values, size_t count, struct buf *out)
{
    static const char *const LEVELS[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int64_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    for (size_t i = 0; most && i < count; i++)
        buf_add_str(out, LEVELS[values[i] ? 1 + values[i] * 6 / most : 0]);
}
