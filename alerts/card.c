/* card.c -- what a person sees of an error, readable on a phone in two seconds.
 *
 *     🔴 Critical · #12                          how bad, which
 *     ValueError: bad text                       what
 *     📍 aiogram_handler · handlers.start        where, and the line of code
 *     👤 user 5 · chat 5 · generation g-51f0     whose
 *     🔁 57 times · 12 users · since 21 Nov      how many, since when
 *     | five frames (opens on a tap)
 *     👀 Taken by @ann, 21 Nov, 12:31            who is on it
 *
 * Every part has its own bound (below), so that their sum fits a message whatever they hold. */
#include "alerts/card.h"

#include "alerts/frames.h"
#include "alerts/html.h"
#include "core/limits.h"
#include "core/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* UTF-16 units a part may take; together below TG_TEXT_UNITS_MAX (4096). */
enum {
    TITLE_UNITS = 350,
    WHERE_UNITS = 200,
    NAME_UNITS = 80,
    NOTE_UNITS = 300,
    STACK_UNITS = 900,
    TAGS_SHOWN = 6,
    TAG_NAME_UNITS = 30,
    TAG_VALUE_UNITS = 50
};
enum { STACK_FRAMES = 5, LINE_BYTES_MAX = 4096, MESSAGE_UNITS = 300 };

const char *card_severity_mark(enum severity severity)
{
    static const char *const MARKS[] = {"⚪", "🔵", "🟡", "🟠", "🔴"};
    return MARKS[severity];
}

/* On one line: a producer's line break must not make a line that reads like the card's own. */
static void add_cut(struct buf *html, const char *text, size_t units)
{
    char line[LINE_BYTES_MAX];
    size_t len = utf8_cut(text, strlen(text), sizeof line - 1);
    for (size_t i = 0; i < len; i++)
        line[i] = text[i] == '\n' || text[i] == '\t' || text[i] == '\r' ? ' ' : text[i];
    html_add_cut(html, line, len, units);
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

/* The value of one of the group's tags; false: it has none of that name. */
static bool find_tag(const struct group *g, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);
    for (const char *at = g->tags; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strncmp(at, name, len) != 0 || at[len] != '\t')
            continue;
        snprintf(out, size, "%.*s", (int)strcspn(at + len + 1, "\n"), at + len + 1);
        return true;
    }
    return false;
}

/* A cron job's card is in the chat's language: its title is made here, not by whoever recorded it. */
static bool add_monitor_title(const struct card *card, struct buf *html)
{
    static const struct {
        const char *status;
        enum word text;
    } CAUSES[] = {{"missed", WORD_MONITOR_MISSED},
                  {"timeout", WORD_MONITOR_TIMEOUT},
                  {"error", WORD_MONITOR_ERROR}};
    const struct group *g = card->group;
    enum language language = card->look->language;
    char job[512];
    char status[512];
    if (strcmp(g->origin, "monitor") != 0 || !find_tag(g, "monitor", job, sizeof job))
        return false;
    const char *form = word(language, WORD_MONITOR_TITLE);
    const char *mark = strstr(form, "%s");
    html_add(html, form, (size_t)(mark - form));
    add_cut(html, job, NAME_UNITS);
    html_add_str(html, mark + 2);
    buf_add_str(html, "</b>\n");
    if (find_tag(g, "monitor_status", status, sizeof status))
        for (size_t i = 0; i < sizeof CAUSES / sizeof *CAUSES; i++)
            if (strcmp(CAUSES[i].status, status) == 0)
                buf_addf(html, "%s\n", word(language, CAUSES[i].text));
    return true;
}

/* What the title leaves out of the message: further lines, or all of it beside an exception. */
static void add_message(const struct group *g, struct buf *html)
{
    const char *text = g->message;
    size_t title = strlen(g->title);
    if (!text || strstr(g->title, text))
        return;
    bool goes_on = strncmp(text, g->title, title) == 0 &&
                   (title > TITLE_BYTES_MAX - 4 || text[title] == '\n' || text[title] == '\r');
    text += goes_on ? title : 0;
    text += strspn(text, " \t\r\n");
    if (!*text)
        return;
    html_add_cut(html, text, strlen(text), MESSAGE_UNITS);
    buf_add_char(html, '\n');
}

/* With the release that brought it back, when that is known. */
static void add_regression(const struct group *g, enum language language, struct buf *html)
{
    const char *values[] = {g->release};
    buf_add_str(html, "\n↩️ <b>");
    html_fill(html, word(language, g->release ? WORD_BACK_IN : WORD_REGRESSION), values, 1,
              NAME_UNITS);
    buf_add_str(html, "</b>");
}

static void add_head(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    enum language language = card->look->language;
    buf_addf(html, "%s <b>%s</b>", card_severity_mark(g->severity),
             word(language, (enum word)(WORD_DEBUG + (int)g->severity)));
    if (g->id) /* one that the database has never seen has none */
        buf_addf(html, " · #%" PRId64, g->id);
    if (card->is_emergency)
        buf_addf(html, "\n⚠️ <i>%s</i>", word(language, WORD_EMERGENCY));
    if (card->regression)
        add_regression(g, language, html);
    if (card->possible_repeat)
        buf_addf(html, "\n<i>%s</i>", word(language, WORD_POSSIBLE_REPEAT));
    buf_add_str(html, "\n<b>");
    if (add_monitor_title(card, html))
        return;
    add_cut(html, g->title, TITLE_UNITS);
    /* a title is stored up to a bound: one that fills it was cut there */
    bool cut = strlen(g->title) > TITLE_BYTES_MAX - 4;
    buf_addf(html, "%s</b>\n", cut && strcmp(html->data + html->len - 3, "…") != 0 ? "…" : "");
    if (!card->look->is_quiet && !card->retired)
        add_message(g, html);
}

static void add_where(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    const char *handler = g->event_handler ? g->event_handler : g->handler;
    char source[FRAMES_SOURCE_BYTES];
    bool first = true;
    buf_add_str(html, "\n📍 ");
    add_cut(html, g->origin, NAME_UNITS);
    if (!handler || !*handler)
        handler = g->culprit;
    if (handler && *handler) {
        buf_add_str(html, " · ");
        add_cut(html, handler, WHERE_UNITS);
    }
    if (card->look->is_quiet)
        return;
    if (g->stack_part && frames_source(g->stack_part, source)) {
        buf_add_str(html, "\n📄 <code>");
        add_cut(html, source, WHERE_UNITS);
        buf_add_str(html, "</code>");
    }
    buf_add_str(html, "\n📦 ");
    add_field(html, &first, NULL, g->project ? g->project : "?");
    add_field(html, &first, NULL, g->environment);
    add_field(html, &first, NULL, g->release);
    add_field(html, &first, NULL, g->server_name);
}

/* A Telegram user's id opens that person's profile. */
static bool is_telegram_id(const char *id)
{
    size_t len = strlen(id);
    return len > 0 && len <= 15 && id[0] != '0' && strspn(id, "0123456789") == len;
}

static void add_who(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    enum language language = card->look->language;
    char chat[24] = "";
    bool first = true;
    if (g->has_chat_id)
        snprintf(chat, sizeof chat, "%" PRId64, g->chat_id);
    if (!g->has_chat_id && !g->user_id && !g->gen_request_id)
        return;
    buf_add_str(html, "\n👤 ");
    if (g->user_id && is_telegram_id(g->user_id)) {
        buf_addf(html, "%s <a href=\"tg://user?id=%s\">%s</a>", word(language, WORD_USER),
                 g->user_id, g->user_id);
        first = false;
    } else {
        add_field(html, &first, word(language, WORD_USER), g->user_id);
    }
    add_field(html, &first, word(language, WORD_CHAT), chat);
    add_field(html, &first, word(language, WORD_GENERATION), g->gen_request_id);
}

static void add_counts(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    enum language language = card->look->language;
    char times[WORDS_COUNT_BYTES];
    char users[WORDS_COUNT_BYTES];
    char moment[WORDS_MOMENT_BYTES];
    words_count(language, COUNT_TIMES, g->occurrences, times);
    buf_addf(html, "\n🔁 <b>%s</b>", times);
    if (g->users_affected > 0) {
        words_count(language, COUNT_USERS, g->users_affected, users);
        buf_addf(html, " · %s", users);
    }
    words_moment(card->look, g->first_seen_ms, moment);
    buf_addf(html, "\n🕒 %s %s", word(language, WORD_SINCE), moment);
    if (g->occurrences > 1) {
        words_moment(card->look, g->last_seen_ms, moment);
        buf_addf(html, " · %s %s", word(language, WORD_LAST), moment);
    }
    if (g->deploy) {
        char span[WORDS_COUNT_BYTES];
        const char *values[] = {span, g->deploy};
        words_span(language, g->first_seen_ms - g->deployed_ms, span);
        buf_add_str(html, "\n🚀 ");
        html_fill(html, word(language, WORD_AFTER_DEPLOY), values, 2, NAME_UNITS);
    }
    if (card->held > 0) {
        char held[WORDS_COUNT_BYTES];
        words_count(language, COUNT_HELD, card->held, held);
        buf_addf(html, "\n🔕 %s", held);
    }
}

/* Tags that say more than the lines above do. */
static bool is_shown_tag(const char *name, size_t len)
{
    static const char *const SAID_ABOVE[] = {"origin",  "handler",     "environment",    "release",
                                             "monitor", "server_name", "monitor_status", "level",
                                             "user_id", "chat_id",     "gen_request_id"};
    for (size_t i = 0; i < sizeof SAID_ABOVE / sizeof *SAID_ABOVE; i++)
        if (strlen(SAID_ABOVE[i]) == len && strncmp(SAID_ABOVE[i], name, len) == 0)
            return false;
    return true;
}

static void add_tags(const struct card *card, struct buf *html)
{
    const char *at = card->group->tags;
    int shown = 0;
    while (at && *at && shown < TAGS_SHOWN) {
        size_t len = strcspn(at, "\n");
        const char *tab = memchr(at, '\t', len);
        if (tab && is_shown_tag(at, (size_t)(tab - at))) {
            buf_add_str(html, shown++ ? " · " : "\n🏷 ");
            html_add_cut(html, at, (size_t)(tab - at), TAG_NAME_UNITS);
            buf_add_str(html, "=");
            html_add_cut(html, tab + 1, len - (size_t)(tab + 1 - at), TAG_VALUE_UNITS);
        }
        at += len;
        at += *at == '\n';
    }
}

static void add_stack(const struct card *card, struct buf *html)
{
    const struct group *g = card->group;
    if (!g->stack_part || !*g->stack_part)
        return;
    struct frames top = frames_top(g->stack_part, STACK_FRAMES, STACK_UNITS);
    if (top.len == 0)
        return;
    buf_add_str(html, "\n<blockquote expandable>");
    bool cut = html_add_cut(html, top.at, top.len, STACK_UNITS) || top.is_cut || g->stack_is_cut;
    buf_add_str(html, "</blockquote>");
    if (cut)
        buf_addf(html, "\n<i>… %s</i>", word(card->look->language, WORD_STACK_CUT));
}

/* ---------------------------------------------------------------------------------------- state */

static void add_state_line(struct buf *html, const struct look *look, const char *mark,
                           enum word what, const char *who, int64_t when_ms)
{
    char when[WORDS_MOMENT_BYTES];
    buf_addf(html, "\n%s %s", mark, word(look->language, what));
    if (who) {
        buf_add_char(html, ' ');
        add_cut(html, *who ? who : "?", NAME_UNITS);
    }
    if (when_ms) {
        words_moment(look, when_ms, when);
        buf_addf(html, ", %s", when);
    }
}

static void add_mute(const struct group *g, const struct look *look, struct buf *html)
{
    char text[WORDS_COUNT_BYTES];
    if (!g->muted)
        return;
    buf_add_str(html, "\n🔕 ");
    if (g->muted_until_ms) {
        words_moment(look, g->muted_until_ms, text);
        buf_addf(html, "%s %s", word(look->language, WORD_MUTED_UNTIL), text);
    } else if (g->muted_until_count) {
        int64_t more = g->muted_until_count - g->occurrences;
        words_count(look->language, COUNT_MORE_TIMES, more > 0 ? more : 1, text);
        buf_addf(html, "%s %s", word(look->language, WORD_MUTED_COUNT), text);
    } else {
        buf_add_str(html, word(look->language, WORD_MUTED_FOREVER));
    }
    if (g->muted_by && *g->muted_by) {
        buf_add_str(html, " · ");
        add_cut(html, g->muted_by, NAME_UNITS);
    }
}

void card_render_state(const struct group *g, const struct look *look, struct buf *html)
{
    bool assigned = g->assigned_to && *g->assigned_to;
    const char *taker = g->status == STATUS_IN_PROGRESS ? g->changed_by : NULL;
    if (g->status == STATUS_IN_PROGRESS)
        add_state_line(html, look, "👀", WORD_TAKEN_BY,
                       taker      ? taker
                       : assigned ? g->assigned_to
                                  : "?",
                       g->changed_ms);
    else if (g->status == STATUS_RESOLVED && g->changed_by_service)
        add_state_line(html, look, "✅", WORD_RESOLVED_ITSELF, NULL, g->changed_ms);
    else if (g->status == STATUS_RESOLVED)
        add_state_line(html, look, "✅", WORD_RESOLVED_BY, g->changed_by ? g->changed_by : "?",
                       g->changed_ms ? g->changed_ms : g->resolved_ms);
    else if (g->changed_by && !g->changed_by_service)
        add_state_line(html, look, "🔓", WORD_REOPENED, g->changed_by, g->changed_ms);
    else if (g->changed_by)
        add_state_line(html, look, "🔓", WORD_REOPENED_ITSELF, NULL, g->changed_ms);
    if (assigned && g->status != STATUS_RESOLVED && (!taker || strcmp(taker, g->assigned_to) != 0))
        add_state_line(html, look, "👤", WORD_ASSIGNED_TO, g->assigned_to, 0);
    else if (g->status == STATUS_NEW && !g->changed_by)
        add_state_line(html, look, "🆕", WORD_NOBODY, NULL, 0);
    add_mute(g, look, html);
    if (g->note && *g->note) {
        buf_addf(html, "\n📝 %s: ", word(look->language, WORD_NOTE));
        add_cut(html, g->note, NOTE_UNITS);
        if (g->noted_by && *g->noted_by) {
            buf_add_str(html, " · ");
            add_cut(html, g->noted_by, NAME_UNITS);
        }
    }
    if (g->issue_url) {
        buf_add_str(html, "\n🐙 <a href=\"");
        html_add_str(html, g->issue_url);
        buf_addf(html, "\">GitHub #%" PRId64 "</a>", g->issue_number);
    }
    if (g->merged && *g->merged) {
        buf_addf(html, "\n🔗 %s", word(look->language, WORD_MERGED));
        const char *at = g->merged;
        for (int i = 0; *at && i < 10; i++) {
            buf_addf(html, "%s #%.*s", i ? "," : "", (int)strcspn(at, ","), at);
            at += strcspn(at, ",");
            at += *at == ',';
        }
        buf_add_str(html, *at ? " …" : "");
    }
}

/* -------------------------------------------------------------------------------------- buttons */

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
        chat_add_link(keyboard, word(card->look->language, text), filled, false);
}

static void add_button(struct chat_keyboard *keyboard, enum language language, enum word text,
                       const char *name, int64_t group_id, bool ends_row)
{
    char data[CHAT_BUTTON_DATA_BYTES + 1];
    snprintf(data, sizeof data, "%s:%" PRId64, name, group_id);
    chat_add_button(keyboard, word(language, text), data, ends_row);
}

/* First row: what is done with it; second: what is seen and said of it; links, when set, below. */
void card_buttons(const struct card *card, struct chat_keyboard *keyboard)
{
    const struct group *g = card->group;
    enum language l = card->look->language;
    bool resolved = g->status == STATUS_RESOLVED;
    char number[24];
    keyboard->count = 0;
    if (card->retired || card->is_emergency)
        return;
    snprintf(number, sizeof number, "%" PRId64, g->id);
    if (g->status == STATUS_NEW)
        add_button(keyboard, l, WORD_BUTTON_TAKE, "take", g->id, false);
    if (resolved)
        add_button(keyboard, l, WORD_BUTTON_REOPEN, "reopen", g->id, false);
    else
        add_button(keyboard, l, WORD_BUTTON_RESOLVE, "resolve", g->id, false);
    if (g->muted)
        add_button(keyboard, l, WORD_BUTTON_UNMUTE, "unmute", g->id, false);
    else if (!resolved)
        add_button(keyboard, l, WORD_BUTTON_MUTE, "mute", g->id, false);
    if (g->undo_until_ms)
        add_button(keyboard, l, WORD_BUTTON_UNDO, "undo", g->id, false);
    keyboard->buttons[keyboard->count - 1].ends_row = true;
    add_button(keyboard, l, WORD_BUTTON_STACK, "stack", g->id, false);
    add_button(keyboard, l, WORD_BUTTON_ASSIGN, "assign", g->id, false);
    add_button(keyboard, l, WORD_BUTTON_NOTE, "note", g->id, true);
    add_link(card, keyboard, card->links.open_url, "{group}", number, WORD_BUTTON_OPEN);
    add_link(card, keyboard, card->links.gen_request_url, "{gen_request_id}", g->gen_request_id,
             WORD_BUTTON_GENERATION);
    add_link(card, keyboard, card->links.user_url, "{user_id}", g->user_id, WORD_BUTTON_USER);
}

void card_mute_buttons(int64_t group_id, enum language language, struct chat_keyboard *keyboard)
{
    keyboard->count = 0;
    add_button(keyboard, language, WORD_BUTTON_HOUR, "mute_1h", group_id, false);
    add_button(keyboard, language, WORD_BUTTON_DAY, "mute_1d", group_id, false);
    add_button(keyboard, language, WORD_BUTTON_HUNDRED, "mute_100x", group_id, true);
    add_button(keyboard, language, WORD_BUTTON_BACK, "back", group_id, true);
}

void card_render(const struct card *card, struct buf *html, struct chat_keyboard *keyboard)
{
    bool whole = !card->retired && !card->look->is_quiet;
    add_head(card, html);
    add_where(card, html);
    add_who(card, html);
    add_counts(card, html);
    if (whole) {
        add_tags(card, html);
        add_stack(card, html);
    }
    if (!card->is_emergency) /* who is on it, nobody can know now */
        card_render_state(card->group, card->look, html);
    if (card->retired)
        buf_addf(html, "\n⤵️ <i>%s</i>", word(card->look->language, WORD_NEWER_CARD));
    card_buttons(card, keyboard);
}

void card_render_line(const struct group *g, const struct look *look, struct buf *html)
{
    char times[WORDS_COUNT_BYTES];
    char last[WORDS_MOMENT_BYTES];
    words_count(look->language, COUNT_TIMES, g->occurrences, times);
    words_moment(look, g->last_seen_ms, last);
    buf_addf(html, "%s ", card_severity_mark(g->severity));
    if (g->id)
        buf_addf(html, "<b>#%" PRId64 "</b> ", g->id);
    add_cut(html, g->title, 120);
    buf_addf(html, "\n     %s · %s · ", times, last);
    add_cut(html, g->origin, NAME_UNITS);
    buf_addf(html, " · %s", word(look->language, (enum word)(WORD_NEW + (int)g->status)));
    if (g->assigned_to && *g->assigned_to && g->status != STATUS_RESOLVED) {
        buf_add_str(html, " · ");
        add_cut(html, g->assigned_to, NAME_UNITS);
    }
    if (g->muted)
        buf_add_str(html, " · 🔕");
    buf_add_char(html, '\n');
}

int64_t card_group_of_text(const char *text)
{
    static const char MARK[] = " · #";
    bool ours = false;
    for (int severity = SEV_DEBUG; severity <= SEV_CRITICAL; severity++) {
        const char *mark = card_severity_mark((enum severity)severity);
        ours = ours || strncmp(text, mark, strlen(mark)) == 0;
    }
    const char *at = ours ? strstr(text, MARK) : NULL;
    if (!at || (size_t)(at - text) > strcspn(text, "\n"))
        return 0;
    errno = 0;
    long long id = strtoll(at + sizeof MARK - 1, NULL, 10);
    return errno || id < 0 ? 0 : id;
}
