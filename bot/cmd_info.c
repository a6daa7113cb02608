/* cmd_info.c -- /start, /help, /id: what this is and how to set it up, what can be asked, who and where
 * you are. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/person.h"
#include "store/setting.h"

#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- start */

static void offer_setup(struct talk *talk, enum text which)
{
    struct buf html;
    struct chat_keyboard keyboard = {.count = 0};
    struct our_message as = {.kind = MESSAGE_SETUP};
    char chat[TALK_NUMBER_BYTES];
    const char *values[] = {talk_number(talk->update.chat_id, chat)};
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(talk->look.language, which, values, 1, &html);
    chat_add_button(&keyboard, bot_text(talk->look.language, TEXT_BUTTON_SETUP), "setup", true);
    talk_post(talk, buf_text(&html), &keyboard, &as);
    buf_fini(&html);
}

static void on_owners(void *ctx, const int64_t *ids, size_t count, const struct err *err)
{
    struct talk *talk = ctx;
    char id[TALK_NUMBER_BYTES];
    (void)ids;
    talk_number(talk->update.from_id, id);
    talk_say(talk, err || count > 0 ? TEXT_START_NO_CHAT : TEXT_START_NO_OWNER, id, NULL);
    talk_end(talk);
}

/* Ends the talk. */
static void start_in_private(struct talk *talk)
{
    char id[TALK_NUMBER_BYTES];
    talk_number(talk->update.from_id, id);
    if (talk->bot->alert_chat_id)
        talk_say(talk, TEXT_START, NULL);
    else if (talk->role == ROLE_OWNER)
        offer_setup(talk, TEXT_START_OWNER);
    else if (roles_has_owner(talk->bot->roles))
        talk_say(talk, TEXT_START_NO_CHAT, id, NULL);
    else {
        store_owners_list(talk->bot->pg, on_owners, talk);
        return;
    }
    talk_end(talk);
}

static void start_in_group(struct talk *talk)
{
    char here[TALK_NUMBER_BYTES];
    char there[TALK_NUMBER_BYTES];
    talk_number(talk->update.chat_id, here);
    talk_number(talk->bot->alert_chat_id, there);
    if (talk->update.chat_id == talk->bot->alert_chat_id)
        talk_say(talk, TEXT_START_GROUP_HERE, NULL);
    else if (talk->bot->chat_is_fixed)
        talk_say(talk, TEXT_START_GROUP_LATE, here, there, NULL);
    else
        offer_setup(talk, TEXT_START_GROUP_SET);
    talk_end(talk);
}

void bot_cmd_start(struct talk *talk)
{
    if (talk->update.is_private)
        start_in_private(talk);
    else
        start_in_group(talk);
}

static void on_open(void *ctx, const struct group_page *page, const struct err *err)
{
    struct talk *talk = ctx;
    char errors[WORDS_COUNT_BYTES];
    if (!err && page->total > 0) {
        bot_count_errors(talk, page, errors);
        talk_say(talk, TEXT_SETUP_OPEN, errors, NULL);
    }
    talk_end(talk);
}

static void on_chosen(void *ctx, const char *value, const struct err *err)
{
    struct talk *talk = ctx;
    struct chat_keyboard none = {.count = 0};
    if (err || !value) {
        talk_answer(talk, TEXT_DATABASE_AWAY);
        talk_end(talk);
        return;
    }
    log_info("an owner chose the alert chat", LOG_I("chat", talk->update.chat_id),
             LOG_I("owner", talk->update.from_id), LOG_END);
    talk->bot->events.chat_chosen(talk->bot->events.ctx, talk->update.chat_id);
    talk_answer(talk, TEXT_SETUP_DONE);
    talk_edit(talk, bot_text(talk->look.language, TEXT_SETUP_DONE), &none);
    /* what came before there was a chat has not rung: at least it is said */
    struct group_filter open = {.open_only = true, .limit = 1};
    store_group_list(talk->bot->pg, &open, on_open, talk);
}

void bot_press_setup(struct talk *talk, const char *arg)
{
    char chat[TALK_NUMBER_BYTES];
    (void)arg;
    if (talk->role != ROLE_OWNER || talk->bot->chat_is_fixed) {
        talk_answer(talk, talk->role == ROLE_OWNER ? TEXT_NO_SUCH_BUTTON : TEXT_SETUP_ONLY_OWNER);
        talk_end(talk);
        return;
    }
    store_setting_put(talk->bot->pg, SETTING_ALERT_CHAT, talk_number(talk->update.chat_id, chat),
                      on_chosen, talk);
}

/* ------------------------------------------------------------------------------------ help and id */

static void add_usage(struct buf *html, const struct command *c)
{
    buf_addf(html, "/%s ", c->name);
    if (!c->args[0])
        return;
    buf_add_str(html, "<code>");
    html_add_str(html, c->args);
    buf_add_str(html, "</code> ");
}

static void help_one(struct talk *talk, const char *name)
{
    const struct command *c = command_find(name[0] == '/' ? name + 1 : name);
    struct buf html;
    if (!c) {
        const struct command *meant = command_meant(name[0] == '/' ? name + 1 : name);
        if (meant)
            talk_say(talk, TEXT_UNKNOWN_MEANT, name[0] == '/' ? name + 1 : name, meant->name, NULL);
        else
            talk_say(talk, TEXT_NO_SUCH_COMMAND, name, NULL);
        return;
    }
    buf_init(&html, TG_TEXT_BYTES_MAX);
    add_usage(&html, c);
    buf_addf(&html, "— %s\n\n%s", bot_text(talk->look.language, c->help),
             bot_text(talk->look.language, c->more));
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
}

void bot_cmd_help(struct talk *talk)
{
    struct buf html;
    talk->args[strcspn(talk->args, " \t\n")] = '\0';
    if (talk->args[0]) {
        help_one(talk, talk->args);
        talk_end(talk);
        return;
    }
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_add_str(&html, bot_text(talk->look.language, TEXT_HELP_HEAD));
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        if (COMMANDS[i].role > talk->role)
            continue;
        buf_add_char(&html, '\n');
        add_usage(&html, &COMMANDS[i]);
        buf_addf(&html, "— %s", bot_text(talk->look.language, COMMANDS[i].help));
    }
    if (talk->role >= ROLE_TRIAGE)
        buf_addf(&html, "\n\n%s", bot_text(talk->look.language, TEXT_HELP_FOOT));
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
    talk_end(talk);
}

void bot_cmd_id(struct talk *talk)
{
    char person[TALK_NUMBER_BYTES];
    char chat[TALK_NUMBER_BYTES];
    char topic[TALK_NUMBER_BYTES];
    talk_number(talk->update.from_id, person);
    talk_number(talk->update.chat_id, chat);
    talk_number(talk->update.thread_id, topic);
    if (talk->update.thread_id)
        talk_say(talk, TEXT_ID_TOPIC, person, chat, topic, NULL);
    else
        talk_say(talk, TEXT_ID, person, chat, NULL);
    talk_end(talk);
}
