/* check.c -- nabat --check: settings, database, token, webhook, chat; one line each. */
#include "bot/tools.h"

#include "core/limits.h"
#include "net/telegram.h"
#include "store/migration_list.h"
#include "store/session.h"
#include "store/setting.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct checker {
    const struct settings *settings;
    struct ev_loop *loop;
    struct telegram *telegram;
    bool answered;
    struct tg_answer answer;
    char name[600];       /* what the answer named: bot, webhook or chat */
    char public_name[64]; /* of a chat or bot that has one */
    char our_urls[1300];  /* webhooks that a running Nabat set, a line each */
    int failed;
};

static void say(struct checker *c, bool ok, const char *what, const char *detail)
{
    printf("%-5s %-12s %s\n", ok ? "ok" : "FAIL", what, detail);
    c->failed += !ok;
}

static void check_database(struct checker *c)
{
    struct err err = {0};
    char text[200];
    struct session *s =
        session_open(c->settings->database_url, c->settings->database_schema, "nabat check", &err);
    if (!s) {
        say(c, false, "database", err.text);
        return;
    }
    int version = session_server_version(s);
    PGresult *rows =
        session_run(s, "SELECT coalesce(max(version), 0) FROM nabat_migration", 0, NULL, &err);
    long have = rows ? strtol(PQgetvalue(rows, 0, 0), NULL, 10) : 0;
    long want = strtol(MIGRATION_FILES[MIGRATION_FILES_COUNT - 1].name, NULL, 10);
    snprintf(text, sizeof text, "PostgreSQL %d.%d, schema %s, migration %ld of %ld%s",
             version / 10000, version % 10000, c->settings->database_schema, have, want,
             have < want ? ": run nabat --migrate, or start the service" : "");
    say(c, have >= want && version >= 140000, "database", text);
    PQclear(rows);
    rows =
        session_run(s, "SELECT value FROM service_setting WHERE name = '" SETTING_WEBHOOK_URL "'",
                    0, NULL, &err);
    if (rows && PQntuples(rows) == 1)
        snprintf(c->our_urls, sizeof c->our_urls, "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);
    session_close(s);
}

static void on_answer(void *ctx, const struct tg_answer *answer)
{
    struct checker *c = ctx;
    static const char *const NAMES[] = {"url", "title", "username", "first_name"};
    const char *public_name = json_string_value(json_object_get(answer->result, "username"));
    c->answer = *answer;
    c->name[0] = '\0';
    snprintf(c->public_name, sizeof c->public_name, "%s", public_name ? public_name : "");
    for (size_t i = 0; answer->outcome == TG_OK && i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *name = json_string_value(json_object_get(answer->result, NAMES[i]));
        if (name && !c->name[0])
            snprintf(c->name, sizeof c->name, "%s", name);
    }
    c->answer.result = NULL;
    c->answered = true;
    ev_break(c->loop, EVBREAK_ALL);
}

static bool ask(struct checker *c, const char *method, json_t *params)
{
    c->answered = false;
    telegram_call(c->telegram, method, params, 15, on_answer, c);
    while (!c->answered)
        ev_run(c->loop, 0);
    return c->answer.outcome == TG_OK;
}

/* The webhook that the settings ask for, or one that a running Nabat set, is ours. */
static void say_webhook(struct checker *c, bool ok)
{
    const char *base = c->settings->telegram_webhook_url;
    char text[700];
    size_t len = base ? strlen(base) : 0;
    bool none = ok && !c->name[0];
    bool ours = ok && base && strncmp(c->name, base, len) == 0 &&
                strcmp(c->name + len + (c->name[len] == '/' && c->name[len + 1] == '/'),
                       "/telegram/webhook") == 0;
    bool known = ok && !none && strstr(c->our_urls, c->name) != NULL;
    if (!ok)
        snprintf(text, sizeof text, "%s", c->answer.text);
    else if (known && !ours)
        snprintf(text, sizeof text, "%s is Nabat's: %s when the service starts", c->name,
                 base ? "it is replaced" : "it is removed (long polling)");
    else if (ours)
        snprintf(text, sizeof text, "set: %s", c->name);
    else if (none)
        snprintf(text, sizeof text, "%s",
                 base ? "none yet: it is set when the service starts" : "none: long polling");
    else
        snprintf(text, sizeof text,
                 "the bot has a webhook (%s) that these settings do not name. If Nabat did not set "
                 "it, commands and buttons would not work (send-only): give Nabat a bot of its own",
                 c->name);
    say(c, none || ours || known, "webhook", text);
    if (base && strncmp(base, "https://", 8) != 0 &&
        strcmp(c->settings->telegram_api_url, "https://api.telegram.org") == 0)
        say(c, false, "webhook", "TELEGRAM_WEBHOOK_URL is not https: Telegram takes nothing else");
}

/* Anybody can read a public group, and with it every error. */
static void say_public(struct checker *c)
{
    char text[300];
    if (!c->public_name[0])
        return;
    snprintf(
        text, sizeof text,
        "the alert chat is public (@%s): anybody can read every error in it, and join. Make it "
        "private",
        c->public_name);
    printf("%-5s %-12s %s\n", "WARN", "chat", text);
}

static void check_telegram(struct checker *c)
{
    char text[300];
    bool ok = ask(c, "getMe", NULL);
    snprintf(text, sizeof text, "%s%s", ok ? "@" : "", ok ? c->name : c->answer.text);
    say(c, ok, "token", text);
    if (!ok) {
        say(c, false, "webhook", "not asked: the token is refused");
        say(c, false, "chat", "not asked: the token is refused");
        return;
    }
    ok = ask(c, "getWebhookInfo", NULL);
    say_webhook(c, ok);
    if (!c->settings->alert_chat_id) {
        say(c, false, "chat", "ERROR_ALERT_CHAT_ID is not set: nothing can ring");
        return;
    }
    ok = ask(c, "getChat", json_pack("{s:I}", "chat_id", (json_int_t)c->settings->alert_chat_id));
    snprintf(text, sizeof text, "%lld %s", (long long)c->settings->alert_chat_id,
             ok ? c->name : c->answer.text);
    say(c, ok, "chat", text);
    if (ok && c->settings->alert_chat_id < 0)
        say_public(c);
}

int tool_check(const struct settings *settings)
{
    struct checker c = {.settings = settings, .loop = ev_loop_new(EVFLAG_AUTO)};
    say(&c, true, "settings", "all values are understood");
    check_database(&c);
    if (settings->telegram_bot_token) {
        struct http_client *http = http_client_new(c.loop, HTTP_CLIENT_CONNECTIONS_MAX);
        c.telegram = telegram_new(http, settings->telegram_api_url, settings->telegram_bot_token);
        check_telegram(&c);
        http_client_free(http);
        telegram_free(c.telegram);
    } else {
        say(&c, true, "chat", "console: TELEGRAM_BOT_TOKEN is not set");
    }
    ev_loop_destroy(c.loop);
    return c.failed ? 1 : 0;
}
