/* outbox.h -- alerts waiting and sent, and the messages in chats that are cards of groups.
 *
 * Only the holder of the lease calls these; each claim checks holder and epoch. */
#ifndef NABAT_STORE_OUTBOX_H
#define NABAT_STORE_OUTBOX_H

#include "store/group.h"

/* How the chat wants its cards (chat_setting); NULL: not chosen. */
struct outbox_look {
    const char *language;
    const char *time_zone;
    bool is_quiet;
};

/* TOPICS: whether each origin or each project has a forum topic of its own. */
enum topics { TOPICS_NONE, TOPICS_ORIGIN, TOPICS_PROJECT };

struct outbox_claim {
    const char *holder;
    int64_t epoch;
    int64_t chat_id;
    enum topics topics;
};

/* Why many alerts are one message: a storm, or they waited: too long for a chat that could not be
 * written to, for the end of quiet hours, of a silence, of what inhibited them, for the chat while
 * another channel rang. */
enum digest_reason {
    DIGEST_STORM,
    DIGEST_LATE,
    DIGEST_QUIET,
    DIGEST_SILENCE,
    DIGEST_INHIBITED,
    DIGEST_FALLBACK
};
const char *digest_reason_name(enum digest_reason reason);
enum digest_reason digest_reason_of_name(const char *name);

/* The chat's open digest; times are milliseconds ago. */
struct digest_view {
    int64_t id; /* 0: there is none */
    enum digest_reason reason;
    bool is_sent;
    bool is_closed; /* but an error that it names was changed */
    bool is_stale;
    int64_t rows;
    int64_t shown_rows;
    int64_t listed_rows;
    int64_t opened_ago_ms;
    int64_t added_ago_ms;
    int64_t shown_ago_ms;
    int64_t next_try_ms; /* 0: now */
};
/* What waits for one chat. */
struct chat_view {
    int64_t chat_id;
    bool is_out;       /* can't be reached: nothing is folded, so that it can ring elsewhere */
    int64_t due;       /* alerts that could go now and never went */
    int64_t again_due; /* those whose answer got lost: once more, each by itself */
    /* of these and of held ones, those for the digest of what came late: they waited longer than
     * ALERT_TTL_SECONDS, or lost LOST_ANSWERS_MAX answers */
    int64_t late;
    int64_t notes_due; /* words under cards */
    int64_t held_due;  /* alerts whose time to be held back is over */
    enum digest_reason held_reason;
    int64_t changes; /* cards to edit for a change */
    int64_t counts;  /* cards to edit for a count */
    int64_t next_ms; /* until something else is due; -1: nothing is */
    struct digest_view digest;
};
struct outbox_waiting {
    int64_t count;
    int64_t oldest_s; /* since it was decided */
};
/* At most LANES_MAX chats, those with the most urgent alert first. */
typedef void chats_view_fn(void *ctx, const struct chat_view *chats, size_t count,
                           const struct outbox_waiting *waiting, const struct err *err);
void store_chats_view(struct pg *pg, chats_view_fn *done, void *ctx);

struct outbox_row {
    int64_t id;
    int64_t chat_id;
    int64_t thread_id;
    int attempts; /* this one included */
    bool possible_repeat;
    int lost_answers; /* of earlier attempts */
    const char *reason;
    int64_t held;
    const char *note; /* words under the card instead of a card; NULL: a card */
    const char *note_author;
    int64_t card_message_id; /* the group's card in that chat; 0: none */
    struct outbox_look look;
    bool silent;
    bool is_fallback;     /* the chat that it was for can't be reached */
    const char *language; /* the rule's; NULL: the chat's */
    const char *topic;    /* what its topic is for; NULL: none is wanted */
    int64_t topic_thread; /* 0: there is no such topic yet */
    int64_t topics;       /* how many the chat has */
    int64_t waited_ms;    /* since it was due */
    struct group group;
};
/* The most urgent row of the chat that is due becomes 'sending': critical ones, then what came back, the
 * rest, words under cards last. `row` NULL: none. BORROWED until done returns. */
typedef void outbox_claim_fn(void *ctx, const struct outbox_row *row, const struct err *err);
void store_outbox_claim(struct pg *pg, const struct outbox_claim *claim, outbox_claim_fn *done,
                        void *ctx);

typedef void outbox_done_fn(void *ctx, const struct err *err);
struct outbox_sent {
    int64_t id;
    int64_t chat_id;
    int64_t thread_id;
    int64_t message_id;
    int64_t occurrences;      /* as the message shows them: a card that is stale already */
    enum group_status status; /* is edited at once */
};
/* It is in the chat: the row is 'sent', the message is the group's card, older ones retire. */
void store_outbox_sent(struct pg *pg, const struct outbox_sent *sent, outbox_done_fn *done,
                       void *ctx);
/* `epoch` is the claim's: nothing happens to a row that another holder has taken since. `state` is "pending"
 * (again after `delay_s`), "uncertain" (the same, marked) or "failed". After LOST_ANSWERS_MAX attempts with
 * `answer_lost` a digest names the alert instead. */
struct outbox_put_off {
    int64_t id;
    int64_t epoch;
    const char *state;
    bool answer_lost;
    int64_t delay_s; /* below 0: never */
    const char *error;
};
void store_outbox_put_off(struct pg *pg, const struct outbox_put_off *off, outbox_done_fn *done,
                          void *ctx);
/* But for what is in hand: what an older holder was sending is uncertain now; what we claimed
 * ourselves and never sent waits again. */
void store_outbox_recover(struct pg *pg, int64_t epoch, const int64_t *in_hand, size_t count,
                          outbox_done_fn *done, void *ctx);
/* What waits for a chat that nothing is routed to any more goes to the alert chat. */
void store_outbox_readdress(struct pg *pg, int64_t chat_id, int64_t thread_id, outbox_done_fn *done,
                            void *ctx);
/* The group became a supergroup: message ids of the old chat mean nothing in the new one. */
void store_outbox_move_chat(struct pg *pg, int64_t from_chat, int64_t to_chat, outbox_done_fn *done,
                            void *ctx);

#endif
