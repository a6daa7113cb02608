/* talk.c -- from an update to a handler.
 *
 *     update --> settings of the chat --> role --may?--> command: number, or the replied card's group
 *                                          |             press:   button.c
 *                                          |             text or reaction on a card: reply.c
 *                                          \--no--> one polite line an hour
 *
 * Whoever may not see errors gets that line and nothing else, in private as in a group that the bot
 * was added to by somebody. */
#include "bot/talk.h"

#include "bot/command.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "store/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void talk_end(struct talk *talk)
{
    void (*done)(void *) = talk->done;
    void *ctx = talk->ctx;
    struct talk **slot = &talk->bot->talks;
    while (*slot != talk)
        slot = &(*slot)->next;
    *slot = talk->next;
    metric_add(METRIC_UPDATES_HANDLED, 1);
    ev_timer_stop(talk->bot->loop, &talk->slow);
    ev_timer_stop(talk->bot->loop, &talk->again);
    update_fini(&talk->update);
    free(talk->args);
    free(talk->on_args);
    free(talk);
    done(ctx);
}

void talk_abandon_all(struct bot *bot)
{
    while (bot->talks)
        talk_end(bot->talks);
}

enum language talk_language(const char *bot_language, const struct update *u)
{
    /* what a press is answered with is seen by the one who pressed */
    bool own = u->is_private || u->kind == UPDATE_PRESS;
    return language_of_code(bot_language ? bot_language : own ? u->language_code : NULL);
}

enum language talk_chat_language(const char *bot_language, const struct update *u)
{
    return language_of_code(bot_language ? bot_language : u->is_private ? u->language_code : NULL);
}

/* Errors are shown in the alert chat and in private, nowhere else. */
bool talk_is_foreign_group(const struct talk *talk)
{
    return !talk->update.is_private && !roles_is_place(talk->bot->roles, talk->update.chat_id);
}

struct actor talk_actor(const struct talk *talk)
{
    return (struct actor){talk->update.from_name, talk->update.from_id, "chat"};
}

/* ------------------------------------------------------------------------------------ strangers */

static void turn_away(struct talk *talk)
{
    bool foreign = talk_is_foreign_group(talk);
    int64_t whom = foreign ? talk->update.chat_id : talk->update.from_id;
    char id[TALK_NUMBER_BYTES];
    if (talk->update.kind == UPDATE_PRESS) {
        talk_answer(talk, TEXT_NO_ACCESS);
    } else if (talk->update.kind == UPDATE_MESSAGE &&
               roles_may_tell_stranger(talk->bot->roles, whom)) {
        if (foreign && talk->role != ROLE_NONE)
            talk_say(talk, TEXT_FOREIGN_GROUP, NULL);
        else
            talk_say(talk, TEXT_STRANGER, talk_number(talk->update.from_id, id), NULL);
    }
    talk_end(talk);
}

/* ------------------------------------------------------------------------------------- commands */

/* "/mute 12 1h" names its group; "/mute 1h" as a reply to a card does not. */
static bool take_number(struct talk *talk)
{
    const char *rest = NULL;
    if (!command_parse_number(talk->args, &talk->group_id, &rest))
        return false;
    char *kept = mem_str_dup(rest);
    free(talk->args);
    talk->args = kept;
    return true;
}

static void on_replied(void *ctx, const struct our_message *message, const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
    } else if (message->group_id) {
        talk->group_id = message->group_id;
        talk->command->handler(talk);
    } else if (take_number(talk)) { /* a reply to something else */
        talk->command->handler(talk);
    } else {
        talk_say_usage(talk);
        talk_end(talk);
    }
}

static void run_command(struct talk *talk)
{
    const struct command *command = talk->command;
    /* in reply to a card what follows is the note, the person, the time: "#3" alone names another error */
    bool speaks_of_card =
        command->needs == NEEDS_GROUP_TEXT && talk->update.reply_to && talk->args[0] != '#';
    if (command->needs == NEEDS_NOTHING || (!speaks_of_card && take_number(talk))) {
        command->handler(talk);
    } else if (talk->update.reply_to) {
        store_message_get(talk->bot->pg, talk->update.chat_id, talk->update.reply_to, on_replied,
                          talk);
    } else {
        talk_say_usage(talk);
        talk_end(talk);
    }
}

static void say_unknown(struct talk *talk)
{
    const struct command *meant = command_meant(talk->args);
    if (meant && talk->role >= meant->role)
        talk_say(talk, TEXT_UNKNOWN_MEANT, talk->args, meant->name, NULL);
    else
        talk_say(talk, TEXT_UNKNOWN_COMMAND, talk->args, NULL);
    talk_end(talk);
}

static void say_hint(struct talk *talk)
{
    talk_say(talk, TEXT_HINT, NULL);
    talk_end(talk);
}

static void refuse_command(struct talk *talk)
{
    bool anonymous = talk->update.from_id == 0;
    talk_say(talk,
             anonymous                           ? TEXT_ANONYMOUS
             : talk->command->role == ROLE_OWNER ? TEXT_ONLY_OWNERS
                                                 : TEXT_ONLY_TRIAGE,
             NULL);
    talk_end(talk);
}

/* ids are nobody's secret, and until there is an alert chat they are what it is set up with */
static bool is_setting_up(const struct talk *talk)
{
    bool asks = talk->command &&
                (talk->command->handler == bot_cmd_id || talk->command->handler == bot_cmd_start);
    return asks && (talk->role == ROLE_OWNER || !talk->bot->alert_chat_id);
}

static void run_message(struct talk *talk)
{
    if (is_setting_up(talk))
        run_command(talk);
    else if (talk->role == ROLE_NONE || talk_is_foreign_group(talk))
        turn_away(talk);
    else if (talk->command && talk->role < talk->command->role)
        refuse_command(talk);
    else if (talk->command)
        run_command(talk);
    else if (talk->args)
        say_unknown(talk);
    else if (talk->update.reply_to)
        talk_note(talk);
    else
        say_hint(talk);
}

/* The offer to make a group the alert chat is pressed where no errors are shown yet. */
static void run_press(struct talk *talk)
{
    bool setup = talk->update.press_data && strncmp(talk->update.press_data, "setup", 5) == 0;
    if (!setup && (talk->role == ROLE_NONE || talk_is_foreign_group(talk)))
        turn_away(talk);
    else
        talk_press(talk);
}

static void on_role(void *ctx, enum role role)
{
    struct talk *talk = ctx;
    struct update *u = &talk->update;
    talk->role = role;
    if (role > ROLE_NONE && u->from_id && !talk_is_foreign_group(talk))
        store_person_met(talk->bot->pg, u->from_id, u->from_username, u->from_name);
    if (u->kind == UPDATE_PRESS)
        run_press(talk);
    else if (u->kind == UPDATE_REACTION)
        talk_react(talk);
    else
        run_message(talk);
}

/* -------------------------------------------------------------------------------------- settings */

static void on_setting(void *ctx, const struct chat_setting *setting, const struct err *err)
{
    struct talk *talk = ctx;
    struct talk_setting *own = &talk->setting;
    if (err)
        log_debug("settings of the chat not read", LOG_S("error", err->text), LOG_END);
    if (setting->language)
        snprintf(own->language, sizeof own->language, "%s", setting->language);
    if (setting->time_zone)
        snprintf(own->zone, sizeof own->zone, "%s", setting->time_zone);
    own->is_quiet = setting->is_quiet;
    own->reactions = setting->reactions;
    own->dark_charts = setting->dark_charts;
    if (own->language[0])
        talk->look.language = talk->said_in = language_of_code(own->language);
    snprintf(talk->look.zone, sizeof talk->look.zone, "%s", own->zone);
    talk->look.is_quiet = own->is_quiet;
    roles_check(talk->bot->roles, talk->update.from_id, talk->update.chat_id, on_role, talk);
}

static void on_slow(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    talk_answer(timer->data, TEXT_DATABASE_SLOW);
}

/* Whether the text is for the bot at all: a command, or a reply (to what, is seen later). */
static bool read_message(struct talk *talk)
{
    char name[40];
    const char *args = "";
    const struct update *u = &talk->update;
    talk->command = command_parse(u->text, talk->bot->username, name, sizeof name, &args);
    if (talk->command || name[0])
        talk->args = mem_str_dup(talk->command ? args : name);
    /* another bot's command, or "/" alone, is no note either */
    bool replies = u->reply_to && u->text && u->text[0] != '/';
    /* in private nobody else is spoken to */
    return talk->args || replies || (u->is_private && u->text);
}

/* What needs no talk: the bot came or went, the group moved. */
static void tell_service(const struct bot *bot, const struct update *u)
{
    if (u->kind == UPDATE_MOVED) {
        bot->events.chat_moved(bot->events.ctx, u->chat_id, u->moved_to);
    } else if (u->kind == UPDATE_MEMBERSHIP && roles_is_place(bot->roles, u->chat_id)) {
        if (u->bot_is_inside)
            bot->events.chat_back(bot->events.ctx, u->chat_id);
        else
            log_warn("the bot is not in the alert chat any more", LOG_S("status", u->bot_status),
                     LOG_END);
    }
}

void talk_start(struct bot *bot, struct update *update, void (*done)(void *ctx), void *ctx)
{
    struct talk *talk = mem_alloc(sizeof *talk);
    talk->bot = bot;
    talk->next = bot->talks;
    bot->talks = talk;
    talk->update = *update;
    *update = (struct update){0};
    talk->look.language = talk_chat_language(bot->language, &talk->update);
    talk->said_in = talk_language(bot->language, &talk->update);
    talk->look.now_ms = clock_wall_ms();
    talk->done = done;
    talk->ctx = ctx;
    ev_timer_init(&talk->slow, on_slow, PRESS_ANSWER_MS_MAX / 1000.0, 0);
    ev_init(&talk->again, on_slow);
    talk->slow.data = talk->again.data = talk;
    enum update_kind kind = talk->update.kind;
    bool wanted = kind == UPDATE_PRESS ||
                  (kind == UPDATE_REACTION && talk->update.reaction && !talk->update.from_bot) ||
                  (kind == UPDATE_MESSAGE && !talk->update.from_bot && read_message(talk));
    tell_service(bot, &talk->update);
    if (!wanted) {
        talk_end(talk); /* talk among people, or another bot's command */
        return;
    }
    if (kind == UPDATE_PRESS)
        ev_timer_start(bot->loop, &talk->slow);
    store_chat_setting_get(bot->pg, talk->update.chat_id, on_setting, talk);
}
