/* cmd_people.c -- /grant, /revoke, /forget: what only owners may.
 *
 *     /grant @ann triage --who is that?--> chat_member --> said, and kept in chat_member_history */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/person.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whom a command is about: as typed, as pointed at, or by a reply. */
struct whom {
    char text[96];    /* "@ann" or digits; "" when somebody was pointed at */
    enum role role;   /* of /grant */
    const char *rest; /* BORROWED from the arguments */
};

static enum text text_of_role(enum role role)
{
    return role == ROLE_OWNER    ? TEXT_ROLE_OWNER
           : role == ROLE_TRIAGE ? TEXT_ROLE_TRIAGE
                                 : TEXT_ROLE_VIEWER;
}

/* "@ann triage", "123 triage", "triage" as a reply or behind a mention. */
static bool read_whom(const struct talk *talk, struct whom *whom)
{
    const char *at = talk->args;
    *whom = (struct whom){.role = ROLE_NONE};
    while (*at) {
        size_t len = strcspn(at, " \t\n");
        char word[96];
        snprintf(word, sizeof word, "%.*s", (int)(len < 95 ? len : 95), at);
        enum role role = role_of_name(word);
        if (role != ROLE_NONE)
            whom->role = role;
        else if (!whom->text[0] && (word[0] == '@' || strspn(word, "0123456789") == strlen(word)))
            snprintf(whom->text, sizeof whom->text, "%s", word);
        else if (!talk->update.named_id) /* the name of somebody mentioned is read past */
            return false;
        at += len;
        at += strspn(at, " \t\n");
    }
    return whom->text[0] || talk->update.named_id;
}

static void end_with_usage(struct talk *talk)
{
    talk_say(talk, TEXT_GRANT_WHOM, talk->command->name, talk->command->args, NULL);
    talk_end(talk);
}

/* ------------------------------------------------------------------------------- grant and revoke */

static void on_put(void *ctx, const char *before, const struct err *err)
{
    struct talk *talk = ctx;
    struct whom whom;
    char id[TALK_NUMBER_BYTES];
    read_whom(talk, &whom);
    bool revoke = talk->command->handler == bot_cmd_revoke;
    const char *name = talk->on_args ? talk->on_args : "";
    if (err)
        talk_say_away(talk);
    else if (revoke && !before)
        talk_say(talk, TEXT_NO_GRANT, name, NULL);
    else
        talk_say(
            talk, revoke ? TEXT_REVOKED : TEXT_GRANTED, name, talk_number(talk->group_id, id),
            bot_text(talk->look.language, text_of_role(revoke ? role_of_name(before) : whom.role)),
            NULL);
    talk_end(talk);
}

/* From here on `group_id` holds the person's id and `on_args` the name. */
static void put(struct talk *talk, int64_t user_id, const char *name)
{
    struct whom whom;
    struct actor actor = talk_actor(talk);
    char *kept = mem_str_dup(name);
    read_whom(talk, &whom);
    free(talk->on_args);
    talk->on_args = kept;
    talk->group_id = user_id;
    bool revoke = talk->command->handler == bot_cmd_revoke;
    store_granted_put(talk->bot->pg, user_id, revoke ? NULL : role_name(whom.role), kept, &actor,
                      on_put, talk);
}

static void on_found(void *ctx, const struct person *people, size_t count, const struct err *err)
{
    struct talk *talk = ctx;
    struct whom whom;
    read_whom(talk, &whom);
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
    } else if (count == 1) {
        put(talk, people[0].user_id, people[0].name);
    } else if (isdigit((unsigned char)whom.text[0]) && strlen(whom.text) <= 18) {
        put(talk, strtoll(whom.text, NULL, 10), word(talk->look.language, WORD_USER));
    } else {
        talk_say(talk, TEXT_WHO_IS_THAT, whom.text, NULL);
        talk_end(talk);
    }
}

static void on_granted_list(void *ctx, const struct person *people, size_t count,
                            const struct err *err)
{
    struct talk *talk = ctx;
    struct buf html;
    if (err || count == 0) {
        if (err)
            talk_say_away(talk);
        else
            talk_say(talk, TEXT_GRANTS_NONE, NULL);
        talk_end(talk);
        return;
    }
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_add_str(&html, bot_text(talk->look.language, TEXT_GRANTS_HEAD));
    for (size_t i = 0; i < count; i++) {
        buf_add_str(&html, "\n");
        html_add_cut(&html, people[i].name, strlen(people[i].name), 60);
        buf_addf(&html, " (<code>%lld</code>): %s", (long long)people[i].user_id,
                 bot_text(talk->look.language, text_of_role(role_of_name(people[i].role))));
    }
    talk_reply(talk, buf_text(&html));
    buf_fini(&html);
    talk_end(talk);
}

static void find(struct talk *talk, const struct whom *whom)
{
    if (whom->text[0])
        store_people_find(talk->bot->pg, whom->text, on_found, talk);
    else
        put(talk, talk->update.named_id, talk->update.named_name);
}

enum { GRANTS_LISTED_MAX = 50 };

void bot_cmd_grant(struct talk *talk)
{
    struct whom whom;
    if (!talk->args[0] && !talk->update.named_id)
        store_people_list(talk->bot->pg, true, GRANTS_LISTED_MAX, on_granted_list, talk);
    else if (!read_whom(talk, &whom) || whom.role == ROLE_NONE)
        end_with_usage(talk);
    else
        find(talk, &whom);
}

void bot_cmd_revoke(struct talk *talk)
{
    struct whom whom;
    if (!read_whom(talk, &whom))
        end_with_usage(talk);
    else
        find(talk, &whom);
}

/* ---------------------------------------------------------------------------------------- forget */

static void on_forgot(void *ctx, int64_t count, const struct err *err)
{
    struct talk *talk = ctx;
    char events[WORDS_COUNT_BYTES];
    if (err) {
        talk_say_away(talk);
    } else if (count == 0) {
        talk_say(talk, TEXT_FORGOTTEN_NONE, talk->args, NULL);
    } else {
        words_count(talk->look.language, COUNT_EVENTS, count, events);
        log_info("a user was erased", LOG_I("events", count), LOG_I("by", talk->update.from_id),
                 LOG_END);
        talk_say(talk, TEXT_FORGOTTEN, talk->args, events, NULL);
    }
    talk_end(talk);
}

void bot_cmd_forget(struct talk *talk)
{
    if (!talk->args[0] || strpbrk(talk->args, " \t\n")) {
        talk_say_usage(talk);
        talk_end(talk);
        return;
    }
    store_person_forget(talk->bot->pg, talk->args, on_forgot, talk);
}
