/* webhook.c -- one update a request, answered once it is in the database. */
#include "bot/webhook.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/random.h"

#include <stdlib.h>
#include <string.h>

static const char SECRET_HEADER[] = "x-telegram-bot-api-secret-token";

struct taking {
    struct webhook *webhook;
    struct http_reply *reply;
    json_t *updates;
};

static bool knows_secret(const struct webhook *w, const struct http_request *request)
{
    struct slice value = http_head_find(request->head, SECRET_HEADER);
    char given[sizeof w->secret];
    if (!value.at || value.len >= sizeof given)
        return false;
    memcpy(given, value.at, value.len);
    given[value.len] = '\0';
    return secret_equal(given, w->secret);
}

static void reply_ok(struct http_reply *reply)
{
    http_reply_json(reply, 200, NULL, "{}\n");
}

static void on_stored(void *ctx, const struct err *err)
{
    struct taking *t = ctx;
    const json_t *update = json_array_get(t->updates, 0);
    int64_t id = (int64_t)json_integer_value(json_object_get(update, "update_id"));
    /* a press that was told "nothing was done" need not come again */
    if (err && !intake_was_told(t->webhook->intake, id))
        http_reply_error_with(t->reply, 503, "Retry-After: 2\r\n", "the database is away");
    else
        reply_ok(t->reply);
    json_decref(t->updates);
    free(t);
}

void bot_webhook(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct webhook *w = ctx;
    if (!w->wanted) {
        http_reply_error(reply, 404,
                         "TELEGRAM_WEBHOOK_URL is not set: updates come by long polling");
        return;
    }
    if (!w->intake || !w->secret[0]) {
        http_reply_error_with(reply, 503, "Retry-After: 2\r\n", "the database is away");
        return;
    }
    if (!knows_secret(w, request)) {
        metric_add(METRIC_UPDATES_REFUSED, 1);
        http_reply_error(reply, 401, "X-Telegram-Bot-Api-Secret-Token is missing or wrong");
        return;
    }
    json_error_t why;
    json_t *update = json_loadb(request->body, request->body_len, JSON_ALLOW_NUL, &why);
    if (!json_is_integer(json_object_get(update, "update_id"))) {
        metric_add(METRIC_UPDATES_REFUSED, 1);
        log_warn("what came to the webhook with the right secret is no update", LOG_END);
        json_decref(update);
        reply_ok(reply); /* again and again would not make it one */
        return;
    }
    struct taking *t = mem_alloc(sizeof *t);
    *t = (struct taking){w, reply, json_array()};
    json_array_append_new(t->updates, update);
    intake_add(w->intake, t->updates, on_stored, t);
}
