/* card.c -- what a person sees of an error, readable on a phone in two seconds.
 *
 * Every part has its own bound (below), so that their sum fits a message whatever they hold. */
#include "alerts/card.h"

#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* UTF-16 units a part may take; together below TG_TEXT_UNITS_MAX (4096). */
enum {
    TITLE_UNITS = 350,
    WHERE_UNITS = 200,
    NAME_UNITS = 80,
    NOTE_UNITS = 300,
    STACK_UNITS = 1300
};
enum { STACK_LINES = 14 };

const char *card_severity_mark(enum severity severity)
{
    static const char *const MARKS[] = {"⚪", "🔵", "🟡", "🟠", "🔴"};
    return MARKS[severity];
}

static void add_cut(struct buf *html, const char *text, size_t units)
{
    html_add_cut(html, text, strlen(text), units);
}

static void add_field(struct buf *html, bool *first, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_add_str(html, *first ? "" : " · ");
    *first = false;
    if (name)
        buf_addf(html, "%s ", name);
    add_cut(html, value, NAME_UNITS);
}

static void add_head(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    buf_addf(html, "%s <b>%s</b> · #%" PRId64, card_severity_mark(g->severity),
             word(card->language, (enum word)(WORD_DEBUG + (int)g->severity)), g->id);
    if (card->regression)
        buf_addf(html, "\n↩️ <b>%s</b>", word(card->language, WORD_REGRESSION));
    if (card->possible_repeat)
        buf_addf(html, "\n<i>%s</i>", word(card->language, WORD_POSSIBLE_REPEAT));
    buf_add_str(html, "\n<b>");
    add_cut(html, g->title, TITLE_UNITS);
    buf_add_str(html, "</b>\n");
}

static void add_where(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    const char *handler = g->event_handler ? g->event_handler : g->handler;
    bool first = true;
    buf_add_str(html, "\n📍 ");
    add_cut(html, g->origin, NAME_UNITS);
    if (handler && *handler) {
        buf_add_str(html, " · ");
        add_cut(html, handler, WHERE_UNITS);
    } else if (g->culprit && *g->culprit) {
        buf_add_str(html, " · ");
        add_cut(html, g->culprit, WHERE_UNITS);
    }
    buf_add_str(html, "\n📦 ");
    add_field(html, &first, NULL, g->project ? g->project : "?");
    add_field(html, &first, NULL, g->environment);
    add_field(html, &first, NULL, g->release);
}

static void add_who(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    char chat[24] = "";
    bool first = true;
    if (g->has_chat_id)
        snprintf(chat, sizeof chat, "%" PRId64, g->chat_id);
    if (!g->has_chat_id && !g->user_id && !g->gen_request_id)
        return;
    buf_add_str(html, "\n👤 ");
    add_field(html, &first, word(card->language, WORD_USER), g->user_id);
    add_field(html, &first, word(card->language, WORD_CHAT), chat);
    add_field(html, &first, word(card->language, WORD_GENERATION), g->gen_request_id);
}

static void add_counts(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    char times[96];
    char users[96];
    char first_seen[CLOCK_TEXT_BYTES];
    char last_seen[CLOCK_TEXT_BYTES];
    words_count(card->language, COUNT_TIMES, g->occurrences, times);
    clock_format_local(g->first_seen_ms, first_seen);
    clock_format_local(g->last_seen_ms, last_seen);
    buf_addf(html, "\n🔁 <b>%s</b>", times);
    if (g->users_affected > 0) {
        words_count(card->language, COUNT_USERS, g->users_affected, users);
        buf_addf(html, " · %s", users);
    }
    buf_addf(html, "\n🕒 %s %s · %s %s", word(card->language, WORD_FIRST), first_seen,
             word(card->language, WORD_LAST), last_seen);
    if (card->held > 0) {
        char held[96];
        words_count(card->language, COUNT_HELD, card->held, held);
        buf_addf(html, "\n🔕 %s", held);
    }
}

/* Whole lines only: Python's innermost frame comes last, everybody else's first. */
static bool pick_stack(const struct group *g, const char **at, size_t *len)
{
    const char *text = g->stack_part;
    size_t n = strlen(text);
    bool innermost_last = strstr(text, "Traceback (most recent") || strstr(text, "\n  File \"");
    int lines = 0;
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    size_t from = 0;
    size_t to = n;
    if (innermost_last) {
        from = n;
        while (from > 0 && lines < STACK_LINES && n - from < STACK_UNITS - 100)
            if (text[--from] == '\n')
                lines++;
        from += from > 0 && text[from] == '\n';
        size_t next = strcspn(text + from, "\n"); /* what the bound cut in two goes */
        if (from > 0 && text[from - 1] != '\n' && from + next < n)
            from += next + 1;
    } else {
        to = 0;
        while (to < n && (text[to] != '\n' || ++lines < STACK_LINES))
            to++;
    }
    *at = text + from;
    *len = to - from;
    return from > 0 || to < n || g->stack_is_cut;
}

static void add_stack(const struct card *card, struct buf *html)
{
    const char *at = NULL;
    size_t len = 0;
    if (!card->group->stack_part || !*card->group->stack_part)
        return;
    bool cut = pick_stack(card->group, &at, &len);
    if (len == 0)
        return;
    buf_add_str(html, "\n<blockquote expandable>");
    cut = html_add_cut(html, at, len, STACK_UNITS) || cut;
    buf_add_str(html, "</blockquote>");
    if (cut)
        buf_addf(html, "\n<i>… %s</i>", word(card->language, WORD_STACK_CUT));
}

static void add_state_line(struct buf *html, const char *mark, const char *what, const char *who,
                           int64_t when_ms)
{
    char when[CLOCK_TEXT_BYTES];
    buf_addf(html, "\n%s %s ", mark, what);
    add_cut(html, who && *who ? who : "?", NAME_UNITS);
    if (when_ms) {
        clock_format_local(when_ms, when);
        buf_addf(html, ", %s", when);
    }
}

void card_render_state(const struct group *g, enum language language, struct buf *html)
{
    char text[CLOCK_TEXT_BYTES];
    if (g->status == STATUS_IN_PROGRESS)
        add_state_line(html, "👀", word(language, WORD_TAKEN_BY),
                       g->assigned_to ? g->assigned_to : g->changed_by, g->changed_ms);
    else if (g->status == STATUS_RESOLVED)
        add_state_line(html, "✅", word(language, WORD_RESOLVED_BY), g->changed_by,
                       g->changed_ms ? g->changed_ms : g->resolved_ms);
    else if (g->changed_by && strcmp(g->changed_by, "nabat") != 0)
        add_state_line(html, "🔓", word(language, WORD_REOPENED), g->changed_by, g->changed_ms);
    if (g->muted && g->muted_until_ms) {
        clock_format_local(g->muted_until_ms, text);
        buf_addf(html, "\n🔕 %s %s", word(language, WORD_MUTED_UNTIL), text);
    } else if (g->muted && g->muted_until_count) {
        char times[96];
        words_count(language, COUNT_TIMES, g->muted_until_count, times);
        buf_addf(html, "\n🔕 %s %s", word(language, WORD_MUTED_COUNT), times);
    }
    if (g->note && *g->note) {
        buf_addf(html, "\n📝 %s: ", word(language, WORD_NOTE));
        add_cut(html, g->note, NOTE_UNITS);
    }
}

bool card_fill_url(const char *url, const char *name, const char *value, char *out, size_t size)
{
    const char *mark = strstr(url, name);
    if (!mark)
        return snprintf(out, size, "%s", url) < (int)size;
    size_t n = (size_t)(mark - url);
    if (n >= size)
        return false;
    memcpy(out, url, n);
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (n + 4 > size)
            return false;
        if (isalnum(*p) || strchr("-._~", *p))
            out[n++] = (char)*p;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", *p);
    }
    return snprintf(out + n, size - n, "%s", mark + strlen(name)) < (int)(size - n);
}

static void add_link(const struct card *card, struct chat_keyboard *keyboard, const char *url,
                     const char *name, const char *value, enum word text)
{
    char filled[CHAT_BUTTON_URL_BYTES];
    if (url && value && *value && card_fill_url(url, name, value, filled, sizeof filled))
        chat_add_link(keyboard, word(card->language, text), filled, false);
}

static void add_buttons(const struct card *card, struct chat_keyboard *keyboard)
{
    const struct group *g = card->group;
    char data[CHAT_BUTTON_DATA_BYTES + 1];
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, g->id);
    if (g->status == STATUS_NEW) {
        snprintf(data, sizeof data, "take:%s", number);
        chat_add_button(keyboard, word(card->language, WORD_BUTTON_TAKE), data, false);
    }
    if (g->status != STATUS_RESOLVED) {
        snprintf(data, sizeof data, "resolve:%s", number);
        chat_add_button(keyboard, word(card->language, WORD_BUTTON_RESOLVE), data, false);
    } else {
        snprintf(data, sizeof data, "reopen:%s", number);
        chat_add_button(keyboard, word(card->language, WORD_BUTTON_REOPEN), data, false);
    }
    snprintf(data, sizeof data, "stack:%s", number);
    chat_add_button(keyboard, word(card->language, WORD_BUTTON_STACK), data, true);
    add_link(card, keyboard, card->links.open_url, "{group}", number, WORD_BUTTON_OPEN);
    add_link(card, keyboard, card->links.gen_request_url, "{gen_request_id}", g->gen_request_id,
             WORD_BUTTON_GENERATION);
    add_link(card, keyboard, card->links.user_url, "{user_id}", g->user_id, WORD_BUTTON_USER);
}

void card_render(const struct card *card, struct buf *html, struct chat_keyboard *keyboard)
{
    keyboard->count = 0;
    add_head(card, html);
    add_where(card, html);
    add_who(card, html);
    add_counts(card, html);
    if (!card->retired)
        add_stack(card, html);
    card_render_state(card->group, card->language, html);
    if (card->retired)
        buf_addf(html, "\n⤵️ <i>%s</i>", word(card->language, WORD_NEWER_CARD));
    else
        add_buttons(card, keyboard);
}

void card_render_line(const struct group *g, enum language language, struct buf *html)
{
    char times[96];
    words_count(language, COUNT_TIMES, g->occurrences, times);
    buf_addf(html, "%s <b>#%" PRId64 "</b> ", card_severity_mark(g->severity), g->id);
    add_cut(html, g->title, 120);
    buf_addf(html, "\n     %s · ", times);
    add_cut(html, g->origin, NAME_UNITS);
    buf_addf(html, " · %s", word(language, (enum word)(WORD_NEW + (int)g->status)));
    if (g->assigned_to && g->status == STATUS_IN_PROGRESS) {
        buf_add_str(html, " · ");
        add_cut(html, g->assigned_to, NAME_UNITS);
    }
    if (g->muted)
        buf_add_str(html, " · 🔕");
    buf_add_char(html, '\n');
}
