/* cmd_monitors.c -- /monitors: cron jobs that check in, those that fail first. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "store/monitor.h"

#include <string.h>

enum { MONITORS_LISTED_MAX = 30, SLUG_UNITS_MAX = 60 };

static void add_moment(struct buf *html, const struct look *look, int64_t ms)
{
    char text[WORDS_MOMENT_BYTES];
    words_moment(look, ms, text);
    html_add_str(html, text);
}

static const char *mark_of(const char *state)
{
    return strcmp(state, "failing") == 0   ? "🔴"
           : strcmp(state, "ok") == 0      ? "🟢"
           : strcmp(state, "waiting") == 0 ? "⚪"
                                           : "⏸";
}

static void add_line(struct buf *html, const struct monitor_line *m, const struct look *look)
{
    enum language language = look->language;
    buf_addf(html, "%s <b>", mark_of(m->state));
    html_add_cut(html, m->slug, strlen(m->slug), SLUG_UNITS_MAX);
    buf_add_str(html, "</b> (");
    html_add_str(html, m->environment);
    buf_add_str(html, ") — ");
    if (m->incident_since_ms) {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_FAILING));
        add_moment(html, look, m->incident_since_ms);
    } else if (m->last_ok_ms) {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_OK));
        add_moment(html, look, m->last_ok_ms);
    } else {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_WAITING));
    }
    if (m->next_ms) {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_NEXT));
        add_moment(html, look, m->next_ms);
    }
    buf_add_char(html, '\n');
}

static void on_monitors(void *ctx, const struct monitor_line *lines, size_t count, int64_t total,
                        const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_say_away(talk);
    } else if (count == 0) {
        talk_say(talk, TEXT_NO_MONITORS, NULL);
    } else {
        struct buf html;
        buf_init(&html, TG_TEXT_BYTES_MAX);
        for (size_t i = 0; i < count; i++)
            add_line(&html, &lines[i], &talk->look);
        char more[TALK_NUMBER_BYTES];
        const char *values[] = {talk_number(total - (int64_t)count, more)};
        if (total > (int64_t)count)
            bot_text_fill(talk->look.language, TEXT_MONITORS_MORE, values, 1, &html);
        talk_reply(talk, buf_text(&html));
        buf_fini(&html);
    }
    talk_end(talk);
}

void bot_cmd_monitors(struct talk *talk)
{
    store_monitor_list(talk->bot->pg, MONITORS_LISTED_MAX, on_monitors, talk);
}
