/* judge.h -- where SENTRY_DSN points to, and what its answers mean. Pure. */
#ifndef NABAT_FORWARD_JUDGE_H
#define NABAT_FORWARD_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

/* https://KEY[:SECRET]@HOST[/PATH]/PROJECT (develop.sentry.dev, "DSN"). */
struct forward_target {
    char url[512]; /* of the envelope endpoint */
    char key[128];
    char auth[512]; /* the header line X-Sentry-Auth */
};
bool forward_target_parse(const char *dsn, struct forward_target *out);

enum forward_verdict {
    FORWARD_TAKEN,   /* it has it */
    FORWARD_REFUSED, /* it will never take this one */
    FORWARD_LATER    /* not now: again after `wait_s` */
};
struct forward_judgement {
    enum forward_verdict verdict;
    int wait_s; /* nothing is sent for so long; 0: as the caller likes */
};
/* `status` 0: no answer. `limits` is X-Sentry-Rate-Limits ("" for none), which may come with a 200, too:
 * "60:error;default:organization:quota, 2700::key". */
struct forward_judgement forward_judge(int status, int retry_after_s, const char *limits);

#endif
