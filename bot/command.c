/* command.c -- the table of commands, and the pure parsing of what people type. */
#include "bot/command.h"

#include "core/limits.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct command COMMANDS[] = {
    {"errors", "[new|mine|critical|24h|text]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_errors,
     TEXT_HELP_ERRORS, TEXT_MORE_ERRORS},
    {"error", "N [events]", ROLE_VIEWER, NEEDS_GROUP, bot_cmd_error, TEXT_HELP_ERROR,
     TEXT_MORE_ERROR},
    {"take", "N", ROLE_TRIAGE, NEEDS_GROUP, bot_cmd_take, TEXT_HELP_TAKE, TEXT_MORE_TAKE},
    {"resolve", "N [note]", ROLE_TRIAGE, NEEDS_GROUP_TEXT, bot_cmd_resolve, TEXT_HELP_RESOLVE,
     TEXT_MORE_RESOLVE},
    {"reopen", "N", ROLE_TRIAGE, NEEDS_GROUP, bot_cmd_reopen, TEXT_HELP_REOPEN, TEXT_MORE_REOPEN},
    {"mute", "N [1h|1d|100x]", ROLE_TRIAGE, NEEDS_GROUP_TEXT, bot_cmd_mute, TEXT_HELP_MUTE,
     TEXT_MORE_MUTE},
    {"unmute", "N", ROLE_TRIAGE, NEEDS_GROUP, bot_cmd_unmute, TEXT_HELP_UNMUTE, TEXT_MORE_UNMUTE},
    {"assign", "N @user", ROLE_TRIAGE, NEEDS_GROUP_TEXT, bot_cmd_assign, TEXT_HELP_ASSIGN,
     TEXT_MORE_ASSIGN},
    {"note", "N text", ROLE_TRIAGE, NEEDS_GROUP_TEXT, bot_cmd_note, TEXT_HELP_NOTE, TEXT_MORE_NOTE},
    {"comment", "N text", ROLE_TRIAGE, NEEDS_GROUP_TEXT, bot_cmd_comment, TEXT_HELP_COMMENT,
     TEXT_MORE_COMMENT},
    {"merge", "N M", ROLE_TRIAGE, NEEDS_GROUP_TEXT, bot_cmd_merge, TEXT_HELP_MERGE,
     TEXT_MORE_MERGE},
    {"split", "N", ROLE_TRIAGE, NEEDS_GROUP, bot_cmd_split, TEXT_HELP_SPLIT, TEXT_MORE_SPLIT},
    {"stats", "[24h|7d|30d] [words]|checks", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_stats,
     TEXT_HELP_STATS, TEXT_MORE_STATS},
    {"top", "[users|handlers|releases|origins] [24h|7d|30d] [words]", ROLE_VIEWER, NEEDS_NOTHING,
     bot_cmd_top, TEXT_HELP_TOP, TEXT_MORE_TOP},
    {"issue", "N", ROLE_TRIAGE, NEEDS_GROUP, bot_cmd_issue, TEXT_HELP_ISSUE, TEXT_MORE_ISSUE},
    {"report_bug", "text", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_report_bug, TEXT_HELP_REPORT_BUG,
     TEXT_MORE_REPORT_BUG},
    {"state", "N new|investigating|confirmed|in_progress|resolved|wont_fix", ROLE_TRIAGE,
     NEEDS_GROUP_TEXT, bot_cmd_state, TEXT_HELP_STATE, TEXT_MORE_STATE},
    {"check", "[add URL every 1m expect 200 under 2s|beat NAME every 1h|on N|off N|del N]",
     ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_check, TEXT_HELP_CHECK, TEXT_MORE_CHECK},
    {"report", "[24h|7d|30d]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_report, TEXT_HELP_REPORT,
     TEXT_MORE_REPORT},
    {"deploy", "[name [environment]]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_deploy, TEXT_HELP_DEPLOY,
     TEXT_MORE_DEPLOY},
    {"monitors", "", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_monitors, TEXT_HELP_MONITORS,
     TEXT_MORE_MONITORS},
    {"health", "", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_health, TEXT_HELP_HEALTH, TEXT_MORE_HEALTH},
    {"settings", "[zone NAME]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_settings, TEXT_HELP_SETTINGS,
     TEXT_MORE_SETTINGS},
    {"silence", "[30m reason|off]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_silence, TEXT_HELP_SILENCE,
     TEXT_MORE_SILENCE},
    {"quiet", "[23:00-08:00 [silent|hold]|off]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_quiet,
     TEXT_HELP_QUIET, TEXT_MORE_QUIET},
    {"rules", "[add WORDS|del N|on N|off N]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_rules,
     TEXT_HELP_RULES, TEXT_MORE_RULES},
    {"channels", "", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_channels, TEXT_HELP_CHANNELS,
     TEXT_MORE_CHANNELS},
    {"id", "", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_id, TEXT_HELP_ID, TEXT_MORE_ID},
    {"help", "[command]", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_help, TEXT_HELP_HELP, TEXT_MORE_HELP},
    {"start", "", ROLE_VIEWER, NEEDS_NOTHING, bot_cmd_start, TEXT_HELP_START, TEXT_MORE_START},
    {"grant", "@user viewer|triage|owner", ROLE_OWNER, NEEDS_NOTHING, bot_cmd_grant,
     TEXT_HELP_GRANT, TEXT_MORE_GRANT},
    {"revoke", "@user", ROLE_OWNER, NEEDS_NOTHING, bot_cmd_revoke, TEXT_HELP_REVOKE,
     TEXT_MORE_REVOKE},
    {"forget", "USER_ID", ROLE_OWNER, NEEDS_NOTHING, bot_cmd_forget, TEXT_HELP_FORGET,
     TEXT_MORE_FORGET},
};
const size_t COMMANDS_COUNT = sizeof COMMANDS / sizeof *COMMANDS;

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        if (strcasecmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

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
    return command_find(name);
}

/* Optimal string alignment distance: letters missing, doubled, wrong, or swapped with the next. */
static size_t distance(const char *a, const char *b)
{
    enum { NAME_MAX_LEN = 24 };
    size_t d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t best = d[i - 1][j - 1] + !same;
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 &&
                           tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 2]) &&
                           tolower((unsigned char)a[i - 2]) == tolower((unsigned char)b[j - 1]);
            if (swapped && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[n][m];
}

const struct command *command_meant(const char *name)
{
    enum { LONG_NAME = 6 };
    const struct command *meant = NULL;
    size_t best = strlen(name) >= LONG_NAME ? 3 : 2;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        size_t d = distance(name, COMMANDS[i].name);
        if (d < best) {
            best = d;
            meant = &COMMANDS[i];
        }
    }
    return meant;
}

static bool parse_duration(const char *text, int64_t *seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } UNITS[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    enum { NUMBER_MAX = 1000000 };
    char *end = NULL;
    errno = 0;
    if (!isdigit((unsigned char)text[0]))
        return false;
    long n = strtol(text, &end, 10);
    if (errno || n < 1 || n > NUMBER_MAX || !end[0] || end[1])
        return false;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (tolower((unsigned char)*end) == UNITS[i].unit && n * UNITS[i].seconds <= 366 * 86400L) {
            *seconds = n * UNITS[i].seconds;
            return true;
        }
    return false;
}

bool command_parse_mute(const char *text, int64_t *seconds, int64_t *count)
{
    enum { COUNT_MAX = 1000000 };
    char *end = NULL;
    *seconds = *count = 0;
    if (parse_duration(text, seconds))
        return true;
    errno = 0;
    long n = isdigit((unsigned char)text[0]) ? strtol(text, &end, 10) : 0;
    if (errno || n < 1 || n > COUNT_MAX || tolower((unsigned char)*end) != 'x' || end[1])
        return false;
    *count = n;
    return true;
}

bool command_parse_number(const char *text, int64_t *number, const char **rest)
{
    char *end = NULL;
    text += *text == '#';
    errno = 0;
    if (!isdigit((unsigned char)*text))
        return false;
    long long n = strtoll(text, &end, 10);
    if (errno || n <= 0 || (*end && !isspace((unsigned char)*end)))
        return false;
    *number = n;
    *rest = end + strspn(end, " \t\n");
    return true;
}

bool command_parse_page(const char *text, int64_t *page)
{
    const char *rest = NULL;
    return command_parse_number(text, page, &rest) && !*rest && *page <= LIST_PAGES_MAX;
}

/* True: the word says something of state, owner, severity or time. */
static bool read_word(const char *word, const struct asker *me, struct group_filter *filter)
{
    enum severity severity;
    enum group_status status;
    if (strcasecmp(word, "all") == 0) {
        filter->open_only = false;
    } else if (strcasecmp(word, "open") == 0) {
        filter->open_only = true;
    } else if (strcasecmp(word, "mine") == 0) {
        filter->assigned_to = me->name;
        filter->assigned_to_id = me->id;
    } else if (word[0] == '@' && word[1]) {
        filter->assigned_to = word;
    } else if (strcasecmp(word, "muted") == 0) {
        filter->muted_only = true;
    } else if (strcasecmp(word, "unassigned") == 0) {
        filter->unassigned_only = true;
    } else if (status_parse(word, strlen(word), &status)) {
        filter->open_only = false;
        filter->statuses |= 1u << status;
    } else if (severity_parse(word, strlen(word), &severity)) {
        filter->severities |= 1u << severity;
    } else {
        return parse_duration(word, &filter->seen_within_s);
    }
    return true;
}

void command_parse_filter(char *text, const struct asker *me, struct group_filter *filter)
{
    *filter = (struct group_filter){.open_only = true};
    for (char *at = text + strspn(text, " \t\n"); *at; at += strspn(at, " \t\n")) {
        char *word = at;
        at += strcspn(at, " \t\n");
        if (*at)
            *at++ = '\0';
        if (!read_word(word, me, filter) && filter->words_count < FILTER_WORDS_MAX)
            filter->words[filter->words_count++] = word;
    }
}

json_t *command_menu(enum language language, enum role role)
{
    json_t *list = json_array();
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        if (COMMANDS[i].role <= role)
            json_array_append_new(list,
                                  json_pack("{s:s,s:s}", "command", COMMANDS[i].name, "description",
                                            bot_text(language, COMMANDS[i].help)));
    json_t *params = json_pack("{s:o}", "commands", list);
    if (language == LANG_RU)
        json_object_set_new(params, "language_code", json_string("ru"));
    return params;
}
