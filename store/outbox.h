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
    int64_t chat_id; /* pending rows of another chat are addressed to this one */
    int64_t thread_id;
    enum topics topics;
};

struct outbox_row {
    int64_t id;
    int64_t chat_id;
    int64_t thread_id;
    int attempts; /* this one included */
    bool possible_repeat;
    const char *reason;
    int64_t held;
    const char *note; /* words under the card instead of a card; NULL: a card */
    const char *note_author;
    int64_t card_message_id; /* the group's card in that chat; 0: none */
    struct outbox_look look;
    const char *topic;    /* what its topic is for; NULL: none is wanted */
    int64_t topic_thread; /* 0: there is no such topic yet */
    int64_t topics;       /* how many the chat has */
    struct group group;
};
struct outbox_waiting {
    int64_t count;
    int64_t next_ms;  /* until one is due; -1: nothing waits */
    int64_t oldest_s; /* since it was decided */
};
/* The oldest row that is due becomes 'sending'; `row` NULL: none. BORROWED until done returns. */
typedef void outbox_claim_fn(void *ctx, const struct outbox_row *row,
                             const struct outbox_waiting *waiting, const struct err *err);
void store_outbox_claim(struct pg *pg, const struct outbox_claim *claim, outbox_claim_fn *done,
                        void *ctx);

/* What waits, without claiming anything. */
typedef void outbox_waiting_fn(void *ctx, const struct outbox_waiting *waiting,
                               const struct err *err);
void store_outbox_waiting(struct pg *pg, outbox_waiting_fn *done, void *ctx);

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
/* state: "pending" (again after `delay_s`), "uncertain" (again once after it, marked), "failed".
 * Nothing happens to a row that another holder has taken since (`epoch` is that of the claim). */
void store_outbox_put_off(struct pg *pg, int64_t id, int64_t epoch, const char *state,
                          int64_t delay_s, const char *error, outbox_done_fn *done, void *ctx);
/* With nothing under way: what an older holder was sending is uncertain now; what we claimed
 * ourselves and never sent waits again. */
void store_outbox_recover(struct pg *pg, const struct outbox_claim *claim, outbox_done_fn *done,
                          void *ctx);
/* The group became a supergroup: message ids of the old chat mean nothing in the new one. */
void store_outbox_move_chat(struct pg *pg, int64_t from_chat, int64_t to_chat, outbox_done_fn *done,
                            void *ctx);

enum card_edit { EDIT_COUNT, EDIT_CHANGE, EDIT_RETIRE, EDIT_EXPIRE };
struct card_row {
    int64_t chat_id;
    int64_t message_id;
    enum card_edit edit;
    int64_t edit_seq;
    int64_t newer_message_id; /* of EDIT_RETIRE: the card that took over */
    int64_t held;             /* what its alert said, and says again after an edit */
    bool regression;
    bool possible_repeat;
    struct outbox_look look;
    struct group group;
};
/* Cards of the alert chat, or of all the others (where people asked for them). */
enum card_place { CARDS_OF_CHAT, CARDS_ELSEWHERE };
/* The card whose edit is most urgent; counts only when `counts_too`. NULL: none. */
typedef void card_claim_fn(void *ctx, const struct card_row *card, const struct err *err);
void store_card_claim(struct pg *pg, int64_t alert_chat_id, enum card_place place, bool counts_too,
                      card_claim_fn *done, void *ctx);
/* GONE: the message can't be edited any more. RETRY: it waits on, `delay_s` from now. A wish that
 * came after the claim (another edit_seq) stays. */
enum card_outcome { CARD_EDITED, CARD_GONE, CARD_RETRY };
void store_card_done(struct pg *pg, const struct card_row *card, enum card_outcome outcome,
                     int64_t delay_s, outbox_done_fn *done, void *ctx);

#endif
