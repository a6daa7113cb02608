/* cmd_bug.c -- /report_bug: what a person reports by themselves; /state: how far it is; /comment: what is said about an error.
 *
 *     /report_bug words --scrubbed--> event and row --> its code, and a button: tell me when it is over */
#include "bot/command.h"

#include "core/event_code.h"
#include "core/limits.h"
#include "core/mem.h"
#include "ingest/report.h"
#include "store/user_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES_MAX = MIB };

struct reporting_bug {
    struct talk *talk;
    struct arena *arena;
    struct user_report report;
};

static void post_added(const struct reporting_bug *b, int64_t id, bool is_attached)
{
    struct talk *talk = b->talk;
    enum language l = talk->look.language;
    char code[EVENT_CODE_BYTES];
    char number[TALK_NUMBER_BYTES];
    const char *values[] = {b->report.title, code};
    struct buf html;
    struct chat_keyboard keyboard = {.count = 0};
    struct our_message as = {.kind = MESSAGE_REPORT, .args = talk_number(id, number)};
    event_code(b->report.event_id, code);
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(l, TEXT_BUG_ADDED, values, 2, &html);
    if (is_attached)
        buf_addf(&html, "\n%s", bot_text(l, TEXT_BUG_ATTACHED));
    chat_add_button(&keyboard, bot_text(l, TEXT_BUTTON_FOLLOW), "follow", true);
    talk_post(talk, buf_text(&html), &keyboard, &as);
    buf_fini(&html);
}

static void on_added(void *ctx, int64_t id, const char *about, const struct err *err)
{
    struct reporting_bug *b = ctx;
    struct talk *talk = b->talk;
    if (err)
        talk_say_away(talk);
    else
        post_added(b, id, *about);
    arena_free(b->arena);
    free(b);
    talk_end(talk);
}

void bot_cmd_report_bug(struct talk *talk)
{
    struct err err = {0};
    struct reporting_bug *b = mem_alloc(sizeof *b);
    *b = (struct reporting_bug){.talk = talk, .arena = arena_new(ARENA_BYTES_MAX)};
    b->report.reporter_id = talk->update.from_id;
    b->report.language = language_code(talk->said_in);
    /* in reply to a message of somebody's, what that says is part of it */
    size_t size =
        strlen(talk->args) + (talk->update.reply_text ? strlen(talk->update.reply_text) : 0) + 8;
    char *text = mem_alloc(size);
    snprintf(text, size, "%s%s%s", talk->args,
             *talk->args && talk->update.reply_text ? "\n\n> " : "",
             talk->update.reply_text ? talk->update.reply_text : "");
    bool ok = report_of_text(text, 1, talk->bot->scrub, b->arena, &b->report, &err);
    free(text);
    if (ok) {
        store_user_report_add(talk->bot->pg, &b->report, on_added, b);
        return;
    }
    talk_say_usage(talk);
    arena_free(b->arena);
    free(b);
    talk_end(talk);
}

/* -------------------------------------------------------------------------------------------- follow */

/* The chat in which a word in private was asked for: said there when it can't come. Not the talk: Telegram may take its time. */
struct following {
    struct bot *bot;
    struct chat_message message;
    enum language language;
    char *name;
    char user_id[TALK_NUMBER_BYTES];
};

/* Telegram lets a bot write to nobody who has not written to it first: said at once, and not when the word is due. */
static void on_told(void *ctx, const struct chat_result *result)
{
    struct following *f = ctx;
    if (result->outcome == TG_CHAT_GONE) {
        const char *values[] = {f->name, f->user_id, f->bot->username};
        struct buf html;
        buf_init(&html, TG_TEXT_BYTES_MAX);
        bot_text_fill(f->language, TEXT_FOLLOW_START, values, 3, &html);
        f->message.html = buf_text(&html);
        f->bot->chat->send(f->bot->chat, &f->message, NULL, NULL);
        buf_fini(&html);
    }
    free(f->name);
    free(f);
}

static void tell_in_private(const struct talk *talk, const char *title)
{
    const char *values[] = {title};
    struct buf html;
    struct following *f = mem_alloc(sizeof *f);
    *f = (struct following){.bot = talk->bot,
                            .message = {.chat_id = talk->update.chat_id,
                                        .thread_id = talk->update.thread_id,
                                        .patient = true},
                            .language = talk->said_in,
                            .name = mem_str_dup(talk->update.from_name)};
    talk_number(talk->update.from_id, f->user_id);
    buf_init(&html, TG_TEXT_BYTES_MAX);
    bot_text_fill(talk->said_in, TEXT_FOLLOW_HERE, values, 1, &html);
    struct chat_message message = {
        .chat_id = talk->update.from_id, .html = buf_text(&html), .patient = true};
    talk->bot->chat->send(talk->bot->chat, &message, on_told, f);
    buf_fini(&html);
}

static void on_followed(void *ctx, const char *title, const struct err *err)
{
    struct talk *talk = ctx;
    talk_answer(talk, err ? TEXT_DATABASE_AWAY : title ? TEXT_FOLLOWED : TEXT_FOLLOW_THEIRS);
    if (title && talk->update.chat_id != talk->update.from_id)
        tell_in_private(talk, title);
    talk_end(talk);
}

void bot_press_follow(struct talk *talk, const char *arg)
{
    (void)arg;
    store_user_report_follow(talk->bot->pg, strtoll(talk->on_args, NULL, 10), talk->update.from_id,
                             language_code(talk->said_in), on_followed, talk);
}

/* ------------------------------------------------------------------------------------------- state */

static void on_state(void *ctx, const char *state, const char *title, const struct err *err)
{
    struct talk *talk = ctx;
    char number[TALK_NUMBER_BYTES];
    talk_number(talk->group_id, number);
    if (err && err->kind == ERR_INPUT) {
        talk_say_usage(talk);
    } else if (err) {
        talk_say_away(talk);
    } else if (!state) {
        talk_say(talk, TEXT_NO_REPORT, number, NULL);
    } else {
        talk_say(talk, TEXT_STATE_SET, number, title,
                 bot_text(talk->look.language, bot_state_text(state)), NULL);
        talk->bot->events.changed(talk->bot->events.ctx);
    }
    talk_end(talk);
}

enum text bot_state_text(const char *state)
{
    static const struct {
        const char *name;
        enum text text;
    } STATES[] = {{"new", TEXT_STATE_NEW},
                  {"investigating", TEXT_STATE_INVESTIGATING},
                  {"confirmed", TEXT_STATE_CONFIRMED},
                  {"in_progress", TEXT_STATE_IN_PROGRESS},
                  {"resolved", TEXT_STATE_RESOLVED},
                  {"wont_fix", TEXT_STATE_WONT_FIX}};
    for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
        if (strcmp(STATES[i].name, state) == 0)
            return STATES[i].text;
    return TEXT_STATE_NEW;
}

void bot_cmd_state(struct talk *talk)
{
    struct actor actor = talk_actor(talk);
    for (char *c = talk->args; *c; c++)
        *c = *c == ' ' || *c == '-' ? '_' : *c;
    store_user_report_set(talk->bot->pg, talk->group_id,
                          strcmp(talk->args, "won't_fix") == 0 ? "wont_fix" : talk->args, &actor,
                          on_state, talk);
}

/* ---------------------------------------------------------------------------------------- comments */

static void on_comment(void *ctx, int64_t group_id, const struct err *err)
{
    struct talk *talk = ctx;
    char number[TALK_NUMBER_BYTES];
    if (err)
        talk_say_away(talk);
    else
        talk_say(talk, group_id ? TEXT_COMMENTED : TEXT_NO_SUCH_GROUP,
                 talk_number(group_id ? group_id : talk->group_id, number), NULL);
    talk_end(talk);
}

void bot_cmd_comment(struct talk *talk)
{
    struct actor actor = talk_actor(talk);
    if (!*talk->args) {
        talk_say_usage(talk);
        talk_end(talk);
        return;
    }
    store_comment_add(talk->bot->pg, talk->group_id, talk->args, &actor, on_comment, talk);
}
