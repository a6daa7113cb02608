/* feedback.h -- what a user said about an error, and sessions counted: what rides along with events. */
#ifndef NABAT_CORE_FEEDBACK_H
#define NABAT_CORE_FEEDBACK_H

#include "core/random.h"

#include <stdint.h>

/* Text is owned by the arena of the request; NULL is "not given". */
struct feedback {
    char event_id[RANDOM_HEX_BYTES]; /* of the error it is about; "": about none */
    char id[RANDOM_HEX_BYTES];       /* its own, so that a repeat is one */
    const char *name;
    const char *email;
    const char *message;
    const char *url;
    struct feedback *next;
};

enum { SESSION_ID_BYTES = 40 };

/* Sessions of one release that began in one hour. */
struct session_count {
    char id[SESSION_ID_BYTES]; /* of an update of one session: it may come twice; "": sums */
    const char *release;
    const char *environment;
    int64_t hour_ms; /* Unix time of the hour's beginning */
    int64_t started;
    int64_t errored;
    int64_t crashed;
    int64_t abnormal;
    struct session_count *next;
};

/* A file that came with an event. */
struct attachment {
    const char *name;
    const char *content_type; /* NULL: not given */
    const void *data;         /* BORROWED from the request's arena */
    size_t len;               /* what is kept */
    size_t bytes;             /* what it was; more than len: too large, only counted */
    struct attachment *next;
};

#endif
