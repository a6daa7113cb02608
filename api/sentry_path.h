/* sentry_path.h -- paths of Sentry's endpoints, under any prefix, with or without a slash at the end. */
#ifndef NABAT_API_SENTRY_PATH_H
#define NABAT_API_SENTRY_PATH_H

#include "net/http_head.h"

enum sentry_endpoint {
    SENTRY_ENVELOPE,
    SENTRY_STORE,
    SENTRY_SECURITY,
    SENTRY_CRON,
    SENTRY_MINIDUMP,
    SENTRY_ATTACHMENTS,
    SENTRY_NOT_KEPT, /* taken with 200 and dropped: network error logging, OTLP */
};

struct sentry_path {
    enum sentry_endpoint endpoint;
    int64_t project_id;    /* 0: the legacy path names none; -1: what stands there is no number */
    struct slice slug;     /* of a cron job */
    struct slice key;      /* in the path; at NULL: none */
    struct slice event_id; /* of late attachments */
};

/* …/api/{project}/envelope/ and its kin. False: not one of ours. */
bool sentry_path_parse(struct slice path, struct sentry_path *out);
bool sentry_path_matches(struct slice path);

#endif
