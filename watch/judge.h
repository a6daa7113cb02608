/* judge.h -- what getMe and getWebhookInfo of somebody else's bot mean: pure, the clock is an argument.
 *
 * Telegram never takes last_error_date back (reference 1.13): only one that is newer than the last is
 * news; it is over when none came for a while and the queue does not grow. */
#ifndef NABAT_WATCH_JUDGE_H
#define NABAT_WATCH_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

enum trouble {
    TROUBLE_REVOKED, /* the token is not valid any more */
    TROUBLE_LOST,    /* it had a webhook, now it has none */
    TROUBLE_FAILING, /* its webhook answers errors */
    TROUBLE_PENDING, /* updates pile up */
    TROUBLES
};

struct watch_seen {
    bool unauthorized; /* then nothing else is known */
    bool has_webhook;
    int64_t last_error_date; /* Unix seconds; 0: none */
    int64_t pending;
};

/* What is remembered of a bot; kept in the database. A zeroed one knows nothing yet. */
struct watch_state {
    bool known;
    bool had_webhook;
    int64_t last_error_date;
    int64_t pending;
    int growing; /* looks in a row at which more was pending */
    int calm;    /* looks in a row without a newer error and without growth */
    bool troubles[TROUBLES];
    int64_t since_ms[TROUBLES];
};

struct watch_verdict {
    bool risen[TROUBLES];
    bool again[TROUBLES]; /* it is there already, and there is news of it */
    bool over[TROUBLES];
    int64_t lasted_ms[TROUBLES]; /* of those that are over */
};

struct watch_verdict watch_judge(struct watch_state *state, const struct watch_seen *seen,
                                 int64_t now_ms);

#endif
