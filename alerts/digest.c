/* digest.c -- why they are together, the worst of them, how many there are, and where the rest is. */
#include "alerts/digest.h"

#include "alerts/card.h"
#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TITLE_UNITS = 90, ABOUT_UNITS = 120, BUTTONS_A_ROW = 5 };

/* What held them back is named where there is a second text. */
static const struct heading {
    const char *mark;
    const char *bare[LANGUAGES];
    const char *named[LANGUAGES];
} HEADINGS[] = {
    [DIGEST_STORM] = {"🚨", {"Error storm", "Шквал"}, {NULL, NULL}},
    [DIGEST_LATE] = {"⏰",
                     {"While this chat could not be written to", "Пока сюда нельзя было написать"},
                     {NULL, NULL}},
    [DIGEST_QUIET] = {"🌅", {"During quiet hours", "За тихие часы"}, {NULL, NULL}},
    [DIGEST_SILENCE] = {"🔔",
                        {"During the silence", "За время тишины"},
                        {"During the silence “%s”", "За время тишины «%s»"}},
    [DIGEST_INHIBITED] = {"🔗",
                          {"Held back", "Придержано"},
                          {"Held back because of %s", "Придержано из-за %s"}},
    [DIGEST_FALLBACK] = {"📮",
                         {"While this chat could not be reached", "Пока этот чат был недоступен"},
                         {"While this chat could not be reached, sent to “%s”",
                          "Пока этот чат был недоступен, ушло в «%s»"}},
};

static const char *const STORM_WHY[LANGUAGES] = {
    "Too many for a message each, so here they are together, worst first.",
    "По сообщению на каждую было бы слишком много, поэтому они здесь вместе, сначала самые "
    "серьёзные.",
};
static const char *const MORE[LANGUAGES] = {
    "More on the next pages, all of them in errors.txt.",
    "Остальные на следующих страницах, все — в errors.txt."};
static const char *const GOES_ON[LANGUAGES] = {"Goes on since", "Продолжается с"};
static const char *const IS_OVER[LANGUAGES] = {"Over; it began", "Закончился; начался"};
static const char *const ALL_RESOLVED[LANGUAGES] = {"All of them are resolved", "Все решены"};
static const char *const STILL_OPEN[LANGUAGES] = {"Not resolved yet:", "Ещё не решено:"};
static const char *const LIST_CAPTION[LANGUAGES] = {"The whole list", "Полный список"};

static void add_heading(const struct digest_message *m, struct buf *html)
{
    enum language l = m->look->language;
    const struct heading *h = &HEADINGS[m->digest->reason];
    const char *about = m->digest->about;
    char errors[WORDS_COUNT_BYTES];
    words_count(l, COUNT_ERRORS, m->digest->groups, errors);
    buf_addf(html, "%s <b>", h->mark);
    if (h->named[l] && about && *about) {
        const char *place = strstr(h->named[l], "%s");
        buf_add(html, h->named[l], (size_t)(place - h->named[l]));
        html_add_cut(html, about, strlen(about), ABOUT_UNITS);
        buf_add_str(html, place + 2);
    } else {
        buf_add_str(html, h->bare[l]);
    }
    buf_addf(html, ": %s</b>\n", errors);
    if (m->digest->reason == DIGEST_STORM)
        buf_addf(html, "%s\n", STORM_WHY[l]);
    if (m->digest->possible_repeat)
        buf_addf(html, "♻️ <i>%s</i>\n", word(l, WORD_POSSIBLE_REPEAT));
    buf_add_char(html, '\n');
}

static void add_error(const struct group *g, enum language l, struct buf *html)
{
    char times[WORDS_COUNT_BYTES];
    words_count(l, COUNT_TIMES, g->occurrences, times);
    buf_addf(html, "%s <b>#%" PRId64 "</b> ", card_severity_mark(g->severity), g->id);
    html_add_cut(html, g->title, strlen(g->title), TITLE_UNITS);
    buf_addf(html, "\n     %s · %s", g->origin, times);
    if (g->status != STATUS_NEW)
        buf_addf(html, " · %s", word(l, (enum word)(WORD_NEW + (int)g->status)));
    if (g->assigned_to && *g->assigned_to && g->status != STATUS_RESOLVED) {
        buf_add_str(html, " · ");
        html_add_cut(html, g->assigned_to, strlen(g->assigned_to), 40);
    }
    buf_add_str(html, g->muted ? " · 🔕\n" : "\n");
}

static void add_foot(const struct digest_message *m, struct buf *html)
{
    enum language l = m->look->language;
    char began[WORDS_MOMENT_BYTES];
    if (m->digest->groups > DIGEST_ROWS)
        buf_addf(html, "\n📄 %s", MORE[l]);
    if (m->digest->reason == DIGEST_STORM) {
        words_moment(m->look, m->digest->opened_ms, began);
        buf_addf(html, "\n%s %s %s", m->is_over ? "🏁" : "⏳", m->is_over ? IS_OVER[l] : GOES_ON[l],
                 began);
    }
    if (m->digest->still_open == 0)
        buf_addf(html, "\n✅ %s", ALL_RESOLVED[l]);
    else if (m->digest->still_open < m->digest->groups)
        buf_addf(html, "\n👀 %s %" PRId64, STILL_OPEN[l], m->digest->still_open);
}

void digest_number_buttons(const struct group *groups, size_t count, struct chat_keyboard *keyboard)
{
    char text[32];
    char data[CHAT_BUTTON_DATA_BYTES + 1];
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "#%" PRId64, groups[i].id);
        snprintf(data, sizeof data, "open:%" PRId64, groups[i].id);
        chat_add_button(keyboard, text, data,
                        i + 1 == count || i % BUTTONS_A_ROW == BUTTONS_A_ROW - 1);
    }
}

void digest_page_buttons(int64_t page, int64_t pages, struct chat_keyboard *keyboard)
{
    char text[48];
    char data[CHAT_BUTTON_DATA_BYTES + 1];
    if (pages < 2)
        return;
    int64_t before = page > 1 ? page - 1 : pages;
    int64_t after = page < pages ? page + 1 : 1;
    snprintf(data, sizeof data, "page:%" PRId64, before);
    chat_add_button(keyboard, "◀", data, false);
    snprintf(text, sizeof text, "%" PRId64 " / %" PRId64, page, pages);
    snprintf(data, sizeof data, "page:%" PRId64, page);
    chat_add_button(keyboard, text, data, false);
    snprintf(data, sizeof data, "page:%" PRId64, after);
    chat_add_button(keyboard, "▶", data, true);
}

void digest_render(const struct digest_message *m, struct buf *html, struct chat_keyboard *keyboard)
{
    int64_t pages = (m->digest->groups + DIGEST_ROWS - 1) / DIGEST_ROWS;
    keyboard->count = 0;
    add_heading(m, html);
    for (size_t i = 0; i < m->count; i++)
        add_error(&m->groups[i], m->look->language, html);
    add_foot(m, html);
    digest_number_buttons(m->groups, m->count, keyboard);
    digest_page_buttons(m->digest->page, pages < LIST_PAGES_MAX ? pages : LIST_PAGES_MAX, keyboard);
}

void digest_list(const struct digest_message *m, struct buf *text, struct buf *caption)
{
    enum language l = m->look->language;
    char errors[WORDS_COUNT_BYTES];
    words_count(l, COUNT_ERRORS, m->digest->groups, errors);
    buf_addf(caption, "%s: %s", LIST_CAPTION[l], errors);
    buf_addf(text, "%s\n\n", errors);
    for (size_t i = 0; i < m->count; i++) {
        const struct group *g = &m->groups[i];
        char times[WORDS_COUNT_BYTES];
        char last[CLOCK_TEXT_BYTES];
        words_count(l, COUNT_TIMES, g->occurrences, times);
        clock_format_utc(g->last_seen_ms, last);
        buf_addf(text, "%s #%" PRId64 "  %s\n", severity_name(g->severity), g->id, g->title);
        buf_addf(text, "    %s · %s · %s · %s · %s\n", g->project, g->origin, times, last,
                 word(l, (enum word)(WORD_NEW + (int)g->status)));
        if (g->culprit && *g->culprit)
            buf_addf(text, "    %s\n", g->culprit);
    }
}
