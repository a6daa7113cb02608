/* talk_reply.c -- answers: text, text with buttons, cards, words on presses.
 *
 * A message with buttons is sent, then written down as ours: until then presses on it wait a moment
 * (button.c). Nothing here waits for Telegram: a chat that is slow delays only what goes to it. */
#include "bot/talk.h"

#include "alerts/html.h"
#include "bot/command.h"
#include "core/limits.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message under way that will be one of ours. */
struct posting {
    struct bot *bot;
    struct our_message as;
    char *args;
    struct shown_card shown; /* of a card */
};

static struct chat_message message_of(const struct talk *talk, const char *html)
{
    const struct update *u = &talk->update;
    return (struct chat_message){
        .chat_id = u->chat_id,
        .thread_id = u->thread_id,
        .reply_to = u->is_private || u->kind != UPDATE_MESSAGE ? 0 : u->message_id,
        .html = html,
        .patient = true,
    };
}

static void send(struct talk *talk, const struct chat_message *message, chat_done_fn *done,
                 void *ctx)
{
    talk->bot->chat->send(talk->bot->chat, message, done, ctx);
}

void talk_reply(struct talk *talk, const char *html)
{
    struct chat_message message = message_of(talk, html);
    send(talk, &message, NULL, NULL);
}

/* Outlives the talk: what is sent when the picture was not taken, and after it. */
struct captioned {
    struct bot *bot;
    struct chat_message message;
    char *html;
    char *after;
};

static void say_later(const struct captioned *c, const char *html)
{
    struct chat_message message = c->message;
    message.html = html;
    if (html && *html)
        c->bot->chat->send(c->bot->chat, &message, NULL, NULL);
}

static void on_photo(void *ctx, const struct chat_result *result)
{
    struct captioned *c = ctx;
    if (result->outcome != TG_OK)
        log_warn("picture not sent", LOG_S("error", result->text), LOG_END);
    if (result->outcome != TG_OK && result->outcome != TG_UNCERTAIN)
        say_later(c, c->html); /* one that may be there is not said twice */
    say_later(c, c->after);
    free(c->html);
    free(c->after);
    free(c);
}

void talk_photo(struct talk *talk, const char *html, const char *after, const char *data,
                size_t len)
{
    struct captioned *c = mem_alloc(sizeof *c);
    *c = (struct captioned){talk->bot, message_of(talk, NULL), mem_str_dup(html),
                            after ? mem_str_dup(after) : NULL};
    c->message.html = c->html;
    talk->bot->chat->photo(talk->bot->chat, &c->message, data, len, on_photo, c);
}

void talk_say(struct talk *talk, enum text which, ...)
{
    const char *values[TEXT_PLACES_MAX];
    size_t count = 0;
    struct buf html;
    va_list args;
    va_start(args, which);
    for (const char *v = va_arg(args, const char *); v && count < TEXT_PLACES_MAX;
         v = va_arg(args, const char *))
        values[count++] = v;
    va_end(args);
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(talk->look.language, which, values, count, &html);
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
}

void talk_say_away(struct talk *talk)
{
    talk_say(talk, TEXT_DATABASE_AWAY, NULL);
}

void talk_say_usage(struct talk *talk)
{
    talk_say(talk, TEXT_USAGE, talk->command->name, talk->command->args, NULL);
}

static void on_written_down(void *ctx, const struct err *err)
{
    (void)ctx;
    if (err)
        log_warn("a message with buttons is not written down: they will not work",
                 LOG_S("error", err->text), LOG_END);
}

static void on_posted(void *ctx, const struct chat_result *result)
{
    struct posting *p = ctx;
    p->as.args = p->args;
    if (result->outcome != TG_OK)
        log_warn("answer not sent", LOG_S("error", result->text), LOG_END);
    else if (p->as.kind == MESSAGE_CARD)
        store_card_put(p->bot->pg, result->chat_id, result->message_id, result->thread_id,
                       &p->shown, on_written_down, NULL);
    else
        store_message_put(p->bot->pg, result->chat_id, result->message_id, &p->as, on_written_down,
                          NULL);
    free(p->args);
    free(p);
}

static void post(struct talk *talk, const struct chat_message *message,
                 const struct our_message *as, const struct group *group)
{
    struct posting *p = mem_alloc(sizeof *p);
    p->bot = talk->bot;
    p->as = *as;
    p->args = mem_str_dup(as->args ? as->args : "");
    if (group)
        p->shown = (struct shown_card){group->id, group->occurrences, group->status,
                                       group->undo_until_ms, language_code(talk->look.language)};
    send(talk, message, on_posted, p);
}

void talk_post(struct talk *talk, const char *html, const struct chat_keyboard *keyboard,
               const struct our_message *as)
{
    struct chat_message message = message_of(talk, html);
    message.keyboard = keyboard;
    post(talk, &message, as, NULL);
}

void talk_ask(struct talk *talk, const char *html, const struct our_message *as)
{
    struct chat_message message = message_of(talk, html);
    message.reply_to = talk->update.message_id;
    message.wants_reply = true;
    post(talk, &message, as, NULL);
}

void talk_post_card(struct talk *talk, const struct group *group, const char *below)
{
    struct buf html;
    struct chat_keyboard keyboard;
    struct card card = {.group = group, .look = &talk->look, .links = talk->bot->links};
    struct our_message as = {.kind = MESSAGE_CARD, .group_id = group->id};
    buf_init(&html, TG_TEXT_BYTES_MAX);
    card_render(&card, &html, &keyboard);
    bool fits = below && html_units(buf_text(&html)) + html_units(below) <= TG_TEXT_UNITS_MAX;
    if (fits)
        buf_add_str(&html, below);
    struct chat_message message = message_of(talk, buf_text(&html));
    message.keyboard = &keyboard;
    post(talk, &message, &as, group);
    buf_fini(&html);
}

static void answer(struct talk *talk, const char *text)
{
    if (talk->press_answered || talk->update.kind != UPDATE_PRESS)
        return;
    talk->press_answered = true;
    ev_timer_stop(talk->bot->loop, &talk->slow);
    talk->bot->chat->answer_press(talk->bot->chat, talk->update.press_id, text);
}

void talk_answer(struct talk *talk, enum text which)
{
    answer(talk, bot_text(talk->said_in, which));
}

void talk_answer_with(struct talk *talk, enum text which, const char *value)
{
    struct buf html;
    struct buf plain;
    buf_init(&html, 4 * KIB);
    buf_init(&plain, 4 * KIB);
    bot_text_fill(talk->said_in, which, &value, 1, &html);
    html_to_plain(buf_text(&html), &plain);
    answer(talk, buf_text(&plain));
    buf_fini(&html);
    buf_fini(&plain);
}

void talk_answer_quietly(struct talk *talk)
{
    answer(talk, "");
}

void talk_edit(struct talk *talk, const char *html, const struct chat_keyboard *keyboard)
{
    struct chat_message message = {.chat_id = talk->update.chat_id,
                                   .message_id = talk->update.message_id,
                                   .html = html,
                                   .keyboard = keyboard,
                                   .patient = true};
    talk->bot->chat->edit(talk->bot->chat, &message, NULL, NULL);
}

void talk_edit_keyboard(struct talk *talk, const struct chat_keyboard *keyboard)
{
    talk->bot->chat->edit_keyboard(talk->bot->chat, talk->update.chat_id, talk->update.message_id,
                                   keyboard);
}

const char *talk_number(int64_t n, char out[TALK_NUMBER_BYTES])
{
    snprintf(out, TALK_NUMBER_BYTES, "%lld", (long long)n);
    return out;
}

enum text talk_who_has(const struct group *group, const char **who)
{
    bool resolved = group->status == STATUS_RESOLVED;
    *who = !resolved && group->assigned_to ? group->assigned_to : group->changed_by;
    if (!*who)
        *who = "?";
    return resolved ? TEXT_ALREADY_RESOLVED : TEXT_ALREADY_TAKEN;
}

void talk_show(struct talk *talk, const char *html, const struct chat_keyboard *keyboard,
               const struct our_message *as)
{
    if (talk->update.kind == UPDATE_PRESS) {
        talk_edit(talk, html, keyboard);
        talk_answer_quietly(talk);
    } else {
        talk_post(talk, html, keyboard, as);
    }
}
