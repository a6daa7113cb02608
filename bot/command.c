/* command.c -- the table of commands, and the pure parsing of what people type. */
#include "bot/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct command COMMANDS[] = {
    {"errors", "[new|mine|all|critical|text]", ROLE_VIEWER, false, bot_cmd_errors,
     TEXT_HELP_ERRORS},
    {"error", "N", ROLE_VIEWER, true, bot_cmd_error, TEXT_HELP_ERROR},
    {"take", "N", ROLE_TRIAGE, true, bot_cmd_take, TEXT_HELP_TAKE},
    {"resolve", "N [note]", ROLE_TRIAGE, true, bot_cmd_resolve, TEXT_HELP_RESOLVE},
    {"reopen", "N", ROLE_TRIAGE, true, bot_cmd_reopen, TEXT_HELP_REOPEN},
    {"mute", "N [1h|1d|100x]", ROLE_TRIAGE, true, bot_cmd_mute, TEXT_HELP_MUTE},
    {"unmute", "N", ROLE_TRIAGE, true, bot_cmd_unmute, TEXT_HELP_UNMUTE},
    {"monitors", "", ROLE_VIEWER, false, bot_cmd_monitors, TEXT_HELP_MONITORS},
    {"id", "", ROLE_VIEWER, false, bot_cmd_id, TEXT_HELP_ID},
    {"help", "", ROLE_VIEWER, false, bot_cmd_help, TEXT_HELP_HELP},
    {"start", "", ROLE_VIEWER, false, bot_cmd_start, TEXT_HELP_START},
};
const size_t COMMANDS_COUNT = sizeof COMMANDS / sizeof *COMMANDS;

const struct command *command_parse(const char *text, const char *username, char *name,
                                    size_t name_size, const char **args)
{
    name[0] = '\0';
    if (!text || text[0] != '/')
        return NULL;
    const char *at = text + 1;
    size_t len = 0;
    while (isalnum((unsigned char)at[len]) || at[len] == '_')
        len++;
    size_t copy = len < name_size - 1 ? len : name_size - 1;
    memcpy(name, at, copy);
    name[copy] = '\0';
    at += len;
    if (*at == '@') {
        size_t bot = strcspn(at + 1, " \t\n");
        bool ours =
            username[0] && strlen(username) == bot && strncasecmp(at + 1, username, bot) == 0;
        if (!ours) {
            name[0] = '\0';
            return NULL;
        }
        at += 1 + bot;
    }
    *args = at + strspn(at, " \t\n");
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        if (strcasecmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

bool command_parse_mute(const char *text, int64_t *seconds, int64_t *count)
{
    static const struct {
        char unit;
        int64_t seconds;
    } UNITS[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    enum { MUTE_NUMBER_MAX = 1000000 };
    char *end = NULL;
    *seconds = *count = 0;
    errno = 0;
    if (!isdigit((unsigned char)text[0]))
        return false;
    long n = strtol(text, &end, 10);
    if (errno || n < 1 || n > MUTE_NUMBER_MAX || !end[0] || end[1])
        return false;
    if (tolower((unsigned char)*end) == 'x') {
        *count = n;
        return true;
    }
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (tolower((unsigned char)*end) == UNITS[i].unit && n * UNITS[i].seconds <= 366 * 86400L) {
            *seconds = n * UNITS[i].seconds;
            return true;
        }
    return false;
}

json_t *command_menu(enum language language)
{
    json_t *list = json_array();
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        json_array_append_new(list, json_pack("{s:s,s:s}", "command", COMMANDS[i].name,
                                              "description", bot_text(language, COMMANDS[i].help)));
    json_t *params = json_pack("{s:o}", "commands", list);
    if (language == LANG_RU)
        json_object_set_new(params, "language_code", json_string("ru"));
    return params;
}
