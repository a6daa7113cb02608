/* cmd_silence.c -- /silence: nothing rings for a while, and is told together afterwards; /quiet: the
 * hours in which a chat wants no sound, or nothing until the morning.
 *
 * Said in the alert chat or in private a silence is for every chat; in a chat that a rule sends to, for
 * that one. */
#include "bot/command.h"

#include "bot/rule_words.h"
#include "core/limits.h"
#include "store/rule_edit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SILENCE_SECONDS_MAX = 7 * 86400 };

static int64_t silenced_chat(const struct talk *talk)
{
    bool everywhere = talk->update.is_private || talk->update.chat_id == talk->bot->alert_chat_id;
    return everywhere ? 0 : talk->update.chat_id;
}

static const char *reason_of(const struct talk *talk)
{
    const char *space = strpbrk(talk->args, " \t\n");
    return space ? space + strspn(space, " \t\n") : "";
}

static void on_silenced(void *ctx, int64_t until_ms, const struct err *err)
{
    struct talk *talk = ctx;
    char until[WORDS_MOMENT_BYTES];
    words_moment(&talk->look, until_ms, until);
    if (err)
        talk_say_away(talk);
    else if (*reason_of(talk))
        talk_say(talk, TEXT_SILENCE_ON_FOR, until, reason_of(talk), NULL);
    else
        talk_say(talk, TEXT_SILENCE_ON, until, NULL);
    talk_end(talk);
}

static void on_ended(void *ctx, int64_t n, const struct err *err)
{
    struct talk *talk = ctx;
    if (err)
        talk_say_away(talk);
    else
        talk_say(talk, n ? TEXT_SILENCE_OFF : TEXT_SILENCE_NONE, NULL);
    talk_end(talk);
}

static void on_listed(void *ctx, struct rules *rules, const struct err *err)
{
    struct talk *talk = ctx;
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
        return;
    }
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    for (size_t i = 0; i < rules->silences_count && i < LIST_ROWS_MAX; i++) {
        char until[WORDS_MOMENT_BYTES];
        words_moment(&talk->look, rules->silences[i].until_ms, until);
        const char *values[] = {until, rules->silences[i].reason};
        bot_text_fill(talk->look.language, TEXT_SILENCE_LINE, values, 2, &html);
        buf_add_char(&html, '\n');
    }
    if (html.len)
        talk_reply(talk, buf_text(&html));
    else
        talk_say(talk, TEXT_SILENCE_NONE, NULL);
    buf_fini(&html);
    store_rules_free(rules);
    talk_end(talk);
}

void bot_cmd_silence(struct talk *talk)
{
    char span[24];
    int64_t seconds = 0;
    const char *args = talk->args;
    snprintf(span, sizeof span, "%.*s", (int)strcspn(args, " \t\n"), args);
    bool numeric =
        isdigit((unsigned char)span[0]) && isalpha((unsigned char)span[strlen(span) - 1]);
    if (!*args) {
        store_rules_load(talk->bot->pg, on_listed, talk);
    } else if (talk->role < ROLE_TRIAGE) {
        talk_say(talk, TEXT_ONLY_TRIAGE, NULL);
        talk_end(talk);
    } else if (strcasecmp(args, "off") == 0) {
        store_silence_end(talk->bot->pg, silenced_chat(talk), on_ended, talk);
    } else if (numeric && rule_words_span(span, SILENCE_SECONDS_MAX, &seconds) && seconds >= 60) {
        store_silence_add(talk->bot->pg, silenced_chat(talk), seconds, reason_of(talk),
                          talk->update.from_name, on_silenced, talk);
    } else {
        talk_say_usage(talk);
        talk_end(talk);
    }
}

/* -------------------------------------------------------------------------------------- /quiet */

/* "23:00" or "23" */
static bool read_hour(const char **at, char out[6])
{
    char *end = NULL;
    long hour = isdigit((unsigned char)**at) ? strtol(*at, &end, 10) : -1;
    long minute = 0;
    if (hour < 0 || hour > 23)
        return false;
    if (*end == ':' && isdigit((unsigned char)end[1]))
        minute = strtol(end + 1, &end, 10);
    if (minute > 59)
        return false;
    snprintf(out, 6, "%02d:%02d", (int)hour, (int)minute);
    *at = end;
    return true;
}

struct hours {
    char from[6];
    char to[6];
    bool holds;
};

/* "23:00-08:00", "23-8 hold" */
static bool read_hours(const char *text, struct hours *h)
{
    if (!read_hour(&text, h->from))
        return false;
    text += strspn(text, " ");
    if (*text != '-' && strncmp(text, "–", 3) != 0)
        return false;
    text += *text == '-' ? 1 : 3;
    text += strspn(text, " ");
    if (!read_hour(&text, h->to) || strcmp(h->from, h->to) == 0)
        return false;
    text += strspn(text, " ");
    h->holds = strcasecmp(text, "hold") == 0;
    return !*text || h->holds || strcasecmp(text, "silent") == 0;
}

static void on_quiet(void *ctx, int64_t n, const struct err *err)
{
    struct talk *talk = ctx;
    struct hours h = {.holds = false};
    char span[16];
    (void)n;
    bool set = read_hours(talk->args, &h);
    snprintf(span, sizeof span, "%s–%s", h.from, h.to);
    if (err)
        talk_say_away(talk);
    else if (set)
        talk_say(talk, h.holds ? TEXT_QUIET_HOLDS : TEXT_QUIET_SILENT, span, NULL);
    else
        talk_say(talk, TEXT_QUIET_OFF, NULL);
    talk_end(talk);
}

static void on_hours(void *ctx, struct rules *rules, const struct err *err)
{
    struct talk *talk = ctx;
    const struct quiet_hours *mine = NULL;
    for (size_t i = 0; !err && i < rules->quiet_count; i++)
        if (rules->quiet[i].chat_id == talk->update.chat_id)
            mine = &rules->quiet[i];
    if (err) {
        talk_say_away(talk);
    } else if (!mine) {
        talk_say(talk, TEXT_QUIET_OFF, NULL);
    } else {
        char span[32];
        snprintf(span, sizeof span, "%02d:%02d–%02d:%02d", mine->from_minute / 60,
                 mine->from_minute % 60, mine->to_minute / 60, mine->to_minute % 60);
        talk_say(talk, mine->holds ? TEXT_QUIET_HOLDS : TEXT_QUIET_SILENT, span, NULL);
    }
    store_rules_free(rules);
    talk_end(talk);
}

void bot_cmd_quiet(struct talk *talk)
{
    struct hours h = {.holds = false};
    bool off = strcasecmp(talk->args, "off") == 0;
    if (!*talk->args) {
        store_rules_load(talk->bot->pg, on_hours, talk);
    } else if (talk->role < ROLE_TRIAGE) {
        talk_say(talk, TEXT_ONLY_TRIAGE, NULL);
        talk_end(talk);
    } else if (off || read_hours(talk->args, &h)) {
        store_quiet_put(talk->bot->pg, talk->update.chat_id, off ? NULL : h.from, off ? NULL : h.to,
                        h.holds, on_quiet, talk);
    } else {
        talk_say_usage(talk);
        talk_end(talk);
    }
}
