/* cmd_change.c -- commands that change one group: one change, one line back.
 *
 *     command --change--> group as it is now --> "Resolved: #12 title" --> the cards edit themselves */
#include "bot/command.h"

#include "core/limits.h"
#include "core/utf8.h"
#include "store/person.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEFAULT_MUTE_SECONDS = 3600, TITLE_UNITS = 120 };

static const struct {
    command_fn *handler;
    enum text said;
} SAID[] = {
    {bot_cmd_take, TEXT_TAKEN}, {bot_cmd_resolve, TEXT_RESOLVED}, {bot_cmd_reopen, TEXT_REOPENED},
    {bot_cmd_mute, TEXT_MUTED}, {bot_cmd_unmute, TEXT_UNMUTED},   {bot_cmd_assign, TEXT_ASSIGNED},
    {bot_cmd_note, TEXT_NOTED}, {bot_cmd_merge, TEXT_MERGED},     {bot_cmd_split, TEXT_SPLIT},
};

static enum text said_of(const struct talk *talk, const struct group *group)
{
    command_fn *handler = talk->command->handler;
    if (handler == bot_cmd_assign && !(group->assigned_to && *group->assigned_to))
        return TEXT_UNASSIGNED;
    if (handler == bot_cmd_note && !(group->note && *group->note))
        return TEXT_UNNOTED;
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++)
        if (SAID[i].handler == handler)
            return SAID[i].said;
    return TEXT_NOTED;
}

static void reply_changed(struct talk *talk, const struct group *group)
{
    struct buf html;
    struct buf title;
    char number[TALK_NUMBER_BYTES];
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_init(&title, 4 * KIB);
    size_t cut = utf8_cut_units(group->title, strlen(group->title), TITLE_UNITS);
    buf_add(&title, group->title, cut);
    if (group->title[cut])
        buf_add_str(&title, "…");
    const char *values[] = {bot_text(talk->look.language, said_of(talk, group)),
                            talk_number(group->id, number), buf_text(&title)};
    bot_text_fill(talk->look.language, TEXT_CHANGED_LINE, values, 3, &html);
    card_render_state(group, &talk->look, &html);
    talk_reply(talk, buf_text(&html));
    buf_fini(&title);
    buf_fini(&html);
}

/* Somebody has it, or it is over: said with the name. */
static void on_had(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    const char *who = NULL;
    if (err || !group)
        talk_say_away(talk);
    else {
        enum text had = talk_who_has(group, &who);
        talk_say(talk, had, who, NULL);
    }
    talk_end(talk);
}

static void say_impossible(struct talk *talk)
{
    char number[TALK_NUMBER_BYTES];
    if (talk->command->handler == bot_cmd_merge)
        talk_say(talk, TEXT_CANT_MERGE, talk_number(talk->group_id, number), talk->args, NULL);
    else
        talk_say(talk, TEXT_NOTHING_MERGED, talk_number(talk->group_id, number), NULL);
}

static void on_changed(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    char number[TALK_NUMBER_BYTES];
    if (err && err->kind == ERR_INPUT && talk->command->handler == bot_cmd_take) {
        store_group_get(talk->bot->pg, talk->group_id, on_had, talk);
        return;
    }
    if (err && err->kind == ERR_INPUT) {
        say_impossible(talk);
    } else if (err) {
        talk_say_away(talk);
    } else if (!group && talk->command->handler == bot_cmd_merge) {
        talk_say(talk, TEXT_CANT_MERGE_GONE, talk_number(talk->group_id, number), talk->args, NULL);
    } else if (!group) {
        talk_say(talk, TEXT_NO_SUCH_GROUP, talk_number(talk->group_id, number), NULL);
    } else {
        reply_changed(talk, group);
        talk->bot->events.changed(talk->bot->events.ctx);
    }
    talk_end(talk);
}

static void change(struct talk *talk, enum group_change_kind kind, const char *text, int64_t number)
{
    struct actor actor = talk_actor(talk);
    struct group_change what = {kind, text, number};
    store_group_change(talk->bot->pg, talk->group_id, &what, &actor, on_changed, talk);
}

static void end_with_usage(struct talk *talk)
{
    talk_say_usage(talk);
    talk_end(talk);
}

void bot_cmd_take(struct talk *talk)
{
    change(talk, CHANGE_TAKE, NULL, 0);
}

void bot_cmd_resolve(struct talk *talk)
{
    change(talk, CHANGE_RESOLVE, talk->args[0] ? talk->args : NULL, 0);
}

void bot_cmd_reopen(struct talk *talk)
{
    change(talk, CHANGE_REOPEN, NULL, 0);
}

void bot_cmd_mute(struct talk *talk)
{
    int64_t seconds = DEFAULT_MUTE_SECONDS;
    int64_t count = 0;
    if (talk->args[0] && !command_parse_mute(talk->args, &seconds, &count))
        end_with_usage(talk);
    else
        change(talk, count ? CHANGE_MUTE_COUNT : CHANGE_MUTE, NULL, count ? count : seconds);
}

void bot_cmd_unmute(struct talk *talk)
{
    change(talk, CHANGE_UNMUTE, NULL, 0);
}

static bool is_nothing(const char *text)
{
    return strcmp(text, "-") == 0 || strcmp(text, "—") == 0;
}

void bot_cmd_note(struct talk *talk)
{
    if (!talk->args[0])
        end_with_usage(talk);
    else
        change(talk, CHANGE_NOTE, is_nothing(talk->args) ? NULL : talk->args, 0);
}

/* ---------------------------------------------------------------------------- assign, merge, split */

static void on_person(void *ctx, const struct person *people, size_t count, const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
    } else if (count == 1) {
        change(talk, CHANGE_ASSIGN, people[0].name, people[0].user_id);
    } else if (talk->args[0] == '@') {
        /* a name is enough: the person need not have spoken to the bot */
        change(talk, CHANGE_ASSIGN, talk->args, 0);
    } else {
        talk_say(talk, TEXT_WHO_IS_THAT, talk->args, NULL);
        talk_end(talk);
    }
}

void bot_cmd_assign(struct talk *talk)
{
    const struct update *u = &talk->update;
    if (u->named_id && !talk->args[0])
        change(talk, CHANGE_ASSIGN, u->named_name, u->named_id);
    else if (!talk->args[0])
        end_with_usage(talk);
    else if (strcasecmp(talk->args, "me") == 0)
        change(talk, CHANGE_ASSIGN, u->from_name, u->from_id);
    else if (is_nothing(talk->args))
        change(talk, CHANGE_ASSIGN, NULL, 0);
    else if (u->named_id && talk->args[0] != '@')
        change(talk, CHANGE_ASSIGN, u->named_name, u->named_id);
    else if (strpbrk(talk->args, " \t\n") || strcmp(talk->args, "@") == 0)
        end_with_usage(talk);
    else
        store_people_find(talk->bot->pg, talk->args, on_person, talk);
}

void bot_cmd_merge(struct talk *talk)
{
    const char *rest = NULL;
    int64_t other = 0;
    if (!command_parse_number(talk->args, &other, &rest) || *rest)
        end_with_usage(talk);
    else
        change(talk, CHANGE_MERGE, NULL, other);
}

void bot_cmd_split(struct talk *talk)
{
    change(talk, CHANGE_SPLIT, NULL, 0);
}
