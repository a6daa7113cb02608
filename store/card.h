/* card.h -- messages in chats that are cards of groups: which of them wants an edit.
 *
 * Only the holder of the lease calls these. */
#ifndef NABAT_STORE_CARD_H
#define NABAT_STORE_CARD_H

#include "store/outbox.h"

enum card_edit { EDIT_COUNT, EDIT_CHANGE, EDIT_RETIRE, EDIT_EXPIRE };
struct card_row {
    int64_t chat_id;
    int64_t message_id;
    enum card_edit edit;
    int64_t edit_seq;
    int64_t held; /* what its alert said, and says again after an edit */
    bool regression;
    bool possible_repeat;
    enum group_status told_status; /* that a channel was told of last */
    struct outbox_look look;
    struct group group;
};
/* The chat's card whose edit is most urgent; counts only when `counts_too`. NULL: none. */
typedef void card_claim_fn(void *ctx, const struct card_row *card, const struct err *err);
void store_card_claim(struct pg *pg, int64_t chat_id, bool counts_too, card_claim_fn *done,
                      void *ctx);
/* GONE: the message can't be edited any more. RETRY: it waits on, `delay_s` from now. A wish that
 * came after the claim (another edit_seq) stays. */
enum card_outcome { CARD_EDITED, CARD_GONE, CARD_RETRY };
void store_card_done(struct pg *pg, const struct card_row *card, enum card_outcome outcome,
                     int64_t delay_s, outbox_done_fn *done, void *ctx);

#endif
