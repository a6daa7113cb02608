/* command.h -- the list of commands. /help, the Telegram menus and the permission check read it. */
#ifndef NABAT_BOT_COMMAND_H
#define NABAT_BOT_COMMAND_H

#include "bot/talk.h"
#include "store/group_list.h"

typedef void command_fn(struct talk *talk);

/* What a command is about. */
enum command_needs {
    NEEDS_NOTHING,
    NEEDS_GROUP,      /* N, or a reply to a card */
    NEEDS_GROUP_TEXT, /* and words behind it: in reply to a card all of them are words */
};

struct command {
    const char *name;
    const char *args; /* as usage shows it */
    enum role role;   /* the least that may */
    enum command_needs needs;
    command_fn *handler;
    enum text help; /* in the list */
    enum text more; /* of /help name */
};
extern const struct command COMMANDS[];
extern const size_t COMMANDS_COUNT;

/* "/take@NabatBot 12 note" -> the row, "12 note". NULL: no command, or another bot's. `args` is
 * BORROWED from the text. `name` (of `name_size` bytes) gets what was typed. */
const struct command *command_parse(const char *text, const char *username, char *name,
                                    size_t name_size, const char **args);
const struct command *command_find(const char *name);
/* The command that was probably meant: one slip of a finger away, two for long names. NULL: none. */
const struct command *command_meant(const char *name);
/* "1h", "30m", "1d", "100x"; false: none of these. */
bool command_parse_mute(const char *text, int64_t *seconds, int64_t *count);
/* The number in front of the text ("#12 rest"); false: there is none. `rest` is BORROWED. */
bool command_parse_number(const char *text, int64_t *number, const char **rest);
/* The page that a button asks for, within LIST_PAGES_MAX. */
bool command_parse_page(const char *text, int64_t *page);
/* What /errors was asked for; a word that is no status, severity, person or time is looked for as
 * text. `text` is cut in pieces, the filter borrows them. */
struct asker {
    const char *name;
    int64_t id;
};
void command_parse_filter(char *text, const struct asker *me, struct group_filter *filter);

/* The handlers, a file each or a few that belong together. */
command_fn bot_cmd_start, bot_cmd_help, bot_cmd_id;
command_fn bot_cmd_errors, bot_cmd_error, bot_cmd_events;
command_fn bot_cmd_take, bot_cmd_resolve, bot_cmd_reopen, bot_cmd_mute, bot_cmd_unmute;
command_fn bot_cmd_assign, bot_cmd_note, bot_cmd_merge, bot_cmd_split;
command_fn bot_cmd_channels, bot_cmd_silence, bot_cmd_quiet, bot_cmd_rules;
command_fn bot_cmd_issue, bot_cmd_report_bug, bot_cmd_state, bot_cmd_comment;
command_fn bot_cmd_check, bot_cmd_stats, bot_cmd_top, bot_cmd_report, bot_cmd_deploy;
command_fn bot_cmd_monitors, bot_cmd_health, bot_cmd_settings;
command_fn bot_cmd_grant, bot_cmd_revoke, bot_cmd_forget;

/* /check and /stats checks; ends the talk. */
void bot_list_checks(struct talk *talk);

/* "12 errors", or "1,000+ errors" where the list counts no further. */
void bot_count_errors(const struct talk *talk, const struct group_page *page,
                      char out[WORDS_COUNT_BYTES]);

/* A press on a message of theirs; `arg` is what the button says of itself ("2" of "page:2"). */
void bot_press_page(struct talk *talk, const char *arg);
void bot_press_digest_page(struct talk *talk, const char *arg);
void bot_press_events_page(struct talk *talk, const char *arg);
void bot_press_open(struct talk *talk, const char *arg);
void bot_press_setting(struct talk *talk, const char *arg);
void bot_press_setup(struct talk *talk, const char *arg);
void bot_press_follow(struct talk *talk, const char *arg);

/* The words for one of the six states of a report. */
enum text bot_state_text(const char *state);

/* The Telegram menu: the parameters of setMyCommands for what a role may, without a scope. */
json_t *command_menu(enum language language, enum role role);

#endif
