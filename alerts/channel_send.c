/* channel_send.c -- one request or mail, and what its answer means.
 *
 *     post --built (pure)--> http_client --answer--> judged (pure) --> done                        */
#include "alerts/channel_send.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECIPIENTS_MAX = 20 };

struct channels {
    struct http_client *http;
    struct pg *pg;
    struct channel_list *list; /* NULL: not read yet */
    bool loading;
    bool again;
};

struct posting {
    struct channels *channels;
    int64_t id;
    int64_t delivery_id;
    bool is_mail;
    chat_done_fn *done;
    void *ctx;
};

struct channels *channels_new(struct http_client *http, struct pg *pg)
{
    struct channels *c = mem_alloc(sizeof *c);
    c->http = http;
    c->pg = pg;
    return c;
}

void channels_free(struct channels *c)
{
    if (!c)
        return;
    store_channels_free(c->list);
    free(c);
}

static void on_loaded(void *ctx, struct channel_list *list, const struct err *err)
{
    struct channels *c = ctx;
    c->loading = false;
    if (err) {
        log_warn("channels not read", LOG_S("error", err->text), LOG_END);
    } else {
        store_channels_free(c->list);
        c->list = list;
    }
    if (c->again) {
        c->again = false;
        channels_reload(c);
    }
}

void channels_reload(struct channels *c)
{
    if (c->loading) {
        c->again = true;
        return;
    }
    c->loading = true;
    store_channels_load(c->pg, on_loaded, c);
}

const struct channel *channels_find(const struct channels *c, int64_t id)
{
    for (size_t i = 0; c->list && i < c->list->count; i++)
        if (c->list->channels[i].id == id && c->list->channels[i].enabled)
            return &c->list->channels[i];
    return NULL;
}

static void on_answer(void *ctx, const struct http_answer *answer)
{
    struct posting *p = ctx;
    char text[ERR_TEXT_BYTES_MAX];
    struct chat_result result = {.chat_id = p->id, .message_id = p->delivery_id, .text = text};
    result.outcome = channel_judge(p->is_mail, answer, text, sizeof text);
    result.retry_after_s = answer->retry_after_s > 0 ? answer->retry_after_s : 30;
    store_channel_note(p->channels->pg, p->id, result.outcome == TG_OK ? NULL : text);
    p->done(p->ctx, &result);
    free(p);
}

/* The bare addresses of "Ann <a@x>, b@y". */
static size_t split(char *text, const char *out[RECIPIENTS_MAX])
{
    size_t n = 0;
    char *rest = NULL;
    for (char *one = strtok_r(text, ",;", &rest); one && n < RECIPIENTS_MAX;
         one = strtok_r(NULL, ",;", &rest)) {
        char *open = strchr(one, '<');
        one = open ? open + 1 : one + strspn(one, " \t\r\n");
        one[strcspn(one, "> \t\r\n")] = '\0';
        if (*one)
            out[n++] = one;
    }
    return n;
}

static void mail(struct channels *c, const struct channel *channel,
                 const struct channel_request *request, struct posting *p)
{
    const char *recipients[RECIPIENTS_MAX];
    const char *from[RECIPIENTS_MAX] = {""};
    char *to = mem_str_dup(channel->recipients);
    char *sender = mem_str_dup(channel->sender);
    size_t count = split(to, recipients);
    split(sender, from);
    http_client_mail(c->http, request->url, from[0], recipients, count, buf_text(&request->body),
                     request->body.len, CHANNEL_SECONDS_MAX, on_answer, p);
    free(to);
    free(sender);
}

bool channels_post(struct channels *c, int64_t id, const struct channel_alert *alert,
                   chat_done_fn *done, void *ctx, const char **text)
{
    const struct channel *channel = channels_find(c, id);
    const struct channel_kind *kind = channel ? channel_kind_of(channel->kind) : NULL;
    struct channel_request *request = mem_alloc(sizeof *request);
    buf_init(&request->body, CHANNEL_BODY_BYTES_MAX);
    bool built = kind && kind->build(channel, alert, request);
    *text = !channel          ? "there is no such channel, or it is switched off"
            : !kind           ? "this kind of channel is not known"
            : request->broken ? request->broken
                              : "";
    if (built) {
        struct posting *p = mem_alloc(sizeof *p);
        *p = (struct posting){c, id, alert->delivery_id, request->is_mail, done, ctx};
        const char *headers[CHANNEL_HEADERS_MAX];
        for (size_t i = 0; i < request->headers_count; i++)
            headers[i] = request->headers[i];
        if (request->is_mail)
            mail(c, channel, request, p);
        else
            http_client_post(c->http, request->url, headers, request->headers_count,
                             buf_text(&request->body), CHANNEL_SECONDS_MAX, on_answer, p);
    }
    buf_fini(&request->body);
    free(request);
    return built;
}

int64_t channels_first_fallback(const struct channels *c)
{
    const struct channel *first = NULL;
    for (size_t i = 0; c->list && i < c->list->count; i++) {
        const struct channel *one = &c->list->channels[i];
        bool fits = one->enabled && one->fallback > 0 && channel_kind_of(one->kind);
        if (fits && (!first || one->fallback < first->fallback))
            first = one;
    }
    return first ? first->id : 0;
}

bool channels_are_known(const struct channels *c)
{
    return c->list != NULL;
}

bool channels_has_chat(const struct channels *c, int64_t chat_id)
{
    for (size_t i = 0; c->list && i < c->list->count; i++) {
        const struct channel *one = &c->list->channels[i];
        if (strcmp(one->kind, "telegram") == 0 && strtoll(one->url, NULL, 10) == chat_id)
            return true;
    }
    return false;
}
