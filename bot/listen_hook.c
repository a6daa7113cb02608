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

static void on_set(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!listen_is_good(l, answer))
        return;
    log_info("webhook set", LOG_S("url", l->url), LOG_END);
    l->memory = (struct webhook_memory){0};
    snprintf(l->our_url, sizeof l->our_url, "%s", l->url);
    l->step = STEP_WATCH;
    listen_next(l);
}

/* Remembered before it is set: a crash between the two must not make our own webhook a stranger's. */
void listen_on_remembered(void *ctx, const char *value, const struct err *err)
{
    struct listen *l = ctx;
    if (err || !value) {
        l->busy = false;
        listen_wake_in(l, 1);
        return;
    }
    telegram_call(l->telegram, "setWebhook",
                  json_pack("{s:s,s:s,s:i,s:o}", "url", l->url, "secret_token", l->webhook->secret,
                            "max_connections", WEBHOOK_CONNECTIONS, "allowed_updates",
                            listen_allowed_updates()),
                  30, on_set, l);
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

static bool is_ours(const struct listen *l, const char *url)
{
    return (l->url[0] && strcmp(url, l->url) == 0) || strcmp(url, l->our_url) == 0;
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
