/* settings.c -- one value after another: parse, bound, store; complaints name the variable. */
#include "core/settings.h"

#include "core/check_spec.h"
#include "core/clock.h"
#include "core/daily.h"
#include "core/mem.h"
#include "core/retention.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "was X" for people; a secret stays hidden. */
static bool complain(const struct setting *spec, const char *value, struct err *err,
                     const char *takes)
{
    if (spec->secret)
        return err_set(err, ERR_INPUT, "%s is not valid (its value is secret): it takes %s",
                       spec->name, takes);
    return err_set(err, ERR_INPUT, "%s is \"%.80s\": it takes %s", spec->name, value, takes);
}

static bool parse_i64(const char *text, char **end, int64_t *out)
{
    if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
        return false;
    errno = 0;
    *out = strtoll(text, end, 10);
    return errno == 0;
}

static int64_t *number_at(const struct setting *spec, struct settings *settings)
{
    return (int64_t *)(void *)((char *)settings + spec->offset);
}

static bool set_text(const struct setting *spec, const char *value, struct settings *settings)
{
    char **slot = (char **)(void *)((char *)settings + spec->offset);
    free(*slot);
    *slot = mem_str_dup(value);
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit DURATION_UNITS[] = {{"", 1},     {"s", 1},     {"m", 60},
                                             {"h", 3600}, {"d", 86400}, {NULL, 0}};
static const struct unit SIZE_UNITS[] = {{"", 1},          {"B", 1},         {"KiB", 1 << 10},
                                         {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
static const struct unit PLAIN_UNITS[] = {{"", 1}, {NULL, 0}};

static bool parse_number(const struct setting *spec, const char *value, struct settings *settings,
                         struct err *err, const struct unit *units, const char *what)
{
    char takes[160];
    if (spec->max == INT64_MAX)
        snprintf(takes, sizeof takes, "%s", what);
    else
        snprintf(takes, sizeof takes, "%s from %" PRId64 " to %" PRId64, what, spec->min,
                 spec->max);
    char *end = NULL;
    int64_t number = 0;
    if (!parse_i64(value, &end, &number))
        return complain(spec, value, err, takes);
    while (*end == ' ')
        end++;
    for (const struct unit *u = units; u->name; u++) {
        if (strcasecmp(end, u->name) != 0)
            continue;
        if (__builtin_mul_overflow(number, u->factor, &number) || number < spec->min ||
            number > spec->max)
            break;
        *number_at(spec, settings) = number;
        return true;
    }
    return complain(spec, value, err, takes);
}

/* The index of `value` among blank-separated choices, or -1. */
static int choice_index(const char *choices, const char *value)
{
    size_t len = strlen(value);
    int index = 0;
    for (const char *at = choices; *at; index++) {
        size_t n = strcspn(at, " ");
        if (n == len && strncasecmp(at, value, n) == 0)
            return index;
        at += n;
        at += *at == ' ';
    }
    return -1;
}

static bool parse_choice(const struct setting *spec, const char *value, struct settings *settings,
                         struct err *err)
{
    int index = choice_index(spec->choices, value);
    if (index < 0) {
        char takes[160];
        snprintf(takes, sizeof takes, "one of: %s", spec->choices);
        return complain(spec, value, err, takes);
    }
    if (spec->type == SETTING_WORD) {
        char lower[32];
        snprintf(lower, sizeof lower, "%s", value);
        for (char *p = lower; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        return set_text(spec, lower, settings);
    }
    *number_at(spec, settings) = index;
    return true;
}

/* Bot API: setWebhook, secret_token. */
static bool parse_secret(const struct setting *spec, const char *value, struct settings *settings,
                         struct err *err)
{
    enum { SECRET_LEN_MAX = 256 };
    size_t len = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    if (value[len] || len < 1 || len > SECRET_LEN_MAX)
        return complain(spec, value, err, "1 to 256 of A-Z a-z 0-9 _ -");
    return set_text(spec, value, settings);
}

static bool parse_ids(const struct setting *spec, const char *value, struct settings *settings,
                      struct err *err)
{
    struct id_list *list = (struct id_list *)(void *)((char *)settings + spec->offset);
    list->count = 0;
    const char *at = value;
    while (*at) {
        at += strspn(at, " ,");
        if (!*at)
            break;
        char *end = NULL;
        int64_t id = 0;
        if (!parse_i64(at, &end, &id) || (*end && !strchr(" ,", *end)))
            return complain(spec, value, err, "Telegram user ids, comma separated");
        if (list->count == SETTINGS_ADMINS_MAX)
            return complain(spec, value, err, "at most 64 ids");
        list->ids[list->count++] = id;
        at = end;
    }
    return true;
}

static bool parse_url(const struct setting *spec, const char *value, struct settings *settings,
                      struct err *err)
{
    bool http = strncmp(value, "http://", 7) == 0 && value[7];
    bool https = strncmp(value, "https://", 8) == 0 && value[8];
    if ((!http && !https) || strpbrk(value, " \t\r\n\"<>"))
        return complain(spec, value, err, "a URL that starts with http:// or https://");
    set_text(spec, value, settings);
    char *text = *(char **)(void *)((char *)settings + spec->offset);
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '/')
        text[--len] = '\0';
    return true;
}

static bool parse_name(const struct setting *spec, const char *value, struct settings *settings,
                       struct err *err)
{
    if (!value[0] || strlen(value) > 63)
        return complain(spec, value, err, "a schema name of 1 to 63 bytes");
    return set_text(spec, value, settings);
}

static bool parse_hex32(const struct setting *spec, const char *value, struct settings *settings,
                        struct err *err)
{
    char key[RANDOM_HEX_BYTES];
    if (strlen(value) != 32 || !hex32_parse(value, 32, key))
        return complain(spec, value, err, "32 hexadecimal digits");
    return set_text(spec, key, settings);
}

/* Bot API: "123456789:AA…"; a word that is none would only fail later, and less clearly. */
static bool parse_token(const struct setting *spec, const char *value, struct settings *settings,
                        struct err *err)
{
    size_t digits = strspn(value, "0123456789");
    const char *secret = value + digits + (value[digits] == ':');
    size_t len = 0;
    while (isalnum((unsigned char)secret[len]) || secret[len] == '_' || secret[len] == '-')
        len++;
    if (digits == 0 || value[digits] != ':' || len == 0 || secret[len])
        return complain(spec, value, err, "a bot token from @BotFather, such as 123456789:AA…");
    return set_text(spec, value, settings);
}

static bool parse_classes(const struct setting *spec, const char *value, struct settings *settings,
                          struct err *err)
{
    struct buf names;
    struct buf days;
    buf_init(&names, 16 * 1024);
    buf_init(&days, 16 * 1024);
    bool ok = retention_parse(value, &names, &days);
    buf_fini(&names);
    buf_fini(&days);
    if (!ok)
        return complain(spec, value, err,
                        "severities and origins with days from 1 to 3650, such as "
                        "critical=180,celery=14,debug=3");
    return set_text(spec, value, settings);
}

/* develop.sentry.dev, "DSN": where it leads is taken apart by whoever forwards. */
static bool parse_dsn(const struct setting *spec, const char *value, struct settings *settings,
                      struct err *err)
{
    const char *key = strstr(value, "://");
    const char *at = key ? strchr(key, '@') : NULL;
    const char *project = at ? strrchr(at, '/') : NULL;
    if ((strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0) || !project ||
        at == key + 3 || project == at + 1 || !project[1] ||
        project[1 + strspn(project + 1, "0123456789")] || strpbrk(value, " \t\r\n\"<>?#"))
        return complain(spec, value, err, "a DSN such as https://KEY@sentry.example.org/1");
    return set_text(spec, value, settings);
}

static bool parse_repository(const struct setting *spec, const char *value,
                             struct settings *settings, struct err *err)
{
    static const char SIGNS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t owner = strspn(value, SIGNS);
    size_t name = value[owner] == '/' ? strspn(value + owner + 1, SIGNS) : 0;
    if (!owner || !name || value[owner + 1 + name] || owner + name > 140)
        return complain(spec, value, err, "a repository as owner/name");
    return set_text(spec, value, settings);
}

static void ignore_check(void *ctx, const struct check_spec *spec)
{
    (void)ctx;
    (void)spec;
}

static bool parse_checks(const struct setting *spec, const char *value, struct settings *settings,
                         struct err *err)
{
    struct err why = {0};
    if (!check_specs_parse(value, ignore_check, NULL, &why))
        return complain(spec, value, err, why.text);
    return set_text(spec, value, settings);
}

bool settings_parse_value(const struct setting *spec, const char *value, struct settings *settings,
                          struct err *err)
{
    switch (spec->type) {
    case SETTING_TEXT:
        return set_text(spec, value, settings);
    case SETTING_URL:
        return parse_url(spec, value, settings, err);
    case SETTING_INT:
        return parse_number(spec, value, settings, err, PLAIN_UNITS, "a whole number");
    case SETTING_DURATION:
        return parse_number(spec, value, settings, err, DURATION_UNITS, "seconds (or 10m, 2h, 7d)");
    case SETTING_SIZE:
        return parse_number(spec, value, settings, err, SIZE_UNITS,
                            "bytes (or 512KiB, 64MiB, 1GiB)");
    case SETTING_CHOICE:
    case SETTING_WORD:
        return parse_choice(spec, value, settings, err);
    case SETTING_IDS:
        return parse_ids(spec, value, settings, err);
    case SETTING_HEX32:
        return parse_hex32(spec, value, settings, err);
    case SETTING_ZONE:
        if (!clock_set_zone(value))
            return complain(spec, value, err, "a time zone such as Europe/Moscow or UTC");
        return set_text(spec, value, settings);
    case SETTING_REPO:
        return parse_repository(spec, value, settings, err);
    case SETTING_CHECKS:
        return parse_checks(spec, value, settings, err);
    case SETTING_AT:
        if (!daily_parse(value, &(struct daily){0}))
            return complain(spec, value, err, "a time such as 09:00, or 09:00 Europe/Moscow");
        return set_text(spec, value, settings);
    case SETTING_CLASSES:
        return parse_classes(spec, value, settings, err);
    case SETTING_DSN:
        return parse_dsn(spec, value, settings, err);
    case SETTING_TOKEN:
        return parse_token(spec, value, settings, err);
    case SETTING_NAME:
        return parse_name(spec, value, settings, err);
    case SETTING_SECRET:
        return parse_secret(spec, value, settings, err);
    }
    return err_set(err, ERR_BUG, "%s has no parser", spec->name);
}

bool settings_is_text(enum setting_type type)
{
    return type == SETTING_TEXT || type == SETTING_URL || type == SETTING_WORD ||
           type == SETTING_HEX32 || type == SETTING_ZONE || type == SETTING_TOKEN ||
           type == SETTING_DSN || type == SETTING_AT || type == SETTING_CHECKS ||
           type == SETTING_REPO || type == SETTING_CLASSES || type == SETTING_NAME ||
           type == SETTING_SECRET;
}

void settings_fini(struct settings *settings)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (settings_is_text(SETTINGS[i].type))
            free(*(char **)(void *)((char *)settings + SETTINGS[i].offset));
    *settings = (struct settings){0};
}

void settings_help(struct buf *out)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *s = &SETTINGS[i];
        buf_addf(out, "  %-26s %s", s->name, s->help);
        if (s->choices)
            buf_addf(out, " (%s)", s->choices);
        if (s->preset)
            buf_addf(out, " [%s]", s->preset);
        buf_add_char(out, '\n');
    }
}

void settings_env_example(struct buf *out)
{
    buf_add_str(out, "# .env.example -- every setting of Nabat with its default; copy to .env and "
                     "uncomment.\n"
                     "# The process environment wins over this file. Sizes take KiB, MiB, GiB; "
                     "durations 10m, 2h, 7d.\n");
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *s = &SETTINGS[i];
        buf_addf(out, "\n# %s", s->help);
        if (s->choices)
            buf_addf(out, " (%s)", s->choices);
        buf_addf(out, "\n#%s=%s\n", s->name, s->preset ? s->preset : "");
    }
}
