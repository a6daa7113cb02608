/* console.h -- the console chat: the terminal stands in for Telegram when there is no token.
 *
 * What is printed is what the chat would show; what is typed is a message to the bot, or the number
 * of a button of the newest message that has buttons. */
#ifndef NABAT_BOT_CONSOLE_H
#define NABAT_BOT_CONSOLE_H

#include "alerts/chat.h"
#include "bot/update.h"

#include <ev.h>

enum { CONSOLE_CHAT_ID = 1, CONSOLE_USER_ID = 1 };

struct console;

/* `typed` gets each line as an update (STOLEN), until stdin ends; NULL: it only prints. */
struct console *console_new(struct ev_loop *loop, void (*typed)(void *ctx, struct update *update),
                            void *ctx);
void console_free(struct console *console);
struct chat *console_chat(struct console *console);

#endif
