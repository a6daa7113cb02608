/* update.c -- decoding of messages and callback queries (Bot API: Update). */
#include "bot/update.h"

#include "core/limits.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    if (username)
        snprintf(name, sizeof name, "@%s", username);
    else
        snprintf(name, sizeof name, "%.*s",
                 (int)utf8_cut(first ? first : "?", strlen(first ? first : "?"), 150),
                 first ? first : "?");
    return mem_str_dup(name);
}

static void read_chat(const json_t *message, struct update *u)
{
    const json_t *chat = json_object_get(message, "chat");
    const char *type = json_string_value(json_object_get(chat, "type"));
    u->chat_id = number(chat, "id");
    u->is_private = type && strcmp(type, "private") == 0;
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
    u->language_code = text(from, "language_code");
}

bool update_decode(const char *json, struct update *u)
{
    json_error_t why;
    *u = (struct update){0};
    json_t *root = json_loads(json, JSON_ALLOW_NUL, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return false;
    }
    u->id = number(root, "update_id");
    const json_t *message = json_object_get(root, "message");
    const json_t *press = json_object_get(root, "callback_query");
    if (json_is_object(message)) {
        u->kind = UPDATE_MESSAGE;
        read_chat(message, u);
        read_person(json_object_get(message, "from"), u);
        u->reply_to = number(json_object_get(message, "reply_to_message"), "message_id");
        u->text = text(message, "text");
        /* an anonymous administrator speaks as the group itself */
        if (number(json_object_get(message, "sender_chat"), "id") == u->chat_id)
            u->from_bot = false;
    } else if (json_is_object(press)) {
        u->kind = UPDATE_PRESS;
        read_chat(json_object_get(press, "message"), u);
        read_person(json_object_get(press, "from"), u);
        u->press_id = text(press, "id");
        u->press_data = text(press, "data");
    }
    json_decref(root);
    return true;
}

void update_fini(struct update *u)
{
    free(u->from_name);
    free(u->language_code);
    free(u->text);
    free(u->press_id);
    free(u->press_data);
    *u = (struct update){0};
}
