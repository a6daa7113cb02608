/* telegram.h -- Bot API methods: one call, one decoded outcome. Nothing of errors or groups here.
 *
 * Rules: core.telegram.org/bots/api and the Bot API server's source (error texts, limits). */
#ifndef NABAT_NET_TELEGRAM_H
#define NABAT_NET_TELEGRAM_H

#include "core/err.h"
#include "net/http_client.h"

#include <jansson.h>
#include <stdint.h>

struct telegram;

/* What the caller should do with an outcome; see CONTRACT.md section 5 and Bot API error texts. */
enum tg_outcome {
    TG_OK,
    TG_NOT_MODIFIED, /* the message is already like that: as good as OK */
    TG_UNCERTAIN,    /* sent, but no answer: it may or may not have happened */
    TG_UNREACHABLE,  /* never sent, or 5xx: try again later */
    TG_TOO_MANY,     /* 429: wait `retry_after_s` */
    TG_BAD_MARKUP,   /* can't parse entities: send it plain */
    TG_BAD_KEYBOARD, /* the buttons were refused: send it without */
    TG_TOO_LONG,     /* shorten it */
    TG_NO_THREAD,    /* topic gone or closed: send to the chat itself */
    TG_NO_MESSAGE,   /* the message to edit is gone */
    TG_CHAT_MOVED,   /* the group became `migrate_to` */
    TG_CHAT_GONE,    /* blocked, kicked, not found, no rights: this chat can't be written to */
    TG_CONFLICT,     /* 409: another poller or a webhook */
    TG_UNAUTHORIZED, /* the token is not valid */
    TG_REFUSED,      /* any other 4xx: don't try again */
};

/* `result` (BORROWED) is the Bot API's "result", NULL unless TG_OK; `text` says what went wrong. */
struct tg_answer {
    enum tg_outcome outcome;
    int error_code;
    int retry_after_s;
    int64_t migrate_to;
    const json_t *result;
    char text[ERR_TEXT_BYTES_MAX];
};
typedef void tg_done_fn(void *ctx, const struct tg_answer *answer);

/* `http` is BORROWED. `api_url` without a slash at its end. */
struct telegram *telegram_new(struct http_client *http, const char *api_url, const char *token);
void telegram_free(struct telegram *telegram);

/* STEALS `params` (an object or NULL); `method` is a literal. `done` runs exactly once, from the loop. */
void telegram_call(struct telegram *telegram, const char *method, json_t *params, int timeout_s,
                   tg_done_fn *done, void *ctx);
/* When a call was last answered by anybody (clock_mono_ms); at first, when it was made. */
int64_t telegram_answered_ms(const struct telegram *telegram);
/* The last answer was that the token is not valid. */
bool telegram_is_refused(const struct telegram *telegram);

/* A file and where it goes. All BORROWED for the call. */
struct tg_file {
    bool is_photo;    /* sendPhoto, shown in the chat; else sendDocument */
    const char *name; /* its ending says what it is: .png, .pdf, anything else is text */
    const char *data;
    size_t len;
    const char *caption; /* NULL: none */
    bool caption_is_html;
    bool silent;
    int64_t chat_id;
    int64_t thread_id; /* 0: none */
    int64_t reply_to;  /* 0: no reply */
};
void telegram_send_file(struct telegram *telegram, const struct tg_file *file, tg_done_fn *done,
                        void *ctx);

/* Pure: the outcome of an HTTP answer. The caller json_decref's `*owner` when done. */
void telegram_decode(const struct http_answer *http, struct tg_answer *answer, json_t **owner);

#endif
