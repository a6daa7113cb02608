/* command.h -- the list of commands. /help, the Telegram menu and the permission check read it. */
#ifndef NABAT_BOT_COMMAND_H
#define NABAT_BOT_COMMAND_H

#include "bot/talk.h"

typedef void command_fn(struct talk *talk);

struct command {
    const char *name;
    const char *args; /* as usage shows it */
    enum role role;   /* the least that may */
    bool needs_group; /* N, or a reply to a card */
    command_fn *handler;
    enum text help;
};
extern const struct command COMMANDS[];
extern const size_t COMMANDS_COUNT;

/* "/take@NabatBot 12 note" -> the row, 12, "note". NULL: no command, or another bot's. `args` is
 * BORROWED from the text. `name` (of `name_size` bytes) gets what was typed. */
const struct command *command_parse(const char *text, const char *username, char *name,
                                    size_t name_size, const char **args);
/* "1h", "30m", "1d", "100x"; false: none of these. */
bool command_parse_mute(const char *text, int64_t *seconds, int64_t *count);

/* The handlers, a file each or a few that belong together. */
command_fn bot_cmd_start, bot_cmd_help, bot_cmd_id;
command_fn bot_cmd_errors, bot_cmd_error, bot_cmd_monitors;
command_fn bot_cmd_take, bot_cmd_resolve, bot_cmd_reopen, bot_cmd_mute, bot_cmd_unmute;

/* The Telegram menu: the parameters of setMyCommands for one language. */
json_t *command_menu(enum language language);

#endif
