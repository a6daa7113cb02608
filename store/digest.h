/* digest.h -- messages that stand for many alerts, and the errors that they name.
 *
 * Only the holder of the lease folds and sends: those check holder and epoch. */
#ifndef NABAT_STORE_DIGEST_H
#define NABAT_STORE_DIGEST_H

#include "store/outbox.h"

/* Folds what is due into the chat's open digest of that reason, or a new one. At most
 * DIGEST_GROUPS_MAX alerts at a time. */
typedef void digest_fold_fn(void *ctx, int64_t folded, const struct err *err);
void store_digest_fold(struct pg *pg, const struct outbox_claim *claim, enum digest_reason reason,
                       digest_fold_fn *done, void *ctx);

struct digest {
    int64_t id;
    int64_t chat_id;
    int64_t thread_id;
    int64_t message_id; /* 0: not sent yet */
    enum digest_reason reason;
    const char *about; /* NULL: nothing to name */
    int tries;
    int lost_answers; /* of earlier ones */
    bool possible_repeat;
    int64_t opened_ms;
    int64_t closed_ms; /* 0: it goes on */
    int64_t page;
    int64_t rows;   /* alerts folded into it */
    int64_t groups; /* different errors among them */
    bool silent;
    int64_t changes;    /* how often an error of it was changed: what an edit shows */
    int64_t still_open; /* of these, not resolved */
    struct outbox_look look;
};
/* The errors, worst first; `groups` hold what card_render_line shows. NULL digest: there is none.
 * BORROWED until done returns. */
typedef void digest_done_fn(void *ctx, const struct digest *digest, const struct group *groups,
                            size_t count, const struct err *err);
/* `page` 0: the one it was turned to; `limit` errors a page. */
void store_digest_get(struct pg *pg, int64_t id, int64_t page, int64_t limit, digest_done_fn *done,
                      void *ctx);
/* The same, and notes that it is about to be sent for the first time; NULL when the lease is gone. */
void store_digest_claim(struct pg *pg, const struct outbox_claim *claim, int64_t id, int64_t limit,
                        digest_done_fn *done, void *ctx);

enum digest_outcome {
    DIGEST_SHOWN,
    DIGEST_LISTED,
    DIGEST_CLOSED,
    DIGEST_RETRY,
    DIGEST_MAYBE,   /* the answer to its first sending got lost */
    DIGEST_REFUSED, /* it can't be said there: its alerts have failed */
    DIGEST_GONE,    /* the message can't be edited: what is new in it goes into another one */
};
struct digest_result {
    int64_t id;
    int64_t chat_id;
    int64_t message_id;
    int64_t rows;    /* what was shown or listed */
    int64_t changes; /* as the digest had them */
    enum digest_outcome outcome;
    int64_t delay_s;      /* of RETRY and MAYBE */
    bool possible_repeat; /* as the digest had it: a refusal does not take it back */
    const char *error;
};
void store_digest_done(struct pg *pg, const struct digest_result *result, outbox_done_fn *done,
                       void *ctx);
/* Somebody turned its pages. Nobody waits for it. */
void store_digest_turn(struct pg *pg, int64_t id, int64_t page);

#endif
