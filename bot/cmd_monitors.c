/* cmd_monitors.c -- /monitors: cron jobs that check in, those that fail first. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "store/monitor.h"

#include <string.h>

enum { MONITORS_LISTED_MAX = 30, SLUG_UNITS_MAX = 60 };

static void add_moment(struct buf *html, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format_local(ms, text);
    html_add_str(html, text);
}

static const char *mark_of(const char *state)
{
    return strcmp(state, "failing") == 0   ? "🔴"
           : strcmp(state, "ok") == 0      ? "🟢"
           : strcmp(state, "waiting") == 0 ? "⚪"
                                           : "⏸";
}

static void add_line(struct buf *html, const struct monitor_line *m, enum language language)
{
    buf_addf(html, "%s <b>", mark_of(m->state));
    html_add_cut(html, m->slug, strlen(m->slug), SLUG_UNITS_MAX);
    buf_add_str(html, "</b> (");
    html_add_str(html, m->environment);
    buf_add_str(html, ") — ");
    if (m->incident_since_ms) {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_FAILING));
        add_moment(html, m->incident_since_ms);
    } else if (m->last_ok_ms) {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_OK));
        add_moment(html, m->last_ok_ms);
    } else {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_WAITING));
    }
    if (m->next_ms) {
        buf_add_str(html, bot_text(language, TEXT_MONITOR_NEXT));
        add_moment(html, m->next_ms);
    }
    buf_add_char(html, '\n');
}

static void on_monitors(void *ctx, const struct monitor_line *lines, size_t count, int64_t total,
                        const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_reply_away(talk);
    } else if (count == 0) {
        talk_reply_text(talk, TEXT_NO_MONITORS);
    } else {
        struct buf html;
        buf_init(&html, TG_TEXT_BYTES_MAX);
        for (size_t i = 0; i < count; i++)
            add_line(&html, &lines[i], talk->language);
        if (total > (int64_t)count)
            buf_addf(&html, bot_text(talk->language, TEXT_MONITORS_MORE),
                     (long long)(total - (int64_t)count));
        talk_reply(talk, buf_text(&html));
        buf_fini(&html);
    }
    talk_end(talk);
}

void bot_cmd_monitors(struct talk *talk)
{
    store_monitor_list(talk->bot->pg, MONITORS_LISTED_MAX, on_monitors, talk);
}
