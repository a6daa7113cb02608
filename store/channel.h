/* channel.h -- channels other than the chat: the rows, and how they fare. */
#ifndef NABAT_STORE_CHANNEL_H
#define NABAT_STORE_CHANNEL_H

#include "core/event.h"
#include "store/pg.h"

/* Ids of channels stand where ids of chats do (sql/006_channels.sql): no chat has one this large. */
#define CHANNEL_ID_MIN INT64_C(5000000000000000)

/* Texts are owned by the row. */
struct channel {
    int64_t id;
    char *name;
    char *kind;
    char *url;        /* may hold secrets: goes into no log, no error, no page */
    char *secret;     /* NULL: none; the same */
    char *sender;     /* of e-mail */
    char *recipients; /* of e-mail, comma separated */
    char *language;   /* NULL: the service's */
    int64_t fallback; /* 0: it is none */
    bool enabled;
    int64_t ok_ms;    /* the last delivery that went well; 0: none yet */
    char *last_error; /* NULL: the last one went well */
};
struct channel_list {
    struct channel *channels;
    size_t count;
};
void store_channels_free(struct channel_list *list);

/* `list` is the caller's; at most CHANNELS_MAX. */
typedef void channels_done_fn(void *ctx, struct channel_list *list, const struct err *err);
void store_channels_load(struct pg *pg, channels_done_fn *done, void *ctx);
/* How the last delivery ended; NULL: well. Nobody waits for it. */
void store_channel_note(struct pg *pg, int64_t id, const char *error);

/* What waits for a chat that can't be reached, critical only, goes to the next channel of the chain as
 * well, and is told in the chat together when it is back. `from` is the chat, or a channel of the
 * chain that can't be reached itself. Returns how many. */
typedef void fallback_fn(void *ctx, int64_t n, const struct err *err);
void store_fall_back(struct pg *pg, int64_t from, const char *holder, int64_t epoch,
                     fallback_fn *done, void *ctx);

#endif
