/* chat_internal.h -- what the files of the chat over the Bot API share; nobody else includes it. */
#ifndef NABAT_ALERTS_CHAT_INTERNAL_H
#define NABAT_ALERTS_CHAT_INTERNAL_H

#include "alerts/chat.h"

struct chat_telegram {
    struct chat chat; /* first: a chat is one of these */
    struct telegram *telegram;
    struct ev_loop *loop;
    struct pacer *pacer;
    struct sending *waiting; /* answers to people that their chat has no room for yet, in order */
    size_t waiting_count;
    ev_timer pump;
};

struct sending {
    struct sending *next; /* of the waiting */
    int tries;
    bool dropped; /* too many wait already */
    struct chat_telegram *chat;
    const char *method;
    struct chat_message message;
    char *html;
    struct chat_keyboard keyboard;
    bool plain;
    bool bare; /* without the keyboard */
    bool shortened;
    bool moved;
    bool thread_gone;
    chat_done_fn *done;
    void *ctx;
};

/* chat_telegram.c: the request goes out; its end is told and its memory given back. */
void chat_call(struct sending *sending);
void chat_sending_free(struct sending *sending);

/* chat_pace.c */
void chat_finish(struct sending *sending, const struct chat_result *result);
void chat_answer_at_pace(struct sending *sending);
/* True: it waits, and goes again. */
bool chat_put_off(struct sending *sending, const struct tg_answer *answer);
void chat_on_pump(struct ev_loop *loop, ev_timer *timer, int events);

#endif
