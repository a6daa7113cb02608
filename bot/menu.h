/* menu.h -- the commands that Telegram offers people, by place and language (Bot API: setMyCommands). */
#ifndef NABAT_BOT_MENU_H
#define NABAT_BOT_MENU_H

#include "core/settings.h"
#include "net/telegram.h"

/* Everybody sees what everybody may ask; the alert chat sees what its members may, its administrators and
 * the owners of the settings, in private, everything. Nobody waits for it. */
void menu_set(struct telegram *telegram, int64_t alert_chat_id, const struct id_list *owners);

/* The alert chat is another one now: the old one's menus go. */
void menu_remove(struct telegram *telegram, int64_t chat_id);

#endif
