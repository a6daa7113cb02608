/* user_report.h -- what a person reports by themselves, and the six states of it. */
#ifndef NABAT_CORE_USER_REPORT_H
#define NABAT_CORE_USER_REPORT_H

#include "core/random.h"

#include <stdbool.h>
#include <stdint.h>

/* Text is owned by the arena of the request; NULL: not given. */
struct user_report {
    int32_t project_id;
    bool of_any_project; /* project_id, unless another one has the event that `code` means */
    char event_id[RANDOM_HEX_BYTES]; /* of the event that it becomes */
    const char *title;               /* never NULL */
    const char *description;
    const char *steps;
    const char *expected;
    const char *actual;
    const char *category; /* a slug; "bug" */
    const char *url;
    const char *browser;
    const char *contact;
    const char *user_id; /* of the product */
    const char *code;    /* core/event_code.h: of the error that it is about */
    const char *environment;
    const char *release;
    int64_t reporter_id;      /* Telegram; 0: none */
    int64_t reporter_chat_id; /* where they are told; 0: nowhere */
    const char *language;
    const char *event; /* itself as a native event, JSON */
};

#endif
