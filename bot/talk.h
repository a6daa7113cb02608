/* talk.h -- one update being handled: who speaks, where, with which role, and how to answer. */
#ifndef NABAT_BOT_TALK_H
#define NABAT_BOT_TALK_H

#include "alerts/card.h"
#include "alerts/chat.h"
#include "bot/roles.h"
#include "bot/texts.h"
#include "bot/update.h"
#include "store/group.h"

/* What handlers need; all BORROWED and alive for as long as talks are. */
struct bot {
    struct pg *pg;
    struct chat *chat;
    struct roles *roles;
    int64_t alert_chat_id; /* 0: none */
    const char *language;  /* BOT_LANGUAGE, NULL: each person's own */
    struct card_links links;
    char username[64];                            /* for /cmd@name; "" while it is not known */
    void (*answered)(void *ctx, int64_t chat_id); /* a message went out to a person */
    void (*changed)(void *ctx);                   /* a group was changed: cards want edits */
    void *ctx;
};

struct talk {
    struct bot *bot;
    struct update update; /* owned */
    enum language language;
    enum role role;
    int64_t group_id; /* 0: none named */
    char *args;       /* of a command, behind the number; owned */
    const struct command *command;
    void (*done)(void *ctx);
    void *ctx;
};

/* Handles one update, STEALS it; `done` runs exactly once, when the next one may be handled. */
void talk_start(struct bot *bot, struct update *update, void (*done)(void *ctx), void *ctx);
void talk_end(struct talk *talk);

/* Answers where the person spoke (HTML). */
void talk_reply(struct talk *talk, const char *html);
void talk_reply_card(struct talk *talk, const struct group *group);
/* printf into TEXT_*; the arguments must be numbers or text escaped already. */
void talk_reply_text(struct talk *talk, enum text which, ...);
void talk_reply_away(struct talk *talk);

/* button.c: a press on a card. */
void talk_press(struct talk *talk);

#endif
