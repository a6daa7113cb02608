/* listen_hook.c -- our webhook: whose is it, set, watched, removed. */
#include "bot/listen_internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "store/setting.h"

#include <stdio.h>
#include <string.h>

void listen_on_deleted(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!listen_is_good(l, answer))
        return;
    log_info("our webhook was removed: long polling from now on", LOG_END);
    l->step = STEP_ASK;
    listen_next(l);
}

/* One of the lines of `urls`? */
static bool is_among(const char *urls, const char *url)
{
    size_t len = strlen(url);
    for (const char *at = urls; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strcspn(at, "\n") == len && strncmp(at, url, len) == 0)
            return true;
    return false;
}

static bool is_ours(const struct listen *l, const char *url)
{
    return strcmp(url, l->url) == 0 || is_among(l->our_urls, url);
}

static void on_forgotten(void *ctx, const char *value, const struct err *err)
{
    (void)ctx; /* one URL too many is remembered: harmless */
    (void)value;
    if (err)
        log_debug("old URL of the webhook not forgotten", LOG_S("error", err->text), LOG_END);
}

static void on_set(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!listen_is_good(l, answer))
        return;
    log_info("webhook set", LOG_S("url", l->url), LOG_END);
    l->memory = (struct webhook_memory){0};
    snprintf(l->our_urls, sizeof l->our_urls, "%s", l->url);
    store_setting_put(l->pg, SETTING_WEBHOOK_URL, l->url, on_forgotten, l);
    l->step = STEP_WATCH;
    listen_next(l);
}

static void on_remembered(void *ctx, const char *value, const struct err *err)
{
    struct listen *l = ctx;
    if (err || !value) {
        l->busy = false;
        listen_wake_in(l, 1);
        return;
    }
    snprintf(l->our_urls, sizeof l->our_urls, "%s", value);
    telegram_call(l->telegram, "setWebhook",
                  json_pack("{s:s,s:s,s:i,s:o}", "url", l->url, "secret_token", l->webhook->secret,
                            "max_connections", WEBHOOK_CONNECTIONS, "allowed_updates",
                            listen_allowed_updates()),
                  30, on_set, l);
}

/* Remembered before it is set, and the ones before it until it is: neither a crash nor a URL that
 * Telegram refuses makes our own webhook a stranger's. */
void listen_set_hook(struct listen *l)
{
    char urls[sizeof l->our_urls];
    if (is_among(l->our_urls, l->url))
        snprintf(urls, sizeof urls, "%s", l->our_urls);
    else if (strlen(l->our_urls) + strlen(l->url) + 2 <= sizeof urls)
        snprintf(urls, sizeof urls, "%s%s%s", l->our_urls, l->our_urls[0] ? "\n" : "", l->url);
    else
        snprintf(urls, sizeof urls, "%s", l->url);
    store_setting_put(l->pg, SETTING_WEBHOOK_URL, urls, on_remembered, l);
}

static void not_ours(struct listen *l)
{
    l->step = STEP_HOOK;
    listen_set_state(
        l, LISTEN_SEND_ONLY,
        "the bot has a webhook that is not Nabat's: give Nabat a bot of its own, or remove the "
        "webhook");
    listen_wake_in(l, SEND_ONLY_SECONDS);
}

void listen_on_hook(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!listen_is_good(l, answer))
        return;
    const char *url = json_string_value(json_object_get(answer->result, "url"));
    if (url && *url && !is_ours(l, url)) {
        not_ours(l);
        return;
    }
    l->step = l->url[0] ? STEP_SET : url && *url ? STEP_DELETE : STEP_ASK;
    listen_next(l);
}

/* Once it is set: somebody may take it away, and Telegram may have trouble with it. */
void listen_on_watched(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!listen_is_good(l, answer))
        return;
    const char *url = json_string_value(json_object_get(answer->result, "url"));
    if (!url || strcmp(url, l->url) != 0) {
        log_warn("our webhook is gone or was replaced", LOG_END);
        l->step = STEP_HOOK;
        listen_wake_in(l, url && *url ? 0.1 : RETRY_SECONDS);
        return;
    }
    webhook_info_read(&l->memory, answer->result, clock_wall_ms() / 1000);
    char text[ERR_TEXT_BYTES_MAX + 40];
    snprintf(text, sizeof text, "webhook: %s", l->memory.trouble);
    listen_set_state(l, l->memory.failing ? LISTEN_FAILING : LISTEN_RUNNING,
                     l->memory.failing ? text : "");
    listen_wake_in(l, WATCH_SECONDS);
}
