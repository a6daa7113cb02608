/* chat_telegram.c -- the chat over the Bot API, with the cures for what Telegram refuses.
 *
 *     call --refused for a reason that has a cure--> call again without it --...--> done
 *
 * The hard thing: each cure is taken at most once a message, so that this ends.
 *
 * Answers to people go at their chat's pace, in order; alerts and edits of cards are paced by delivery,
 * which asks before it claims. */
#include "alerts/chat_internal.h"

#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chat_add_button(struct chat_keyboard *keyboard, const char *text, const char *data,
                     bool ends_row)
{
    if (keyboard->count == CHAT_BUTTONS_MAX)
        return;
    struct chat_button *b = &keyboard->buttons[keyboard->count++];
    *b = (struct chat_button){.ends_row = ends_row};
    snprintf(b->text, sizeof b->text, "%s", text);
    snprintf(b->data, sizeof b->data, "%s", data);
}

void chat_add_link(struct chat_keyboard *keyboard, const char *text, const char *url, bool ends_row)
{
    if (keyboard->count == CHAT_BUTTONS_MAX || strlen(url) >= CHAT_BUTTON_URL_BYTES)
        return;
    struct chat_button *b = &keyboard->buttons[keyboard->count++];
    *b = (struct chat_button){.ends_row = ends_row};
    snprintf(b->text, sizeof b->text, "%s", text);
    snprintf(b->url, sizeof b->url, "%s", url);
}

static json_t *keyboard_json(const struct chat_keyboard *keyboard)
{
    json_t *rows = json_array();
    json_t *row = NULL;
    for (size_t i = 0; i < keyboard->count; i++) {
        const struct chat_button *b = &keyboard->buttons[i];
        if (!row) {
            row = json_array();
            json_array_append_new(rows, row);
        }
        json_t *button = json_pack("{s:s}", "text", b->text);
        json_object_set_new(button, b->url[0] ? "url" : "callback_data",
                            json_string(b->url[0] ? b->url : b->data));
        json_array_append_new(row, button);
        if (b->ends_row)
            row = NULL;
    }
    return json_pack("{s:o}", "inline_keyboard", rows);
}

json_t *chat_telegram_params(const struct chat_message *m, bool plain, bool with_keyboard)
{
    json_t *p = json_pack("{s:I}", "chat_id", (json_int_t)m->chat_id);
    struct buf text;
    buf_init(&text, TG_TEXT_BYTES_MAX);
    if (plain)
        html_to_plain(m->html, &text);
    else
        buf_add_str(&text, m->html);
    json_object_set_new(p, "text", json_stringn(buf_text(&text), text.len));
    buf_fini(&text);
    if (!plain)
        json_object_set_new(p, "parse_mode", json_string("HTML"));
    /* else Telegram would fetch every address that an error mentions */
    json_object_set_new(p, "link_preview_options", json_pack("{s:b}", "is_disabled", 1));
    if (m->message_id)
        json_object_set_new(p, "message_id", json_integer((json_int_t)m->message_id));
    else if (m->thread_id > 1) /* the General topic is 1, but naming it is an error */
        json_object_set_new(p, "message_thread_id", json_integer((json_int_t)m->thread_id));
    if (m->reply_to)
        json_object_set_new(p, "reply_parameters",
                            json_pack("{s:I,s:b}", "message_id", (json_int_t)m->reply_to,
                                      "allow_sending_without_reply", 1));
    if (m->silent)
        json_object_set_new(p, "disable_notification", json_true());
    if (m->wants_reply)
        json_object_set_new(p, "reply_markup",
                            json_pack("{s:b,s:b}", "force_reply", 1, "selective", 1));
    else if (with_keyboard && m->keyboard && m->keyboard->count)
        json_object_set_new(p, "reply_markup", keyboard_json(m->keyboard));
    return p;
}

static void on_sent(void *ctx, const struct tg_answer *answer);

void chat_call(struct sending *s)
{
    telegram_call(s->chat->telegram, s->method,
                  chat_telegram_params(&s->message, s->plain, !s->bare), TG_SEND_SECONDS_MAX,
                  on_sent, s);
}

/* Half of the visible text, plain: for a limit that we did not foresee. */
static void shorten(struct sending *s)
{
    struct buf plain;
    struct buf html;
    buf_init(&plain, TG_TEXT_BYTES_MAX);
    buf_init(&html, TG_TEXT_BYTES_MAX);
    html_to_plain(s->html, &plain);
    html_add_cut(&html, buf_text(&plain), plain.len, TG_TEXT_UNITS_MAX / 2);
    free(s->html);
    s->html = buf_take(&html);
    s->message.html = s->html;
    buf_fini(&plain);
    s->shortened = true;
}

static bool cure(struct sending *s, const struct tg_answer *answer)
{
    enum tg_outcome outcome = answer->outcome;
    if (outcome == TG_BAD_MARKUP && !s->plain)
        s->plain = true;
    else if (outcome == TG_BAD_KEYBOARD && !s->bare)
        s->bare = true;
    else if (outcome == TG_NO_THREAD && s->message.thread_id) {
        s->thread_gone = strstr(answer->text, "CLOSED") == NULL;
        s->message.thread_id = 0;
    } else if (outcome == TG_CHAT_MOVED && !s->moved && !s->message.message_id) {
        s->moved = true;
        s->message.chat_id = answer->migrate_to;
        s->message.reply_to = 0; /* ids of the old group mean nothing in the new one */
    } else if (outcome == TG_TOO_LONG && !s->shortened)
        shorten(s);
    else
        return false;
    return true;
}

void chat_sending_free(struct sending *s)
{
    free(s->html);
    free(s);
}

static void on_sent(void *ctx, const struct tg_answer *answer)
{
    struct sending *s = ctx;
    if (chat_put_off(s, answer))
        return;
    if (cure(s, answer)) {
        log_warn("Telegram refused a message: sent again without what it refused",
                 LOG_S("method", s->method), LOG_S("error", answer->text), LOG_END);
        chat_call(s);
        return;
    }
    struct chat_result result = {
        .outcome = answer->outcome == TG_NOT_MODIFIED ? TG_OK : answer->outcome,
        .chat_id = s->message.chat_id,
        .thread_id = s->message.thread_id,
        .thread_gone = s->thread_gone,
        .retry_after_s = answer->retry_after_s,
        .migrate_to = answer->migrate_to,
        .text = answer->text,
    };
    const json_t *id = json_object_get(answer->result, "message_id");
    const json_t *thread = json_object_get(answer->result, "message_thread_id");
    if (json_is_integer(id))
        result.message_id = (int64_t)json_integer_value(id);
    else if (json_is_integer(thread)) /* createForumTopic */
        result.thread_id = (int64_t)json_integer_value(thread);
    chat_finish(s, &result);
}

static void start(struct chat *chat, const char *method, const struct chat_message *message,
                  chat_done_fn *done, void *ctx)
{
    struct sending *s = mem_alloc(sizeof *s);
    s->chat = (struct chat_telegram *)chat;
    s->method = method;
    s->message = *message;
    s->html = mem_str_dup(message->html);
    s->message.html = s->html;
    if (message->keyboard) {
        s->keyboard = *message->keyboard;
        s->message.keyboard = &s->keyboard;
    }
    s->done = done;
    s->ctx = ctx;
    if (message->patient)
        chat_answer_at_pace(s);
    else
        chat_call(s);
}

static void tg_send(struct chat *chat, const struct chat_message *m, chat_done_fn *done, void *ctx)
{
    start(chat, "sendMessage", m, done, ctx);
}

static void tg_edit(struct chat *chat, const struct chat_message *m, chat_done_fn *done, void *ctx)
{
    start(chat, "editMessageText", m, done, ctx);
}

/* A call that has nothing to cure: `message` only says where. */
static struct sending *bare_sending(struct chat *chat, const char *method, int64_t chat_id,
                                    chat_done_fn *done, void *ctx)
{
    struct sending *s = mem_alloc(sizeof *s);
    s->chat = (struct chat_telegram *)chat;
    s->method = method;
    s->message.chat_id = chat_id;
    s->plain = s->bare = s->shortened = s->moved = true;
    s->done = done;
    s->ctx = ctx;
    return s;
}

static void send_file(struct chat *chat, const struct chat_message *m, struct tg_file *file,
                      chat_done_fn *done, void *ctx)
{
    struct sending *s =
        bare_sending(chat, file->is_photo ? "sendPhoto" : "sendDocument", m->chat_id, done, ctx);
    s->message.patient = m->patient;
    if (m->patient)
        pacer_take(s->chat->pacer, m->chat_id, PACE_ANSWER, clock_mono_ms());
    file->chat_id = m->chat_id;
    file->thread_id = m->thread_id;
    file->reply_to = m->reply_to;
    file->silent = m->silent;
    telegram_send_file(s->chat->telegram, file, on_sent, s);
}

static void tg_document(struct chat *chat, const struct chat_message *m, const char *file_name,
                        const char *data, size_t len, chat_done_fn *done, void *ctx)
{
    struct tg_file file = {.name = file_name, .data = data, .len = len};
    struct buf caption;
    buf_init(&caption, 4 * KIB);
    html_to_plain(m->html ? m->html : "", &caption);
    file.caption = caption.len ? caption.data : NULL;
    send_file(chat, m, &file, done, ctx);
    buf_fini(&caption);
}

static void tg_photo(struct chat *chat, const struct chat_message *m, const char *data, size_t len,
                     chat_done_fn *done, void *ctx)
{
    struct tg_file file = {.is_photo = true,
                           .name = "chart.png",
                           .data = data,
                           .len = len,
                           .caption = m->html && *m->html ? m->html : NULL,
                           .caption_is_html = true};
    send_file(chat, m, &file, done, ctx);
}

static void on_answered(void *ctx, const struct tg_answer *answer)
{
    (void)ctx; /* "query is too old" is harmless: the work is done all the same */
    if (answer->outcome != TG_OK)
        log_debug("press not answered", LOG_S("error", answer->text), LOG_END);
}

static void tg_answer_press(struct chat *chat, const char *press_id, const char *text)
{
    struct chat_telegram *t = (struct chat_telegram *)chat;
    size_t len = utf8_cut_units(text, strlen(text), TG_ANSWER_UNITS_MAX);
    json_t *p = json_pack("{s:s}", "callback_query_id", press_id);
    if (len)
        json_object_set_new(p, "text", json_stringn(text, len));
    telegram_call(t->telegram, "answerCallbackQuery", p, 15, on_answered, NULL);
}

static void on_told(void *ctx, const struct tg_answer *answer)
{
    (void)ctx;
    if (answer->outcome != TG_OK && answer->outcome != TG_NOT_MODIFIED)
        log_debug("buttons not changed", LOG_S("error", answer->text), LOG_END);
}

static void tg_edit_keyboard(struct chat *chat, int64_t chat_id, int64_t message_id,
                             const struct chat_keyboard *keyboard)
{
    struct chat_telegram *t = (struct chat_telegram *)chat;
    json_t *p = json_pack("{s:I,s:I}", "chat_id", (json_int_t)chat_id, "message_id",
                          (json_int_t)message_id);
    json_object_set_new(p, "reply_markup", keyboard_json(keyboard));
    pacer_take(t->pacer, chat_id, PACE_ANSWER, clock_mono_ms());
    telegram_call(t->telegram, "editMessageReplyMarkup", p, 15, on_told, NULL);
}

static void tg_react(struct chat *chat, int64_t chat_id, int64_t message_id, const char *emoji,
                     chat_done_fn *done, void *ctx)
{
    struct sending *s = bare_sending(chat, "setMessageReaction", chat_id, done, ctx);
    telegram_call(s->chat->telegram, s->method,
                  json_pack("{s:I,s:I,s:[{s:s,s:s}]}", "chat_id", (json_int_t)chat_id, "message_id",
                            (json_int_t)message_id, "reaction", "type", "emoji", "emoji", emoji),
                  15, on_sent, s);
}

static void tg_make_topic(struct chat *chat, int64_t chat_id, const char *name, chat_done_fn *done,
                          void *ctx)
{
    struct sending *s = bare_sending(chat, "createForumTopic", chat_id, done, ctx);
    telegram_call(s->chat->telegram, s->method,
                  json_pack("{s:I,s:s}", "chat_id", (json_int_t)chat_id, "name", name), 30, on_sent,
                  s);
}

struct chat *chat_telegram_new(struct ev_loop *loop, struct telegram *telegram, struct pacer *pacer)
{
    struct chat_telegram *t = mem_alloc(sizeof *t);
    t->loop = loop;
    t->telegram = telegram;
    t->pacer = pacer;
    t->chat = (struct chat){tg_send,         tg_edit,          tg_document, tg_photo,
                            tg_answer_press, tg_edit_keyboard, tg_react,    tg_make_topic};
    ev_timer_init(&t->pump, chat_on_pump, 0, 0);
    t->pump.data = t;
    return &t->chat;
}

void chat_telegram_free(struct chat *chat)
{
    struct chat_telegram *t = (struct chat_telegram *)chat;
    struct chat_result result = {.outcome = TG_UNREACHABLE, .text = "the service is stopping"};
    ev_timer_stop(t->loop, &t->pump);
    while (t->waiting) {
        struct sending *s = t->waiting;
        t->waiting = s->next;
        chat_finish(s, &result);
    }
    free(t);
}
