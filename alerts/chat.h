/* chat.h -- a chat as alerts and commands see it: Telegram, or the console that stands in for it.
 *
 * The implementation cures what can be cured by itself: formatting refused goes plain, a keyboard
 * refused goes without, a closed topic goes to the chat, a text too long is cut. */
#ifndef NABAT_ALERTS_CHAT_H
#define NABAT_ALERTS_CHAT_H

#include "alerts/pacing.h"
#include "net/telegram.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHAT_BUTTONS_MAX = 20,
    CHAT_BUTTON_TEXT_BYTES = 64,
    CHAT_BUTTON_DATA_BYTES = 64,
    CHAT_BUTTON_URL_BYTES = 512
};

struct chat_button {
    char text[CHAT_BUTTON_TEXT_BYTES];
    char data[CHAT_BUTTON_DATA_BYTES + 1]; /* callback_data; "" when it is a link */
    char url[CHAT_BUTTON_URL_BYTES];
    bool ends_row;
};

struct chat_keyboard {
    struct chat_button buttons[CHAT_BUTTONS_MAX];
    size_t count;
};

/* All BORROWED for the call. */
struct chat_message {
    int64_t chat_id;
    int64_t thread_id;  /* 0: none */
    int64_t message_id; /* of an edit */
    int64_t reply_to;   /* 0: none */
    const char *html;
    const struct chat_keyboard *keyboard; /* NULL: none (an edit then removes it) */
    bool silent;
    bool
        patient; /* an answer to a person: paced here, and sent again after a 429 of up to a minute */
    bool
        wants_reply; /* the person replied to is asked for an answer (ForceReply); no keyboard then */
};

struct chat_result {
    enum tg_outcome outcome; /* TG_OK also when the text went plain, or without its keyboard */
    int64_t message_id;
    int64_t chat_id;   /* where it went: not where it was sent to when the group has moved */
    int64_t thread_id; /* where it went: 0 when the topic is closed or gone */
    bool thread_gone;  /* there is no such topic any more (closed ones may open again) */
    int retry_after_s;
    int64_t migrate_to;
    const char *text; /* what went wrong; BORROWED */
};
typedef void chat_done_fn(void *ctx, const struct chat_result *result);

/* `done` may be NULL where nobody cares; else it runs exactly once, from the loop. */
struct chat {
    void (*send)(struct chat *chat, const struct chat_message *message, chat_done_fn *done,
                 void *ctx);
    void (*edit)(struct chat *chat, const struct chat_message *message, chat_done_fn *done,
                 void *ctx);
    void (*document)(struct chat *chat, const struct chat_message *message, const char *file_name,
                     const char *data, size_t len, chat_done_fn *done, void *ctx);
    /* A picture in the chat, with the message's text as its caption (TG_CAPTION_UNITS_MAX); nothing of it is cured. */
    void (*photo)(struct chat *chat, const struct chat_message *message, const char *data,
                  size_t len, chat_done_fn *done, void *ctx);
    /* The small word that a press gets. `text` may be "". */
    void (*answer_press)(struct chat *chat, const char *press_id, const char *text);
    /* Other buttons under a message that stays as it is. Nobody waits for it. */
    void (*edit_keyboard)(struct chat *chat, int64_t chat_id, int64_t message_id,
                          const struct chat_keyboard *keyboard);
    /* A reaction on a person's message says "noted" without a message of its own. */
    void (*react)(struct chat *chat, int64_t chat_id, int64_t message_id, const char *emoji,
                  chat_done_fn *done, void *ctx);
    /* A new forum topic; `done` gets its thread_id. */
    void (*make_topic)(struct chat *chat, int64_t chat_id, const char *name, chat_done_fn *done,
                       void *ctx);
};

/* Appends a callback button; `data` is cut nowhere: it must fit. */
void chat_add_button(struct chat_keyboard *keyboard, const char *text, const char *data,
                     bool ends_row);
void chat_add_link(struct chat_keyboard *keyboard, const char *text, const char *url,
                   bool ends_row);

/* The chat over the Bot API. `telegram` and `pacer` are BORROWED. What is patient goes at its chat's
 * pace; when it meets a 429 of up to a minute it goes again when that is over, three times at most. */
struct chat *chat_telegram_new(struct ev_loop *loop, struct telegram *telegram,
                               struct pacer *pacer);
void chat_telegram_free(struct chat *chat);
/* Pure, for tests: the parameters of a message. */
json_t *chat_telegram_params(const struct chat_message *message, bool plain, bool with_keyboard);

#endif
