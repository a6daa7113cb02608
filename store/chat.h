/* chat.h -- what is known of chats: their settings, our messages in them that are no cards, topics. */
#ifndef NABAT_STORE_CHAT_H
#define NABAT_STORE_CHAT_H

#include "core/event.h"
#include "store/pg.h"

/* Text is BORROWED until done returns; NULL: not chosen. */
struct chat_setting {
    const char *language;
    const char *time_zone;
    bool is_quiet;
    bool reactions;
    bool dark_charts;
};
typedef void chat_setting_fn(void *ctx, const struct chat_setting *setting, const struct err *err);
/* A chat that chose nothing has a row of NULLs and false. */
void store_chat_setting_get(struct pg *pg, int64_t chat_id, chat_setting_fn *done, void *ctx);
void store_chat_setting_put(struct pg *pg, int64_t chat_id, const struct chat_setting *setting,
                            chat_setting_fn *done, void *ctx);

enum chat_message_kind {
    MESSAGE_NONE, /* not ours, or nothing with buttons */
    MESSAGE_CARD,
    MESSAGE_LIST,     /* args: the filter as typed */
    MESSAGE_EVENTS,   /* of a group */
    MESSAGE_NOTE,     /* a reply to it is a note to the group */
    MESSAGE_SETTINGS, /* of the chat it is in */
    MESSAGE_SETUP,    /* the offer to make this group the alert chat */
    MESSAGE_DIGEST,   /* args: its number */
    MESSAGE_REPORT,   /* args: the report's number, for its reporter */
};
struct our_message {
    enum chat_message_kind kind;
    int64_t group_id; /* 0: none */
    const char *args; /* BORROWED until done returns; "" when there is nothing */
};
typedef void our_message_fn(void *ctx, const struct our_message *message, const struct err *err);
/* What (chat, message) is to us: a card, one of our messages with buttons, or nothing. */
void store_message_get(struct pg *pg, int64_t chat_id, int64_t message_id, our_message_fn *done,
                       void *ctx);
typedef void chat_done_sql_fn(void *ctx, const struct err *err);
void store_message_put(struct pg *pg, int64_t chat_id, int64_t message_id,
                       const struct our_message *message, chat_done_sql_fn *done, void *ctx);
/* What a card shows, as it was rendered. */
struct shown_card {
    int64_t group_id;
    int64_t occurrences;
    enum group_status status;
    int64_t undo_until_ms; /* 0: shows no Undo */
    const char *language;
};
/* A message that shows a group becomes its card in that chat; an older one there retires. */
void store_card_put(struct pg *pg, int64_t chat_id, int64_t message_id, int64_t thread_id,
                    const struct shown_card *shown, chat_done_sql_fn *done, void *ctx);

/* Forum topics that the bot made. Nobody waits for these: a topic forgotten is made again. */
void store_topic_put(struct pg *pg, int64_t chat_id, const char *topic, int64_t thread_id);
void store_topic_forget(struct pg *pg, int64_t chat_id, int64_t thread_id);

/* Adopts a message whose sending was uncertain: true when there is such a send of that group to that chat. What waits to
 * be sent again waits no more, and the message is a card. */
typedef void adopted_fn(void *ctx, bool adopted, const struct err *err);
void store_card_adopt(struct pg *pg, int64_t chat_id, int64_t message_id, int64_t group_id,
                      adopted_fn *done, void *ctx);

#endif
