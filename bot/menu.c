/* menu.c -- one call for each scope and language. */
#include "bot/menu.h"

#include "bot/command.h"
#include "core/log.h"

enum { OWNERS_MAX = 8 };

static void on_set(void *ctx, const struct tg_answer *answer)
{
    (void)
        ctx; /* an owner who never wrote to the bot is "chat not found": the menu comes with /start */
    if (answer->outcome != TG_OK)
        log_debug("menu of commands not set", LOG_S("error", answer->text), LOG_END);
}

static void set(struct telegram *telegram, enum role role, json_t *scope)
{
    for (int language = 0; language < LANGUAGES; language++) {
        json_t *params = command_menu((enum language)language, role);
        json_object_set(params, "scope", scope);
        telegram_call(telegram, "setMyCommands", params, 15, on_set, NULL);
    }
    json_decref(scope);
}

static json_t *chat_scope(const char *type, int64_t chat_id)
{
    return json_pack("{s:s,s:I}", "type", type, "chat_id", (json_int_t)chat_id);
}

void menu_set(struct telegram *telegram, int64_t alert_chat_id, const struct id_list *owners)
{
    set(telegram, ROLE_TRIAGE, json_pack("{s:s}", "type", "default"));
    set(telegram, ROLE_TRIAGE, json_pack("{s:s}", "type", "all_private_chats"));
    set(telegram, ROLE_NONE, json_pack("{s:s}", "type", "all_group_chats"));
    if (alert_chat_id)
        set(telegram, alert_chat_id > 0 ? ROLE_OWNER : ROLE_TRIAGE,
            chat_scope("chat", alert_chat_id));
    if (alert_chat_id < 0)
        set(telegram, ROLE_OWNER, chat_scope("chat_administrators", alert_chat_id));
    for (size_t i = 0; i < owners->count && i < OWNERS_MAX; i++)
        set(telegram, ROLE_OWNER, chat_scope("chat", owners->ids[i]));
}

void menu_remove(struct telegram *telegram, int64_t chat_id)
{
    static const char *const TYPES[] = {"chat", "chat_administrators"};
    for (size_t i = 0; i < 2; i++)
        for (int language = 0; language < LANGUAGES; language++) {
            json_t *params = json_pack("{s:o}", "scope", chat_scope(TYPES[i], chat_id));
            if (language == LANG_RU)
                json_object_set_new(params, "language_code", json_string("ru"));
            telegram_call(telegram, "deleteMyCommands", params, 15, on_set, NULL);
        }
}
