/* rule_words.c -- one table of keys, read and written. */
#include "bot/rule_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHARACTERS_MAX = 128, COOLDOWN_MAX = 30 * 86400, MINUTES_MAX = 60, DAYS_MAX = 365 };

bool rule_words_span(const char *text, int64_t max, int64_t *seconds)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } UNITS[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end = NULL;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || n < 0)
        return false;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (strcasecmp(end, UNITS[i].unit) == 0 && n <= max / UNITS[i].seconds) {
            *seconds = n * UNITS[i].seconds;
            return true;
        }
    return false;
}

static void write_span(int64_t seconds, struct buf *out)
{
    if (seconds && seconds % 86400 == 0)
        buf_addf(out, "%" PRId64 "d", seconds / 86400);
    else if (seconds && seconds % 3600 == 0)
        buf_addf(out, "%" PRId64 "h", seconds / 3600);
    else if (seconds && seconds % 60 == 0)
        buf_addf(out, "%" PRId64 "m", seconds / 60);
    else
        buf_addf(out, "%" PRId64 "s", seconds);
}

static bool read_number(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !errno && end != text && *end == '\0' && *out != 0;
}

/* ------------------------------------------------------------------------------ texts of a match */

static const struct {
    const char *key;
    size_t offset;
} TEXTS_OF_RULE[] = {
    {"origin", offsetof(struct rule, match.origin)},
    {"project", offsetof(struct rule, match.project)},
    {"env", offsetof(struct rule, match.environment)},
    {"handler", offsetof(struct rule, match.handler)},
    {"text", offsetof(struct rule, match.text)},
};

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static bool set_text(struct rule *rule, const char *key, const char *value)
{
    for (size_t i = 0; i < sizeof TEXTS_OF_RULE / sizeof *TEXTS_OF_RULE; i++)
        if (strcmp(TEXTS_OF_RULE[i].key, key) == 0) {
            bool fits = *value && characters(value) <= CHARACTERS_MAX;
            if (fits)
                snprintf((char *)rule + TEXTS_OF_RULE[i].offset, RULE_TEXT_BYTES, "%s", value);
            return fits;
        }
    return false;
}

/* ------------------------------------------------------------------------------------- the others */

static bool set_severity(struct rule *rule, const char *value)
{
    enum severity severity;
    bool known = severity_parse(value, strlen(value), &severity);
    if (known)
        rule->match.severity_min = (int)severity;
    return known;
}

/* "new", "regressed", "rate:100/5m", "first:7d" */
static bool set_occasion(struct rule *rule, const char *value)
{
    char *end = NULL;
    int64_t seconds = 0;
    for (int o = OCCASION_ANY; o <= OCCASION_REGRESSED; o++)
        if (strcasecmp(value, occasion_name((enum occasion)o)) == 0) {
            rule->occasion = (enum occasion)o;
            return true;
        }
    if (strncasecmp(value, "first:", 6) == 0) {
        rule->occasion = OCCASION_FIRST;
        bool ok = rule_words_span(value + 6, DAYS_MAX * 86400, &seconds) && seconds >= 86400 &&
                  seconds % 86400 == 0;
        rule->first_days = seconds / 86400;
        return ok;
    }
    if (strncasecmp(value, "rate:", 5) != 0)
        return false;
    rule->occasion = OCCASION_RATE;
    rule->rate_count = strtoll(value + 5, &end, 10);
    bool ok = *end == '/' && rule->rate_count > 0 && rule->rate_count <= INT32_MAX &&
              rule_words_span(end + 1, MINUTES_MAX * 60, &seconds) && seconds >= 60 &&
              seconds % 60 == 0;
    rule->rate_minutes = seconds / 60;
    return ok;
}

static bool set_flag(struct rule *rule, const char *word)
{
    if (strcasecmp(word, "silent") == 0)
        rule->silent = 1;
    else if (strcasecmp(word, "loud") == 0)
        rule->silent = 0;
    else if (strcasecmp(word, "nowhere") == 0)
        rule->nowhere = true;
    else if (strcasecmp(word, "continue") == 0)
        rule->continues = true;
    else
        return false;
    return true;
}

static bool set(struct rule *rule, int64_t here, const char *key, const char *value)
{
    int64_t seconds = 0;
    if (strcmp(key, "severity") == 0)
        return set_severity(rule, value);
    if (strcmp(key, "when") == 0)
        return set_occasion(rule, value);
    if (strcmp(key, "topic") == 0)
        return read_number(value, &rule->thread_id) && rule->thread_id > 0;
    if (strcmp(key, "under") == 0)
        return read_number(value, &rule->parent_id) && rule->parent_id > 0;
    if (strcmp(key, "chat") == 0 && strcasecmp(value, "here") == 0) {
        rule->chat_id = here;
        return true;
    }
    if (strcmp(key, "channel") == 0) {
        bool fits = *value && strlen(value) < sizeof rule->channel;
        if (fits)
            snprintf(rule->channel, sizeof rule->channel, "%s", value);
        return fits;
    }
    if (strcmp(key, "chat") == 0)
        return read_number(value, &rule->chat_id);
    if (strcmp(key, "lang") == 0) {
        bool known = strcmp(value, "en") == 0 || strcmp(value, "ru") == 0;
        if (known)
            snprintf(rule->language, sizeof rule->language, "%s", value);
        return known;
    }
    if (strcmp(key, "name") == 0) {
        bool fits = characters(value) <= 64;
        if (fits)
            snprintf(rule->name, sizeof rule->name, "%s", value);
        return fits;
    }
    if (strcmp(key, "cooldown") == 0) {
        bool ok = rule_words_span(value, COOLDOWN_MAX, &seconds);
        rule->cooldown_ms = seconds * 1000;
        return ok;
    }
    return set_text(rule, key, value);
}

/* The next word into `word`, a value in quotes without them; false: it is too long or not closed. */
static bool next_word(const char **at, char word[RULE_TEXT_BYTES + RULE_WORD_BYTES])
{
    size_t n = 0;
    bool quoted = false;
    for (; **at && (quoted || !strchr(" \t\n", **at)); (*at)++) {
        if (**at == '"') {
            quoted = !quoted;
            continue;
        }
        if (n == RULE_TEXT_BYTES + RULE_WORD_BYTES - 1)
            return false;
        word[n++] = **at;
    }
    word[n] = '\0';
    *at += strspn(*at, " \t\n");
    return !quoted;
}

bool rule_words_parse(const char *text, int64_t here, struct rule *rule, char bad[RULE_WORD_BYTES])
{
    char word[RULE_TEXT_BYTES + RULE_WORD_BYTES];
    bool any = false;
    *rule = (struct rule){.match.severity_min = -1, .silent = -1, .cooldown_ms = -1};
    rule->enabled = true;
    const char *at = text + strspn(text, " \t\n");
    while (*at) {
        bool whole = next_word(&at, word);
        snprintf(bad, RULE_WORD_BYTES, "%s", word);
        char *colon = strchr(word, ':');
        if (colon)
            *colon = '\0';
        if (!whole || !(colon ? set(rule, here, word, colon + 1) : set_flag(rule, word)))
            return false;
        any = true;
    }
    bad[0] = '\0';
    return any;
}

static void write_text(const char *key, const char *value, struct buf *out)
{
    bool quoted = value[strcspn(value, " \t\n")] != '\0';
    if (*value)
        buf_addf(out, quoted ? " %s:\"%s\"" : " %s:%s", key, value);
}

static void write_occasion(const struct rule *rule, struct buf *out)
{
    if (rule->occasion == OCCASION_ANY)
        return;
    buf_addf(out, " when:%s", occasion_name(rule->occasion));
    if (rule->occasion == OCCASION_RATE)
        buf_addf(out, ":%" PRId64 "/%" PRId64 "m", rule->rate_count, rule->rate_minutes);
    else if (rule->occasion == OCCASION_FIRST)
        buf_addf(out, ":%" PRId64 "d", rule->first_days);
}

void rule_words_write(const struct rule *rule, struct buf *out)
{
    size_t start = out->len;
    if (rule->match.severity_min >= 0)
        write_text("severity", severity_name((enum severity)rule->match.severity_min), out);
    for (size_t i = 0; i < sizeof TEXTS_OF_RULE / sizeof *TEXTS_OF_RULE; i++)
        write_text(TEXTS_OF_RULE[i].key, (const char *)rule + TEXTS_OF_RULE[i].offset, out);
    write_occasion(rule, out);
    if (rule->nowhere)
        buf_add_str(out, " nowhere");
    write_text("channel", rule->channel, out);
    if (rule->chat_id && !*rule->channel)
        buf_addf(out, " chat:%" PRId64, rule->chat_id);
    if (rule->thread_id)
        buf_addf(out, " topic:%" PRId64, rule->thread_id);
    write_text("lang", rule->language, out);
    if (rule->silent >= 0)
        buf_add_str(out, rule->silent ? " silent" : " loud");
    if (rule->cooldown_ms >= 0) {
        buf_add_str(out, " cooldown:");
        write_span(rule->cooldown_ms / 1000, out);
    }
    if (rule->continues)
        buf_add_str(out, " continue");
    if (rule->parent_id)
        buf_addf(out, " under:%" PRId64, rule->parent_id);
    write_text("name", rule->name, out);
    if (out->len > start) { /* without the first space */
        memmove(out->data + start, out->data + start + 1, out->len - start - 1);
        out->len--;
        out->data[out->len] = '\0';
    }
}
