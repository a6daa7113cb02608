/* update.c -- decoding of updates (Bot API: Update). */
#include "bot/update.h"

#include "core/limits.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX_SHOWN = 150 };

static int64_t number(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

/* NULL when absent; cut to what the bot reads of a message at most. */
static char *text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return NULL;
    const char *at = json_string_value(value);
    size_t len = strlen(at); /* a NUL inside ends it: no command has one */
    return mem_str_dup_n(at, utf8_cut(at, len, CHAT_INPUT_BYTES_MAX));
}

static char *name_of(const json_t *from)
{
    const char *username = json_string_value(json_object_get(from, "username"));
    const char *first = json_string_value(json_object_get(from, "first_name"));
    char name[200];
    if (!first || !*first)
        first = "?";
    if (username && *username)
        snprintf(name, sizeof name, "@%.*s",
                 (int)utf8_cut(username, strlen(username), NAME_BYTES_MAX_SHOWN), username);
    else
        snprintf(name, sizeof name, "%.*s",
                 (int)utf8_cut(first, strlen(first), NAME_BYTES_MAX_SHOWN), first);
    return mem_str_dup(name);
}

static void read_chat(const json_t *chat, struct update *u)
{
    const char *type = json_string_value(json_object_get(chat, "type"));
    u->chat_id = number(chat, "id");
    u->is_private = type && strcmp(type, "private") == 0;
    u->is_forum = json_is_true(json_object_get(chat, "is_forum"));
}

static void read_place(const json_t *message, struct update *u)
{
    read_chat(json_object_get(message, "chat"), u);
    u->message_id = number(message, "message_id");
    /* replies in plain supergroups carry a thread id too, which is no topic */
    if (json_is_true(json_object_get(message, "is_topic_message")))
        u->thread_id = number(message, "message_thread_id");
}

static void read_person(const json_t *from, struct update *u)
{
    u->from_id = number(from, "id");
    u->from_bot = json_is_true(json_object_get(from, "is_bot"));
    u->from_name = name_of(from);
    u->from_username = text(from, "username");
    u->language_code = text(from, "language_code");
}

static void read_named(const json_t *message, struct update *u)
{
    const json_t *reply = json_object_get(message, "reply_to_message");
    const json_t *who = json_object_get(reply, "from");
    const json_t *entity = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(message, "entities"), i, entity)
    {
        const json_t *user = json_object_get(entity, "user");
        if (json_is_object(user))
            who = user;
    }
    if (json_is_object(who) && !json_is_true(json_object_get(who, "is_bot"))) {
        u->named_id = number(who, "id");
        u->named_name = name_of(who);
    }
}

static void read_message(const json_t *message, struct update *u)
{
    u->kind = UPDATE_MESSAGE;
    read_place(message, u);
    u->moved_to = number(message, "migrate_to_chat_id");
    if (u->moved_to) {
        u->kind = UPDATE_MOVED;
        return;
    }
    read_person(json_object_get(message, "from"), u);
    const json_t *reply = json_object_get(message, "reply_to_message");
    u->reply_to = number(reply, "message_id");
    /* in a topic every message is a reply to the one that opened it */
    if (json_is_object(json_object_get(reply, "forum_topic_created")))
        u->reply_to = 0;
    if (u->reply_to)
        u->reply_text = text(reply, json_object_get(reply, "text") ? "text" : "caption");
    u->text = text(message, "text");
    if (!u->text)
        u->text = text(message, "caption");
    read_named(message, u);
    if (json_object_get(message,
                        "forward_origin")) { /* somebody else's words, shown and not said */
        free(u->text);
        u->text = NULL;
    }
    const json_t *sender = json_object_get(message, "sender_chat");
    if (!json_is_object(sender))
        return;
    /* an anonymous administrator speaks as the group itself; a channel that is linked or speaks
     * here is nobody we could know */
    u->from_bot = number(sender, "id") != u->chat_id;
    u->from_id = 0;
    char *signature = text(message, "author_signature");
    free(u->from_name);
    u->from_name = signature ? signature : mem_str_dup("anonymous admin");
    free(u->from_username);
    u->from_username = NULL;
}

static void read_press(const json_t *press, struct update *u)
{
    const json_t *message = json_object_get(press, "message");
    u->kind = UPDATE_PRESS;
    read_place(message, u);
    read_person(json_object_get(press, "from"), u);
    u->press_id = text(press, "id");
    u->press_data = text(press, "data");
    u->press_text = text(message, "text");
    u->press_is_ours = json_is_true(json_object_get(json_object_get(message, "from"), "is_bot"));
}

static void read_reaction(const json_t *reaction, struct update *u)
{
    const json_t *old = json_object_get(reaction, "old_reaction");
    const json_t *new = json_object_get(reaction, "new_reaction");
    const json_t *added = json_array_get(new, json_array_size(new) - 1);
    u->kind = UPDATE_REACTION;
    read_place(reaction, u);
    read_person(json_object_get(reaction, "user"), u);
    u->from_bot =
        u->from_id == 0; /* a reaction in a chat's name (actor_chat) is nobody we could know */
    if (json_array_size(new) > 0 && json_array_size(new) >= json_array_size(old))
        u->reaction = text(added, "emoji");
}

static void read_membership(const json_t *change, struct update *u)
{
    const json_t *member = json_object_get(change, "new_chat_member");
    u->kind = UPDATE_MEMBERSHIP;
    read_chat(json_object_get(change, "chat"), u);
    read_person(json_object_get(change, "from"), u);
    u->bot_status = text(member, "status");
    const char *status = u->bot_status ? u->bot_status : "";
    u->bot_is_inside =
        strcmp(status, "member") == 0 || strcmp(status, "administrator") == 0 ||
        (strcmp(status, "restricted") == 0 && json_is_true(json_object_get(member, "is_member")));
}

bool update_decode(const char *json, struct update *u)
{
    static const struct {
        const char *key;
        void (*read)(const json_t *value, struct update *u);
    } KINDS[] = {
        {"message", read_message},
        {"callback_query", read_press},
        {"message_reaction", read_reaction},
        {"my_chat_member", read_membership},
    };
    json_error_t why;
    *u = (struct update){0};
    json_t *root = json_loads(json, JSON_ALLOW_NUL, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return false;
    }
    u->id = number(root, "update_id");
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const json_t *value = json_object_get(root, KINDS[i].key);
        if (json_is_object(value)) {
            KINDS[i].read(value, u);
            break;
        }
    }
    json_decref(root);
    return true;
}

void update_fini(struct update *u)
{
    free(u->from_name);
    free(u->from_username);
    free(u->language_code);
    free(u->text);
    free(u->reply_text);
    free(u->named_name);
    free(u->press_id);
    free(u->press_data);
    free(u->press_text);
    free(u->reaction);
    free(u->bot_status);
    *u = (struct update){0};
}

void update_json_clean(char *json)
{
    for (char *at = json; *at; at++) {
        if (*at != '\\')
            continue;
        if (strncmp(at, "\\u0000", 6) == 0)
            memcpy(at, "\\ufffd", 6);
        if (at[1])
            at++; /* what a backslash escapes is no backslash of its own */
    }
}
