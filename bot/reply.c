/* reply.c -- what people say to one of our messages without a command: text is a note, a reaction is
 * triage.
 *
 *     message replied to --card, or asked for a note--> note --row--> a reaction says "noted"
 *     message reacted to --card, and the chat wants it--> take or resolve */
#include "bot/talk.h"

#include "core/limits.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* Bot API: ReactionTypeEmoji allows no check mark; 👌 is the nearest that everybody has. */
static const struct {
    const char *emoji;
    enum group_change_kind change;
} REACTIONS[] = {
    {"👀", CHANGE_TAKE},         {"✅", CHANGE_RESOLVE}, {"✔", CHANGE_RESOLVE},
    {"✔️", CHANGE_RESOLVE}, {"☑", CHANGE_RESOLVE}, {"👌", CHANGE_RESOLVE},
};
static const char NOTED_EMOJI[] = "✍";

/* Says "noted" once Telegram did not take the reaction. */
struct noted {
    struct bot *bot;
    struct chat_message message;
    enum language language;
};

static void on_reacted(void *ctx, const struct chat_result *result)
{
    struct noted *n = ctx;
    if (result->outcome != TG_OK) {
        n->message.html = bot_text(n->language, TEXT_NOTED);
        n->bot->chat->send(n->bot->chat, &n->message, NULL, NULL);
    }
    free(n);
}

static void say_noted(struct talk *talk)
{
    struct noted *n = mem_alloc(sizeof *n);
    n->bot = talk->bot;
    n->language = talk->look.language;
    n->message = (struct chat_message){.chat_id = talk->update.chat_id,
                                       .thread_id = talk->update.thread_id,
                                       .reply_to = talk->update.message_id,
                                       .patient = true};
    talk->bot->chat->react(talk->bot->chat, talk->update.chat_id, talk->update.message_id,
                           NOTED_EMOJI, on_reacted, n);
}

static void on_noted(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_say_away(talk);
    } else if (group) {
        say_noted(talk);
        talk->bot->events.changed(talk->bot->events.ctx);
    }
    talk_end(talk);
}

/* A reply to anything else is talk among people. */
static void on_replied(void *ctx, const struct our_message *message, const struct err *err)
{
    struct talk *talk = ctx;
    bool asks = message->kind == MESSAGE_CARD || message->kind == MESSAGE_NOTE;
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
    } else if (!asks) {
        talk_end(talk);
    } else if (talk->role < ROLE_TRIAGE) {
        talk_say(talk, TEXT_ONLY_TRIAGE, NULL);
        talk_end(talk);
    } else {
        struct actor actor = talk_actor(talk);
        struct group_change note = {CHANGE_NOTE, talk->update.text, 0};
        store_group_change(talk->bot->pg, message->group_id, &note, &actor, on_noted, talk);
    }
}

void talk_note(struct talk *talk)
{
    store_message_get(talk->bot->pg, talk->update.chat_id, talk->update.reply_to, on_replied, talk);
}

static enum group_change_kind change_of(const char *emoji)
{
    for (size_t i = 0; i < sizeof REACTIONS / sizeof *REACTIONS; i++)
        if (strcmp(REACTIONS[i].emoji, emoji) == 0)
            return REACTIONS[i].change;
    return CHANGE_RESOLVE;
}

static void on_triaged(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    if (err)
        log_warn("a reaction was not carried out", LOG_S("error", err->text), LOG_END);
    if (group)
        talk->bot->events.changed(talk->bot->events.ctx);
    talk_end(talk);
}

/* Eyes on what somebody has taken, or what is resolved, are only eyes. */
static void on_group_reacted_to(void *ctx, const struct group *group, const struct err *err)
{
    struct talk *talk = ctx;
    enum group_change_kind kind = change_of(talk->update.reaction);
    bool wanted =
        !err && group &&
        (kind == CHANGE_TAKE ? group->status == STATUS_NEW : group->status != STATUS_RESOLVED);
    if (!wanted) {
        talk_end(talk);
        return;
    }
    struct actor actor = talk_actor(talk);
    struct group_change change = {kind, NULL, 0};
    store_group_change(talk->bot->pg, group->id, &change, &actor, on_triaged, talk);
}

static void on_reacted_to(void *ctx, const struct our_message *message, const struct err *err)
{
    struct talk *talk = ctx;
    if (!err && message->kind == MESSAGE_CARD)
        for (size_t i = 0; i < sizeof REACTIONS / sizeof *REACTIONS; i++) {
            if (strcmp(REACTIONS[i].emoji, talk->update.reaction) != 0)
                continue;
            talk->group_id = message->group_id;
            store_group_get(talk->bot->pg, message->group_id, on_group_reacted_to, talk);
            return;
        }
    talk_end(talk);
}

/* Telegram shows a reaction to everybody: nobody needs to be told that it did nothing. */
void talk_react(struct talk *talk)
{
    if (talk->role < ROLE_TRIAGE || talk_is_foreign_group(talk) || !talk->setting.reactions) {
        talk_end(talk);
        return;
    }
    store_message_get(talk->bot->pg, talk->update.chat_id, talk->update.message_id, on_reacted_to,
                      talk);
}
