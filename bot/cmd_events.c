/* cmd_events.c -- /error N events: the last events of one group, by pages. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "store/details.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_event(const struct talk *talk, const struct event_brief *e, struct buf *html)
{
    char moment[WORDS_MOMENT_BYTES];
    char id[9];
    const char *values[] = {moment, id};
    const struct {
        enum word name;
        const char *value;
    } FIELDS[] = {{WORD_USER, e->user_id}, {WORD_GENERATION, e->gen_request_id}};
    words_moment(&talk->look, e->received_ms, moment);
    snprintf(id, sizeof id, "%.8s", e->event_id);
    bot_text_fill(talk->look.language, TEXT_EVENT_LINE, values, 2, html);
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if (FIELDS[i].value) {
            buf_addf(html, " · %s ", word(talk->look.language, FIELDS[i].name));
            html_add_cut(html, FIELDS[i].value, strlen(FIELDS[i].value), 60);
        }
    if (e->release) {
        buf_add_str(html, " · ");
        html_add_cut(html, e->release, strlen(e->release), 60);
    }
    buf_add_char(html, '\n');
    if (e->message) {
        html_add_cut(html, e->message, strlen(e->message), 200);
        buf_add_char(html, '\n');
    }
    buf_add_char(html, '\n');
}

static void show_events(struct talk *talk, int64_t page, const struct event_brief *events,
                        size_t count, bool more)
{
    struct buf html;
    struct chat_keyboard keyboard = {.count = 0};
    char number[TALK_NUMBER_BYTES];
    char data[CHAT_BUTTON_DATA_BYTES + 1];
    char range[64];
    int64_t first = (page - 1) * EVENTS_LISTED_MAX + 1;
    snprintf(range, sizeof range, "%lld–%lld", (long long)first,
             (long long)(first + (int64_t)count - 1));
    const char *values[] = {talk_number(talk->group_id, number), range};
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(talk->look.language, TEXT_EVENTS_HEAD, values, 2, &html);
    for (size_t i = 0; i < count; i++)
        add_event(talk, &events[i], &html);
    int64_t before = page - 1;
    int64_t after = page + 1;
    if (page > 1) {
        snprintf(data, sizeof data, "page:%lld", (long long)before);
        chat_add_button(&keyboard, "◀", data, !more);
    }
    if (more) {
        snprintf(data, sizeof data, "page:%lld", (long long)after);
        chat_add_button(&keyboard, "▶", data, true);
    }
    struct our_message as = {.kind = MESSAGE_EVENTS, .group_id = talk->group_id};
    talk_show(talk, buf_text(&html), &keyboard, &as);
    buf_fini(&html);
}

static void on_events(void *ctx, const struct event_brief *events, size_t count, bool more,
                      const struct err *err)
{
    struct talk *talk = ctx;
    bool press = talk->update.kind == UPDATE_PRESS;
    int64_t page = press ? strtoll(strchr(talk->update.press_data, ':') + 1, NULL, 10) : 1;
    if (!err && count > 0)
        show_events(talk, page, events, count, more);
    else if (press)
        talk_answer(talk, err ? TEXT_DATABASE_AWAY : TEXT_PAGE_GONE);
    else if (err)
        talk_say_away(talk);
    else
        talk_say(talk, TEXT_NO_EVENT, NULL);
    talk_end(talk);
}

void bot_press_events_page(struct talk *talk, const char *arg)
{
    int64_t page = 0;
    if (!command_parse_page(arg, &page)) {
        talk_answer(talk, TEXT_NO_SUCH_BUTTON);
        talk_end(talk);
        return;
    }
    store_events_list(talk->bot->pg, talk->group_id, (page - 1) * EVENTS_LISTED_MAX, on_events,
                      talk);
}

void bot_cmd_events(struct talk *talk)
{
    store_events_list(talk->bot->pg, talk->group_id, 0, on_events, talk);
}
