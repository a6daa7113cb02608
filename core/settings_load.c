/* settings_load.c -- where values come from: environment, env file, defaults of the platform.
 *
 * The hard thing: the environment wins over the file per name, and a name given empty is "not set",
 * because that is how platforms' web forms say it. */
#include "core/settings.h"

#include "core/clock.h"
#include "core/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

enum { ENV_FILE_BYTES_MAX = 256 * 1024 };

struct loader {
    struct settings *settings;
    char **values; /* one a setting; owned */
    char *fallback_chat;
    char *railway_domain;
    bool port_from_environment;
    bool from_file;
};

static void take_name(struct loader *load, const char *name, const char *value)
{
    if (!*value)
        return;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        if (strcmp(SETTINGS[i].name, name) != 0)
            continue;
        if (!load->values[i])
            load->values[i] = mem_str_dup(value);
        if (strcmp(name, "PORT") == 0 && !load->from_file)
            load->port_from_environment = true;
        return;
    }
    if (strcmp(name, "LAVA_FALLBACK_CHAT_ID") == 0 && !load->fallback_chat)
        load->fallback_chat = mem_str_dup(value);
    else if (strcmp(name, "RAILWAY_PUBLIC_DOMAIN") == 0 && !load->railway_domain)
        load->railway_domain = mem_str_dup(value);
    else if (strcmp(name, "NABAT_DSN") != 0 &&
             (strncmp(name, "ERROR_", 6) == 0 || strncmp(name, "TELEGRAM_", 9) == 0 ||
              strncmp(name, "NABAT_", 6) == 0))
        log_warn("setting is unknown", LOG_S("name", name), LOG_END);
}

static void take_pair(void *ctx, const char *name, const char *value)
{
    take_name(ctx, name, value);
}

static void take_environment(struct loader *load)
{
    for (char **e = environ; *e; e++) {
        const char *eq = strchr(*e, '=');
        if (!eq || eq - *e > 127)
            continue;
        char name[128];
        memcpy(name, *e, (size_t)(eq - *e));
        name[eq - *e] = '\0';
        take_name(load, name, eq + 1);
    }
}

/* One line of an env file: blanks, '#' comments, `export `, single or double quotes. */
static bool parse_env_line(char *line, settings_pair_fn *each, void *ctx)
{
    char *at = line + strspn(line, " \t");
    if (!*at || *at == '#')
        return true;
    if (strncmp(at, "export ", 7) == 0)
        at += 7 + strspn(at + 7, " ");
    char *name = at;
    while (isalnum((unsigned char)*at) || *at == '_')
        at++;
    char *name_end = at;
    at += strspn(at, " \t");
    if (name_end == name || *at != '=')
        return false;
    at++;
    *name_end = '\0';
    at += strspn(at, " \t");
    char *value = at;
    if (*at == '"' || *at == '\'') {
        char *close = strchr(at + 1, *at);
        if (!close || (close[1 + strspn(close + 1, " \t")] != '\0' &&
                       close[1 + strspn(close + 1, " \t")] != '#'))
            return false;
        value++;
        *close = '\0';
    } else {
        char *comment = strstr(at, " #");
        if (comment)
            *comment = '\0';
        size_t len = strlen(value);
        while (len > 0 && isspace((unsigned char)value[len - 1]))
            value[--len] = '\0';
    }
    each(ctx, name, value);
    return true;
}

bool settings_parse_env(const char *text, settings_pair_fn *each, void *ctx, struct err *err)
{
    int number = 0;
    while (*text) {
        number++;
        size_t len = strcspn(text, "\n");
        char *line = mem_str_dup_n(text, len && text[len - 1] == '\r' ? len - 1 : len);
        bool ok = parse_env_line(line, each, ctx);
        free(line);
        if (!ok)
            return err_set(err, ERR_INPUT, "line %d is not NAME=value", number);
        text += len;
        text += *text == '\n';
    }
    return true;
}

static bool read_env_file(struct loader *load, const char *path, struct err *err)
{
    const char *name = path ? path : ".env";
    FILE *file = fopen(name, "rb");
    if (!file) {
        if (!path && errno == ENOENT)
            return true;
        return err_set(err, ERR_INPUT, "--env-file %s: %s", name, strerror(errno));
    }
    char *text = mem_alloc(ENV_FILE_BYTES_MAX + 1);
    size_t len = fread(text, 1, ENV_FILE_BYTES_MAX, file);
    bool too_long = len == ENV_FILE_BYTES_MAX;
    fclose(file);
    struct err why = {0};
    bool ok = !too_long && settings_parse_env(text, take_pair, load, &why);
    if (!ok)
        err_set(err, ERR_INPUT, "%s: %s", name, too_long ? "over 256 KiB" : why.text);
    free(text);
    return ok;
}

static bool apply(struct loader *load, struct err *err)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const char *value = load->values[i] ? load->values[i] : SETTINGS[i].preset;
        if (value && !settings_parse_value(&SETTINGS[i], value, load->settings, err))
            return false;
        if (SETTINGS[i].secret)
            log_add_secret(load->values[i]);
    }
    struct settings *s = load->settings;
    if (!s->alert_chat_id && load->fallback_chat)
        for (size_t i = 0; i < SETTINGS_COUNT; i++) {
            struct setting spec = SETTINGS[i];
            if (strcmp(spec.name, "ERROR_ALERT_CHAT_ID") != 0)
                continue;
            spec.name = "LAVA_FALLBACK_CHAT_ID";
            if (!settings_parse_value(&spec, load->fallback_chat, s, err))
                return false;
        }
    if (!s->bind)
        s->bind = mem_str_dup(load->port_from_environment ? "::" : "127.0.0.1");
    if (!s->public_url) {
        char url[300];
        if (load->railway_domain)
            snprintf(url, sizeof url, "https://%s", load->railway_domain);
        else
            snprintf(url, sizeof url, "http://127.0.0.1:%d", (int)s->port);
        s->public_url = mem_str_dup(url);
    }
    log_configure((enum log_level)s->log_level, s->log_format == 1);
    return true;
}

/* A number, or a list of ids: by its bytes; text by what it says. */
static bool is_same(const struct setting *spec, const struct settings *a, const struct settings *b)
{
    const char *at = (const char *)a + spec->offset;
    const char *bt = (const char *)b + spec->offset;
    if (settings_is_text(spec->type)) {
        const char *x = *(char *const *)(const void *)at;
        const char *y = *(char *const *)(const void *)bt;
        return x == y || (x && y && strcmp(x, y) == 0);
    }
    return memcmp(at, bt, spec->type == SETTING_IDS ? sizeof(struct id_list) : sizeof(int64_t)) ==
           0;
}

void settings_take_over(struct settings *settings, const struct settings *fresh)
{
    static const char *const CHANGE[] = {"LOG_LEVEL", "LOG_FORMAT", "STORE_MAX_BYTES", NULL};
    settings->store_bytes_max = fresh->store_bytes_max;
    clock_set_zone(settings->time_zone); /* reading `fresh` has set another one */
    log_info("settings read again", LOG_END);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *spec = &SETTINGS[i];
        size_t c = 0;
        while (CHANGE[c] && strcmp(CHANGE[c], spec->name) != 0)
            c++;
        bool is_found =
            strcmp(spec->name, "DATABASE_URL") == 0 && !fresh->database_url; /* ./run's */
        if (!CHANGE[c] && !is_found && !is_same(spec, settings, fresh))
            log_warn("setting changed: it takes effect at the next start",
                     LOG_S("name", spec->name), LOG_END);
    }
    settings->log_level = fresh->log_level;
    settings->log_format = fresh->log_format;
}

bool settings_load(struct settings *settings, const char *env_file, struct err *err)
{
    *settings = (struct settings){0};
    struct loader load = {.settings = settings};
    load.values = mem_alloc(SETTINGS_COUNT * sizeof *load.values);
    take_environment(&load);
    load.from_file = true;
    bool ok = read_env_file(&load, env_file, err) && apply(&load, err);
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        free(load.values[i]);
    free(load.values);
    free(load.fallback_chat);
    free(load.railway_domain);
    if (!ok)
        settings_fini(settings);
    return ok;
}
