/* cmd_info.c -- /start, /help, /id: what this is, what can be asked, who and where you are. */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"

void bot_cmd_start(struct talk *talk)
{
    if (talk->bot->alert_chat_id)
        talk_reply_text(talk, TEXT_START);
    else
        talk_reply_text(talk, TEXT_START_NO_CHAT, (long long)talk->update.chat_id);
    talk_end(talk);
}

void bot_cmd_help(struct talk *talk)
{
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_add_str(&html, bot_text(talk->language, TEXT_HELP_HEAD));
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        buf_addf(&html, "\n/%s ", COMMANDS[i].name);
        if (COMMANDS[i].args[0]) {
            buf_add_str(&html, "<code>");
            html_add_str(&html, COMMANDS[i].args);
            buf_add_str(&html, "</code> ");
        }
        buf_addf(&html, "— %s", bot_text(talk->language, COMMANDS[i].help));
    }
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
    talk_end(talk);
}

void bot_cmd_id(struct talk *talk)
{
    talk_reply_text(talk, TEXT_ID, (long long)talk->update.from_id,
                    (long long)talk->update.chat_id);
    talk_end(talk);
}
