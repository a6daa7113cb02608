/* machine.h -- what an answer means for a check: three troubles, each rings after three bad answers and is over after two good
 * ones; pure. */
#ifndef NABAT_CHECKS_MACHINE_H
#define NABAT_CHECKS_MACHINE_H

#include "core/check_spec.h"

enum check_trouble { TROUBLE_DOWN, TROUBLE_SLOW, TROUBLE_CERT, CHECK_TROUBLES };
enum { CHECK_BAD_MAX = 3, CHECK_GOOD_MAX = 2, CHECK_STATE_BYTES = 160 };

struct check_state {
    struct check_streak {
        int64_t bad; /* answers in a row; while it lasts it stays at what it rang with, and grows */
        int64_t good;     /* since it rang */
        int64_t since_ms; /* the first bad one; 0: all is well */
        bool rang;
    } troubles[CHECK_TROUBLES];
};
/* The text that the database keeps; "" is a state in which all is well. */
void check_state_write(const struct check_state *state, char out[CHECK_STATE_BYTES]);
void check_state_read(const char *text, struct check_state *state);

/* What came of asking. */
struct check_answer {
    int status;        /* 0: none came */
    const char *error; /* why; "" when one came */
    int64_t ms;
    int64_t cert_expires_ms; /* 0: there is no certificate, or it was not seen */
};
struct check_change {
    bool ring[CHECK_TROUBLES]; /* now for the third time in a row */
    bool over[CHECK_TROUBLES];
    int64_t lasted_ms[CHECK_TROUBLES];
    int64_t failures[CHECK_TROUBLES];
    bool is_good; /* none of the three now */
};
void check_decide(const struct check_spec *spec, const struct check_answer *answer, int64_t now_ms,
                  struct check_state *state, struct check_change *change);
/* "down, certificate"; "" when nothing rang that is not over. */
void check_failing(const struct check_state *state, char out[64]);

#endif
