/* update.h -- one Telegram update as the bot sees it: decoded once, purely. */
#ifndef NABAT_BOT_UPDATE_H
#define NABAT_BOT_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

enum update_kind { UPDATE_OTHER, UPDATE_MESSAGE, UPDATE_PRESS };

/* Text is owned by the struct; NULL is "not there". */
struct update {
    int64_t id;
    enum update_kind kind;
    int64_t chat_id;
    bool is_private;
    int64_t thread_id;  /* only of forum topics; 0: none */
    int64_t message_id; /* of the message, or of the message that the pressed button is on */
    int64_t reply_to;   /* message id; 0: none */
    int64_t from_id;
    bool from_bot;
    char *from_name;     /* @username, else the first name */
    char *language_code; /* of the person */
    char *text;
    char *press_id;
    char *press_data;
};

/* False when it is no update at all; what is unknown is UPDATE_OTHER. */
bool update_decode(const char *json, struct update *update);
void update_fini(struct update *update);

#endif
