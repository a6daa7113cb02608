/* deploy.h -- something was put out: what everybody who hears of it says. */
#ifndef NABAT_CORE_DEPLOY_H
#define NABAT_CORE_DEPLOY_H

#include <stdint.h>

enum { DEPLOY_FIELD_BYTES_MAX = 1000 };

/* Text is BORROWED; NULL: not given. */
struct deploy {
    int32_t project_id;
    const char *name;    /* what people call it; never empty */
    const char *release; /* as events name it */
    const char *environment;
    const char *url;
    const char *actor;
    const char *source;      /* api, chat, railway, github */
    const char *external_id; /* of whoever told of it: told twice, it is there once */
    int64_t deployed_ms;     /* 0: now */
};

#endif
