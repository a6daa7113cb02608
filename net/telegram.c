/* telegram.c -- Bot API calls, and the table that turns its error texts into what to do. */
#include "net/telegram.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/metric_labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct telegram {
    struct http_client *http;
    char *base; /* url/bot<token>/ */
    int64_t answered_ms;
    bool is_refused;
};

struct call {
    struct telegram *telegram;
    const char *method; /* a literal */
    tg_done_fn *done;
    void *ctx;
};

/* Matched without case and anywhere in the text: prefixes and case changed over the years. */
static const struct {
    const char *text;
    enum tg_outcome outcome;
} ERROR_TEXTS[] = {
    {"message is not modified", TG_NOT_MODIFIED},
    {"can't parse entities", TG_BAD_MARKUP},
    {"BUTTON_", TG_BAD_KEYBOARD},
    {"inline keyboard", TG_BAD_KEYBOARD},
    {"reply markup", TG_BAD_KEYBOARD},
    {"REPLY_MARKUP", TG_BAD_KEYBOARD},
    {"message is too long", TG_TOO_LONG},
    {"MESSAGE_TOO_LONG", TG_TOO_LONG},
    {"text is too long", TG_TOO_LONG},
    {"message thread not found", TG_NO_THREAD},
    {"TOPIC_CLOSED", TG_NO_THREAD},
    {"TOPIC_DELETED", TG_NO_THREAD},
    {"message to edit not found", TG_NO_MESSAGE},
    {"message can't be edited", TG_NO_MESSAGE},
    {"MESSAGE_ID_INVALID", TG_NO_MESSAGE},
    {"chat not found", TG_CHAT_GONE},
    {"not enough rights", TG_CHAT_GONE},
    {"need administrator rights", TG_CHAT_GONE},
    {"CHAT_WRITE_FORBIDDEN", TG_CHAT_GONE},
    {"have no rights to send", TG_CHAT_GONE},
};

static enum tg_outcome outcome_of(int code, const char *text)
{
    if (code == 429)
        return TG_TOO_MANY;
    if (code == 401 || code == 404)
        return TG_UNAUTHORIZED;
    if (code == 403)
        return TG_CHAT_GONE;
    if (code == 409)
        return TG_CONFLICT;
    if (code >= 500)
        return TG_UNREACHABLE;
    for (size_t i = 0; i < sizeof ERROR_TEXTS / sizeof *ERROR_TEXTS; i++)
        if (strcasestr(text, ERROR_TEXTS[i].text))
            return ERROR_TEXTS[i].outcome;
    return TG_REFUSED;
}

static void decode_error(const json_t *root, int status, struct tg_answer *answer)
{
    const json_t *code = json_object_get(root, "error_code");
    const json_t *text = json_object_get(root, "description");
    const json_t *parameters = json_object_get(root, "parameters");
    answer->error_code = json_is_integer(code) ? (int)json_integer_value(code) : status;
    snprintf(answer->text, sizeof answer->text, "%d %s", answer->error_code,
             json_is_string(text) ? json_string_value(text) : "(no description)");
    answer->outcome = outcome_of(answer->error_code, answer->text);
    json_int_t wait = json_integer_value(json_object_get(parameters, "retry_after"));
    answer->retry_after_s = wait > 0 && wait < 86400 ? (int)wait : 1;
    json_int_t moved = json_integer_value(json_object_get(parameters, "migrate_to_chat_id"));
    if (moved) {
        answer->outcome = TG_CHAT_MOVED;
        answer->migrate_to = (int64_t)moved;
    }
}

void telegram_decode(const struct http_answer *http, struct tg_answer *answer, json_t **owner)
{
    *answer = (struct tg_answer){0};
    *owner = NULL;
    if (http->status == 0) {
        answer->outcome = http->sent ? TG_UNCERTAIN : TG_UNREACHABLE;
        snprintf(answer->text, sizeof answer->text, "no answer: %s", http->error);
        return;
    }
    json_error_t why;
    json_t *root = json_loadb(http->body, http->body_len, JSON_ALLOW_NUL, &why);
    *owner = root;
    if (json_is_object(root) && json_is_true(json_object_get(root, "ok"))) {
        answer->outcome = TG_OK;
        answer->result = json_object_get(root, "result");
        return;
    }
    if (json_is_object(root)) {
        decode_error(root, http->status, answer);
        return;
    }
    /* A proxy's page, or an answer cut short. A 2xx may have happened. */
    answer->error_code = http->status;
    answer->outcome = http->status < 300 ? TG_UNCERTAIN : outcome_of(http->status, "");
    answer->retry_after_s = 1;
    snprintf(answer->text, sizeof answer->text, "%d, and not from the Bot API", http->status);
}

struct telegram *telegram_new(struct http_client *http, const char *api_url, const char *token)
{
    struct telegram *t = mem_alloc(sizeof *t);
    t->http = http;
    t->answered_ms = clock_mono_ms();
    size_t size = strlen(api_url) + strlen(token) + 8;
    t->base = mem_alloc(size);
    snprintf(t->base, size, "%s/bot%s/", api_url, token);
    return t;
}

void telegram_free(struct telegram *t)
{
    if (!t)
        return;
    free(t->base);
    free(t);
}

static const char *const OUTCOME_NAMES[] = {
    [TG_OK] = "ok",
    [TG_NOT_MODIFIED] = "not_modified",
    [TG_UNCERTAIN] = "uncertain",
    [TG_UNREACHABLE] = "unreachable",
    [TG_TOO_MANY] = "too_many",
    [TG_BAD_MARKUP] = "bad_markup",
    [TG_BAD_KEYBOARD] = "bad_keyboard",
    [TG_TOO_LONG] = "too_long",
    [TG_NO_THREAD] = "no_thread",
    [TG_NO_MESSAGE] = "no_message",
    [TG_CHAT_MOVED] = "chat_moved",
    [TG_CHAT_GONE] = "chat_gone",
    [TG_CONFLICT] = "conflict",
    [TG_UNAUTHORIZED] = "unauthorized",
    [TG_REFUSED] = "refused",
};

static void on_answer(void *ctx, const struct http_answer *http)
{
    struct call *call = ctx;
    struct tg_answer answer;
    json_t *owner = NULL;
    telegram_decode(http, &answer, &owner);
    if (http->status > 0)
        call->telegram->answered_ms = clock_mono_ms();
    if (http->status > 0)
        call->telegram->is_refused = answer.outcome == TG_UNAUTHORIZED;
    metric_call(call->method, OUTCOME_NAMES[answer.outcome]);
    if (answer.outcome != TG_OK && answer.outcome != TG_NOT_MODIFIED)
        metric_add(METRIC_TELEGRAM_ERRORS, 1);
    call->done(call->ctx, &answer);
    json_decref(owner);
    free(call);
}

static struct call *call_new(struct telegram *t, const char *method, tg_done_fn *done, void *ctx)
{
    struct call *call = mem_alloc(sizeof *call);
    *call = (struct call){t, method, done, ctx};
    return call;
}

static void method_url(const struct telegram *t, const char *method, char *out, size_t size)
{
    snprintf(out, size, "%s%s", t->base, method);
}

void telegram_call(struct telegram *t, const char *method, json_t *params, int timeout_s,
                   tg_done_fn *done, void *ctx)
{
    char url[1024];
    method_url(t, method, url, sizeof url);
    char *body = params ? json_dumps(params, JSON_COMPACT) : NULL;
    /* Bot API: edits and questions may come twice, what sends or creates may not */
    bool once = strncmp(method, "send", 4) == 0 || strncmp(method, "create", 6) == 0;
    http_client_post_json(t->http, url, body ? body : "{}", once ? HTTP_ONCE : HTTP_MAY_REPEAT,
                          timeout_s, on_answer, call_new(t, method, done, ctx));
    free(body);
    json_decref(params);
}

static const char *content_type(const char *name)
{
    static const struct {
        const char *ending;
        const char *type;
    } TYPES[] = {{".png", "image/png"}, {".pdf", "application/pdf"}};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (len > 4 && strcmp(name + len - 4, TYPES[i].ending) == 0)
            return TYPES[i].type;
    return "text/plain; charset=utf-8";
}

void telegram_send_file(struct telegram *t, const struct tg_file *file, tg_done_fn *done, void *ctx)
{
    char url[1024];
    char chat[24];
    char thread[24];
    char reply[96];
    const char *method = file->is_photo ? "sendPhoto" : "sendDocument";
    struct http_field fields[7];
    size_t n = 0;
    method_url(t, method, url, sizeof url);
    snprintf(chat, sizeof chat, "%" PRId64, file->chat_id);
    snprintf(thread, sizeof thread, "%" PRId64, file->thread_id);
    snprintf(reply, sizeof reply,
             "{\"message_id\":%" PRId64 ",\"allow_sending_without_reply\":true}", file->reply_to);
    fields[n++] = (struct http_field){"chat_id", chat};
    if (!file->is_photo)
        fields[n++] = (struct http_field){"disable_content_type_detection", "true"};
    if (file->thread_id > 1) /* the General topic is 1, but naming it is an error */
        fields[n++] = (struct http_field){"message_thread_id", thread};
    if (file->reply_to)
        fields[n++] = (struct http_field){"reply_parameters", reply};
    if (file->silent)
        fields[n++] = (struct http_field){"disable_notification", "true"};
    if (file->caption)
        fields[n++] = (struct http_field){"caption", file->caption};
    if (file->caption && file->caption_is_html)
        fields[n++] = (struct http_field){"parse_mode", "HTML"};
    struct http_file part = {file->is_photo ? "photo" : "document", file->name,
                             content_type(file->name), file->data, file->len};
    http_client_post_file(t->http, url, fields, n, &part, TG_SEND_SECONDS_MAX, on_answer,
                          call_new(t, method, done, ctx));
}

int64_t telegram_answered_ms(const struct telegram *t)
{
    return t->answered_ms;
}

bool telegram_is_refused(const struct telegram *t)
{
    return t->is_refused;
}
