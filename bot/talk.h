/* talk.h -- one update being handled: who speaks, where, with which role, and how to answer. */
#ifndef NABAT_BOT_TALK_H
#define NABAT_BOT_TALK_H

#include "alerts/card.h"
#include "alerts/chat.h"
#include "api/health.h"
#include "bot/roles.h"
#include "bot/texts.h"
#include "bot/update.h"
#include "store/chat.h"
#include "store/group.h"

/* What the service does when the chat says so. */
struct bot_events {
    void (*changed)(void *ctx); /* a group was changed: cards want edits */
    void (*chat_moved)(void *ctx, int64_t from, int64_t to); /* a group became a supergroup */
    void (*chat_back)(void *ctx, int64_t chat_id);           /* the bot was let in again */
    void (*chat_chosen)(void *ctx, int64_t chat_id); /* an owner made this chat the alert chat */
    void *ctx;
};

/* What handlers need; all BORROWED and alive for as long as talks are. */
struct bot {
    struct ev_loop *loop;
    struct pg *pg;
    struct chat *chat;
    struct telegram *telegram; /* NULL: console */
    struct roles *roles;
    const struct health *health;
    int64_t alert_chat_id;     /* 0: none */
    bool chat_is_fixed;        /* by ERROR_ALERT_CHAT_ID: no button changes it */
    const char *language;      /* BOT_LANGUAGE, NULL: each person's own */
    struct issues *issues;     /* NULL: no tracker is set */
    const struct scrub *scrub; /* for what people write down here */
    const char *public_url;    /* without a slash at its end; for addresses that are handed out */
    struct card_links links;
    char username[64];  /* for /cmd@name; "" while it is not known */
    struct talk *talks; /* under way */
    struct bot_events events;
};

struct command;
struct talk {
    struct talk *next; /* of bot->talks */
    struct bot *bot;
    struct update update;  /* owned */
    struct look look;      /* of messages: the chat's language */
    enum language said_in; /* of words on a press: the language of the one who pressed */
    struct talk_setting {  /* what the chat chose */
        char language[8];  /* "" when it chose none */
        char zone[64];
        bool is_quiet;
        bool reactions;
        bool dark_charts;
    } setting;
    enum role role;
    const struct command *command;
    char *args;       /* of a command, behind the number; owned */
    int64_t group_id; /* 0: none named */
    /* of a press or a reply: what the message is to us */
    enum chat_message_kind on;
    char *on_args; /* owned */
    int tries;
    ev_timer again; /* looks once more: what was sent a moment ago may not be written down yet */
    ev_timer slow;  /* the press is answered in time, whatever the database does */
    bool press_answered;
    void (*done)(void *ctx);
    void *ctx;
};

/* Handles one update, STEALS it; `done` runs exactly once, when the chat's next one may be handled. */
void talk_start(struct bot *bot, struct update *update, void (*done)(void *ctx), void *ctx);
void talk_end(struct talk *talk);
/* At the very end: talks that wait for a moment that will not come. */
void talk_abandon_all(struct bot *bot);

/* The language of whoever the update is from, and of messages in its chat: BOT_LANGUAGE, else a person's own
 * in private, else English. */
enum language talk_language(const char *bot_language, const struct update *update);
enum language talk_chat_language(const char *bot_language, const struct update *update);
bool talk_is_foreign_group(const struct talk *talk);
struct actor talk_actor(const struct talk *talk);

/* talk_reply.c: answers where the person spoke. Each is one message; none of them ends the talk. */
void talk_reply(struct talk *talk, const char *html);
/* Values for the places of the text, then NULL. */
void talk_say(struct talk *talk, enum text which, ...) __attribute__((sentinel));
void talk_say_away(struct talk *talk);
void talk_say_usage(struct talk *talk);
/* With buttons: remembered as what `as` says once it is sent, so that presses on it count. */
void talk_post(struct talk *talk, const char *html, const struct chat_keyboard *keyboard,
               const struct our_message *as);
/* Another page: the message that was pressed becomes it, or a new one is posted. */
void talk_show(struct talk *talk, const char *html, const struct chat_keyboard *keyboard,
               const struct our_message *as);
/* A picture with its caption (HTML, "" for none); where Telegram does not take it, the caption as a message. `after` (HTML; NULL:
 * nothing) is a message behind it, whatever became of it. */
void talk_photo(struct talk *talk, const char *html, const char *after, const char *data,
                size_t len);
/* The card of a group, with `below` (HTML, may be NULL) under it. */
void talk_post_card(struct talk *talk, const struct group *group, const char *below);
/* Asks the person for a reply; replies to it count as what `as` says. */
void talk_ask(struct talk *talk, const char *html, const struct our_message *as);
/* The word that a press gets; only the first one counts. */
void talk_answer(struct talk *talk, enum text which);
void talk_answer_with(struct talk *talk, enum text which, const char *value);
void talk_answer_quietly(struct talk *talk); /* the progress bar goes, nothing is said */
/* Edits the message that was pressed. */
void talk_edit(struct talk *talk, const char *html, const struct chat_keyboard *keyboard);
void talk_edit_keyboard(struct talk *talk, const struct chat_keyboard *keyboard);
/* What keeps a group from being taken, and whose doing it was (BORROWED; never NULL). */
enum text talk_who_has(const struct group *group, const char **who);
/* The number as text, for the places of texts. */
enum { TALK_NUMBER_BYTES = 24 };
const char *talk_number(int64_t n, char out[TALK_NUMBER_BYTES]);

/* button.c: a press; stack.c: the Stack button; reply.c: text or a reaction on one of our messages.
 * Each ends the talk. */
void talk_press(struct talk *talk);
void talk_send_stack(struct talk *talk);
void talk_note(struct talk *talk);
void talk_react(struct talk *talk);

#endif
