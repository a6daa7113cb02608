/* update.h -- one Telegram update as the bot sees it: decoded once, purely. */
#ifndef NABAT_BOT_UPDATE_H
#define NABAT_BOT_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

enum update_kind {
    UPDATE_OTHER,
    UPDATE_MESSAGE,
    UPDATE_PRESS,      /* callback_query */
    UPDATE_REACTION,   /* message_reaction */
    UPDATE_MEMBERSHIP, /* my_chat_member: the bot itself came, went, or was promoted */
    UPDATE_MOVED,      /* the group became a supergroup: chat_id is the old one, moved_to the new */
};

/* Text is owned by the struct; NULL is "not there". */
struct update {
    int64_t id;
    enum update_kind kind;
    int64_t chat_id;
    bool is_private;
    bool is_forum;
    int64_t thread_id;  /* only of forum topics; 0: none */
    int64_t message_id; /* of the message, or of the message that was pressed or reacted to */
    int64_t reply_to;   /* message id; 0: none */
    char *reply_text;   /* of the message replied to; NULL: it has none */
    int64_t from_id;    /* 0: an anonymous administrator, who speaks as the group itself */
    bool from_bot;
    char *from_name;     /* @username, else the first name */
    char *from_username; /* without @ */
    char *language_code; /* of the person */
    char *text;          /* or the caption */
    /* somebody that the message points at: the author of the message replied to, or the first person
     * mentioned who has no @username */
    int64_t named_id;
    char *named_name;
    char *press_id;
    char *press_data;
    char *press_text;   /* of the message under the button: Telegram says it, nobody can forge it */
    bool press_is_ours; /* that message was sent by a bot; whose, only Telegram's delivery says */
    char *reaction;     /* an emoji that was added; NULL: one was taken away */
    bool bot_is_inside; /* UPDATE_MEMBERSHIP: after the change */
    char *bot_status;   /* "kicked", "member", "administrator" ... */
    int64_t moved_to;
};

/* False when it is no update at all; what is unknown is UPDATE_OTHER. */
bool update_decode(const char *json, struct update *update);
void update_fini(struct update *update);

/* PostgreSQL's jsonb takes no \u0000: the escape becomes that of U+FFFD, in place. */
void update_json_clean(char *json);

#endif
