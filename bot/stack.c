/* stack.c -- the Stack button: everything about the newest event as a text file.
 *
 *     details --row--> word on the press, file --topic closed--> file without the topic
 *                                              --refused--> said in the chat */
#include "bot/talk.h"

#include "core/limits.h"
#include "core/mem.h"
#include "ingest/sentry_detail.h"
#include "store/details.h"

#include <stdio.h>
#include <stdlib.h>

enum { DETAILS_BYTES_MAX = 8 * MIB };

/* Outlives its talk: a file of some MB takes a while, and nobody else in the chat waits for it. */
struct stack_file {
    struct bot *bot;
    struct chat_message message;
    char name[48];
    struct buf text;
    enum language language;
};

static void on_sent(void *ctx, const struct chat_result *result)
{
    struct stack_file *f = ctx;
    if (result->outcome == TG_NO_THREAD && f->message.thread_id) {
        f->message.thread_id = 0;
        f->bot->chat->document(f->bot->chat, &f->message, f->name, buf_text(&f->text), f->text.len,
                               on_sent, f);
        return;
    }
    if (result->outcome != TG_OK) {
        struct buf html;
        const char *values[] = {result->text};
        log_warn("file with the stack not sent", LOG_S("error", result->text), LOG_END);
        buf_init(&html, TG_TEXT_BYTES_MAX);
        bot_text_fill(f->language, TEXT_STACK_FAILED, values, 1, &html);
        f->message.html = buf_text(&html);
        f->bot->chat->send(f->bot->chat, &f->message, NULL, NULL);
        buf_fini(&html);
    }
    buf_fini(&f->text);
    free(f);
}

static void put_together(const struct details *details, struct buf *text)
{
    struct buf frames;
    buf_init(&frames, DETAILS_BYTES_MAX / 2);
    buf_add_str(text, details->head);
    if ((details->detail || details->source) &&
        sentry_detail_text(details->detail, details->detail_len, details->source, &frames) &&
        frames.len)
        buf_addf(text, "\nSOURCE AND VARIABLES\n%s", frames.data);
    buf_add_str(text, details->tail);
    buf_fini(&frames);
}

static void on_details(void *ctx, const struct details *details, const struct err *err)
{
    struct talk *talk = ctx;
    if (!details) {
        talk_answer(talk, err ? TEXT_DATABASE_AWAY : TEXT_NO_EVENT);
        talk_end(talk);
        return;
    }
    struct stack_file *f = mem_alloc(sizeof *f);
    f->bot = talk->bot;
    f->language = talk->look.language;
    f->message = (struct chat_message){.chat_id = talk->update.chat_id,
                                       .thread_id = talk->update.thread_id,
                                       .reply_to = talk->update.message_id,
                                       .patient = true};
    buf_init(&f->text, DETAILS_BYTES_MAX);
    put_together(details, &f->text);
    snprintf(f->name, sizeof f->name, "error-%lld.txt", (long long)talk->group_id);
    talk_answer(talk, TEXT_STACK_COMES);
    f->bot->chat->document(f->bot->chat, &f->message, f->name, buf_text(&f->text), f->text.len,
                           on_sent, f);
    talk_end(talk);
}

void talk_send_stack(struct talk *talk)
{
    store_details_get(talk->bot->pg, talk->group_id, on_details, talk);
}
