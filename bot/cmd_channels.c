/* cmd_channels.c -- /channels: where else alerts go. Addresses are secrets and are not shown. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "store/channel.h"

#include <stdio.h>

static void add_word(const struct talk *talk, enum text which, const char *value, struct buf *html)
{
    buf_add_str(html, " · ");
    bot_text_fill(talk->look.language, which, &value, 1, html);
}

static void add_channel(const struct talk *talk, const struct channel *c, struct buf *html)
{
    char number[TALK_NUMBER_BYTES];
    char moment[WORDS_MOMENT_BYTES];
    buf_addf(html, "%s <b>", !c->enabled ? "⏸" : c->last_error ? "🔴" : "🟢");
    html_add_str(html, c->name);
    buf_addf(html, "</b> (%s)", c->kind);
    if (!c->enabled)
        add_word(talk, TEXT_CHANNEL_OFF, NULL, html);
    if (c->fallback)
        add_word(talk, TEXT_CHANNEL_FALLBACK, talk_number(c->fallback, number), html);
    words_moment(&talk->look, c->ok_ms, moment);
    if (c->last_error)
        add_word(talk, TEXT_CHANNEL_ILL, c->last_error, html);
    else if (c->ok_ms)
        add_word(talk, TEXT_CHANNEL_WELL, moment, html);
    else
        add_word(talk, TEXT_CHANNEL_UNUSED, NULL, html);
    buf_add_char(html, '\n');
}

static void on_channels(void *ctx, struct channel_list *list, const struct err *err)
{
    struct talk *talk = ctx;
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    for (size_t i = 0; list && i < list->count && i < 30; i++)
        add_channel(talk, &list->channels[i], &html);
    if (err)
        talk_say_away(talk);
    else if (html.len)
        talk_reply(talk, buf_text(&html));
    else
        talk_say(talk, TEXT_CHANNELS_NONE, NULL);
    buf_fini(&html);
    store_channels_free(list);
    talk_end(talk);
}

void bot_cmd_channels(struct talk *talk)
{
    store_channels_load(talk->bot->pg, on_channels, talk);
}
