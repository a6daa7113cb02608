/* talk.c -- from an update to a handler.
 *
 *     update --command?--> role --may?--> number, or the replied card's group --> handler --> end
 *            --press-----> role --may?--> talk_press
 *
 * Whoever may not see errors gets one polite line an hour and nothing else, in private as in a group
 * that the bot was added to by somebody. */
#include "bot/talk.h"

#include "bot/command.h"
#include "core/limits.h"
#include "core/mem.h"
#include "core/metric.h"
#include "store/outbox.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void talk_end(struct talk *talk)
{
    void (*done)(void *) = talk->done;
    void *ctx = talk->ctx;
    metric_add(METRIC_UPDATES_HANDLED, 1);
    update_fini(&talk->update);
    free(talk->args);
    free(talk);
    done(ctx);
}

static void send(struct talk *talk, const char *html, const struct chat_keyboard *keyboard)
{
    const struct update *u = &talk->update;
    struct chat_message message = {
        .chat_id = u->chat_id,
        .thread_id = u->thread_id,
        .reply_to = u->is_private ? 0 : u->message_id,
        .html = html,
        .keyboard = keyboard,
    };
    talk->bot->chat->send(talk->bot->chat, &message, NULL, NULL);
    talk->bot->answered(talk->bot->ctx, u->chat_id);
}

void talk_reply(struct talk *talk, const char *html)
{
    send(talk, html, NULL);
}

void talk_reply_text(struct talk *talk, enum text which, ...)
{
    char html[2048];
    va_list args;
    va_start(args, which);
    vsnprintf(html, sizeof html, bot_text(talk->language, which), args);
    va_end(args);
    send(talk, html, NULL);
}

void talk_reply_away(struct talk *talk)
{
    talk_reply(talk, bot_text(talk->language, TEXT_DATABASE_AWAY));
}

void talk_reply_card(struct talk *talk, const struct group *group)
{
    struct buf html;
    struct chat_keyboard keyboard;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    struct card card = {.group = group, .language = talk->language, .links = talk->bot->links};
    card_render(&card, &html, &keyboard);
    /* only cards have buttons: presses are checked against them */
    send(talk, buf_text(&html), NULL);
    buf_fini(&html);
}

static enum language language_of(const struct bot *bot, const struct update *u)
{
    const char *code = bot->language;
    /* what a press is answered with is seen by the one who pressed */
    if (!code && (u->is_private || u->kind == UPDATE_PRESS))
        code = u->language_code;
    return code && strncmp(code, "ru", 2) == 0 ? LANG_RU : LANG_EN;
}

/* The number in front of the arguments; false: there is none. */
static bool take_number(struct talk *talk, const char *args)
{
    char *end = NULL;
    args += *args == '#';
    errno = 0;
    if (!isdigit((unsigned char)*args))
        return false;
    long long number = strtoll(args, &end, 10);
    if (errno || number <= 0 || (*end && !isspace((unsigned char)*end)))
        return false;
    talk->group_id = number;
    end += strspn(end, " \t\n");
    char *rest = mem_str_dup(end);
    free(talk->args);
    talk->args = rest;
    return true;
}

static void on_replied_card(void *ctx, int64_t group_id, const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_reply_away(talk);
        talk_end(talk);
        return;
    }
    if (!group_id) {
        talk_reply_text(talk, TEXT_USAGE, talk->command->name, talk->command->args);
        talk_end(talk);
        return;
    }
    talk->group_id = group_id;
    talk->command->handler(talk);
}

static void run_command(struct talk *talk)
{
    const struct command *command = talk->command;
    if (!command->needs_group || take_number(talk, talk->args)) {
        command->handler(talk);
    } else if (talk->update.reply_to) {
        store_card_group(talk->bot->pg, talk->update.chat_id, talk->update.reply_to,
                         on_replied_card, talk);
    } else {
        talk_reply_text(talk, TEXT_USAGE, command->name, command->args);
        talk_end(talk);
    }
}

/* Errors are shown in the alert chat and in private, nowhere else. */
static bool is_foreign_group(const struct talk *talk)
{
    return !talk->update.is_private && talk->update.chat_id != talk->bot->alert_chat_id;
}

static void turn_away(struct talk *talk)
{
    if (talk->update.kind == UPDATE_PRESS)
        talk->bot->chat->answer_press(talk->bot->chat, talk->update.press_id,
                                      bot_text(talk->language, TEXT_NOT_A_CARD));
    else if (roles_may_tell_stranger(talk->bot->roles, is_foreign_group(talk)
                                                           ? talk->update.chat_id
                                                           : talk->update.from_id)) {
        if (is_foreign_group(talk) && talk->role != ROLE_NONE)
            talk_reply_text(talk, TEXT_FOREIGN_GROUP);
        else
            talk_reply_text(talk, TEXT_STRANGER, (long long)talk->update.from_id);
    }
    talk_end(talk);
}

static void on_role(void *ctx, enum role role)
{
    struct talk *talk = ctx;
    talk->role = role;
    /* ids are nobody's secret, and until there is an alert chat they are what it is set up with */
    bool asks_ids = talk->command && (talk->command->handler == bot_cmd_id ||
                                      talk->command->handler == bot_cmd_start);
    if (asks_ids && (role == ROLE_OWNER || !talk->bot->alert_chat_id)) {
        run_command(talk);
        return;
    }
    if (role == ROLE_NONE || is_foreign_group(talk))
        turn_away(talk);
    else if (talk->update.kind == UPDATE_PRESS)
        talk_press(talk);
    else if (!talk->command || role < talk->command->role) {
        talk_reply_text(talk, TEXT_ONLY_OWNERS);
        talk_end(talk);
    } else
        run_command(talk);
}

/* A command that nobody knows: said in private and in the alert chat, not to every "/" elsewhere. */
static void on_role_unknown(void *ctx, enum role role)
{
    struct talk *talk = ctx;
    talk->role = role;
    if (role == ROLE_NONE || is_foreign_group(talk)) {
        turn_away(talk);
        return;
    }
    talk_reply_text(talk, TEXT_UNKNOWN_COMMAND, talk->args);
    talk_end(talk);
}

static void start_message(struct talk *talk)
{
    char name[40];
    const char *args = "";
    const struct update *u = &talk->update;
    talk->command = command_parse(u->text, talk->bot->username, name, sizeof name, &args);
    if (!talk->command && !name[0]) {
        talk_end(talk); /* talk among people, or another bot's command */
        return;
    }
    talk->args = mem_str_dup(talk->command ? args : name);
    roles_check(talk->bot->roles, u->from_id, u->chat_id, talk->command ? on_role : on_role_unknown,
                talk);
}

void talk_start(struct bot *bot, struct update *update, void (*done)(void *ctx), void *ctx)
{
    struct talk *talk = mem_alloc(sizeof *talk);
    talk->bot = bot;
    talk->update = *update;
    *update = (struct update){0};
    talk->language = language_of(bot, &talk->update);
    talk->done = done;
    talk->ctx = ctx;
    if (talk->update.kind == UPDATE_MESSAGE && !talk->update.from_bot)
        start_message(talk);
    else if (talk->update.kind == UPDATE_PRESS)
        roles_check(bot->roles, talk->update.from_id, talk->update.chat_id, on_role, talk);
    else
        talk_end(talk);
}
