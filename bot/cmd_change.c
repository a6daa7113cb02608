/* cmd_change.c -- /take /resolve /reopen /mute /unmute: one change, one line back.
 *
 *     command --change--> group as it is now --> "Resolved #12 title" --> the cards edit themselves */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"

#include <inttypes.h>
#include <string.h>

enum { DEFAULT_MUTE_SECONDS = 3600, TITLE_UNITS = 120 };

static const struct {
    command_fn *handler;
    enum text said;
} SAID[] = {
    {bot_cmd_take, TEXT_TAKEN}, {bot_cmd_resolve, TEXT_RESOLVED}, {bot_cmd_reopen, TEXT_REOPENED},
    {bot_cmd_mute, TEXT_MUTED}, {bot_cmd_unmute, TEXT_UNMUTED},
};

static void reply_changed(struct talk *talk, const struct group *group)
{
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++)
        if (SAID[i].handler == talk->command->handler)
            buf_addf(&html, "%s: ", bot_text(talk->language, SAID[i].said));
    buf_addf(&html, "<b>#%" PRId64 "</b> ", group->id);
    html_add_cut(&html, group->title, strlen(group->title), TITLE_UNITS);
    card_render_state(group, talk->language, &html);
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
}

static void on_changed(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_reply_away(talk);
    } else if (!group) {
        talk_reply_text(talk, TEXT_NO_SUCH_GROUP, (long long)talk->group_id);
    } else {
        reply_changed(talk, group);
        talk->bot->changed(talk->bot->ctx);
    }
    talk_end(talk);
}

static void change(struct talk *talk, enum group_change what, const char *text, int64_t number)
{
    struct actor actor = {talk->update.from_name, talk->update.from_id, "chat"};
    store_group_change(talk->bot->pg, talk->group_id, what, text, number, &actor, on_changed, talk);
}

void bot_cmd_take(struct talk *talk)
{
    change(talk, CHANGE_TAKE, NULL, 0);
}

void bot_cmd_resolve(struct talk *talk)
{
    const char *note = talk->args && talk->args[0] ? talk->args : NULL;
    change(talk, CHANGE_RESOLVE, note, 0);
}

void bot_cmd_reopen(struct talk *talk)
{
    change(talk, CHANGE_REOPEN, NULL, 0);
}

void bot_cmd_mute(struct talk *talk)
{
    int64_t seconds = DEFAULT_MUTE_SECONDS;
    int64_t count = 0;
    if (talk->args && talk->args[0] && !command_parse_mute(talk->args, &seconds, &count)) {
        talk_reply_text(talk, TEXT_USAGE, talk->command->name, talk->command->args);
        talk_end(talk);
        return;
    }
    change(talk, count ? CHANGE_MUTE_COUNT : CHANGE_MUTE, NULL, count ? count : seconds);
}

void bot_cmd_unmute(struct talk *talk)
{
    change(talk, CHANGE_UNMUTE, NULL, 0);
}
