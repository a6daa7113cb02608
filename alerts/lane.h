/* lane.h -- what one chat is sent next: pure, the clock is an argument.
 *
 * An alert first, as a card of its own; more of them than the chat's minute takes are a storm and go
 * into one message, edited in place until it is over. Then what people changed on cards, then what
 * the digest has to add, counts last. */
#ifndef NABAT_ALERTS_LANE_H
#define NABAT_ALERTS_LANE_H

#include "alerts/pacing.h"
#include "store/digest.h"
#include "store/outbox.h"

enum lane_act {
    LANE_WAIT,        /* nothing, or not yet: see wait_ms */
    LANE_CARD,        /* the most urgent alert */
    LANE_FOLD,        /* what is due (of `reason`) goes into a digest: no message by itself */
    LANE_DIGEST,      /* the digest is sent, or edited */
    LANE_LIST,        /* the digest's whole list as a file */
    LANE_CLOSE,       /* the storm is over: its message says so */
    LANE_EDIT,        /* a card that somebody changed */
    LANE_EDIT_COUNTS, /* any card */
};
struct lane_step {
    enum lane_act act;
    enum digest_reason reason; /* of LANE_FOLD */
    int64_t wait_ms;           /* of LANE_WAIT; -1: until something happens */
};

struct lane_step lane_next(const struct chat_view *view, const struct pacer *pacer, int64_t now_ms);
/* The pace of an act that is a message. */
enum pace lane_pace(enum lane_act act);

#endif
