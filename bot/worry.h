/* worry.h -- when Nabat itself says that something is wrong with it: pure, the clock is an argument. */
#ifndef NABAT_BOT_WORRY_H
#define NABAT_BOT_WORRY_H

#include <stdbool.h>
#include <stdint.h>

enum worry {
    WORRY_DATABASE, /* it does not answer */
    WORRY_QUEUE,    /* events before it fill half of their memory */
    WORRY_DISK,     /* nearly full */
    WORRY_SPOOL,    /* it fills up, or does not take events */
    WORRY_TOKEN,    /* Telegram does not know it any more */
    WORRY_POLLER,   /* somebody else takes the updates */
    WORRY_UPDATES,  /* the webhook or the poll fails */
    WORRY_CLOCK,    /* it jumped */
    WORRY_STORE,    /* STORE_MAX_BYTES is reached: events are only counted */
    WORRIES
};

enum worry_news { WORRY_NOTHING, WORRY_TELL, WORRY_TELL_AGAIN, WORRY_IS_OVER };

/* A zeroed one has seen nothing. */
struct worry_state {
    int64_t since_ms; /* 0: it is well */
    int64_t well_ms;  /* since when it has been, while it counts as bad */
    int64_t told_ms;  /* 0: not told */
};

/* One look. It must last for its patience before it is told, is told again every half hour (but WORRY_STORE), and is over
 * when it was well for half a minute; what was not told is not said to be over. Who may not tell (another
 * instance does) keeps looking, so that it can take over. `lasted_ms`: of what is over. */
enum worry_news worry_look(struct worry_state *state, enum worry which, bool is_bad, bool may_tell,
                           int64_t now_ms, int64_t *lasted_ms);

#endif
