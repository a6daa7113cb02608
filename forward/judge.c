/* judge.c -- a DSN taken apart, an answer weighed (develop.sentry.dev, "Rate Limiting"). */
#include "forward/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_SECONDS_MAX = 3600, TOO_MANY_SECONDS = 60 };

static bool copy(char *out, size_t size, const char *at, size_t len)
{
    if (len == 0 || len >= size)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

bool forward_target_parse(const char *dsn, struct forward_target *out)
{
    char base[256];
    char project[32];
    char secret[128] = "";
    const char *user = strstr(dsn, "://");
    const char *at = user ? strchr(user, '@') : NULL;
    const char *slash = at ? strrchr(at, '/') : NULL;
    if (!slash || (strncmp(dsn, "https://", 8) != 0 && strncmp(dsn, "http://", 7) != 0))
        return false;
    user += strlen("://");
    const char *colon = memchr(user, ':', (size_t)(at - user));
    if (!copy(out->key, sizeof out->key, user, (size_t)((colon ? colon : at) - user)) ||
        (colon && !copy(secret, sizeof secret, colon + 1, (size_t)(at - colon - 1))) ||
        !copy(base, sizeof base, at + 1, (size_t)(slash - at - 1)) ||
        !copy(project, sizeof project, slash + 1, strlen(slash + 1)) ||
        project[strspn(project, "0123456789")] || strpbrk(dsn, " \t\r\n\"?#"))
        return false;
    snprintf(out->url, sizeof out->url, "%.*s://%s/api/%s/envelope/",
             (int)(strstr(dsn, "://") - dsn), dsn, base, project);
    snprintf(out->auth, sizeof out->auth,
             "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=nabat/" NABAT_VERSION
             ", sentry_key=%s%s%s",
             out->key, secret[0] ? ", sentry_secret=" : "", secret);
    return true;
}

/* Whether a list of categories ("error;default", empty: all) is about errors. */
static bool is_about_errors(const char *at, size_t len)
{
    if (len == 0)
        return true;
    while (len) {
        const char *end = memchr(at, ';', len);
        size_t n = end ? (size_t)(end - at) : len;
        if (n == 5 && memcmp(at, "error", 5) == 0)
            return true;
        at += n + (end != NULL);
        len -= n + (end != NULL);
    }
    return false;
}

static int limit_seconds(const char *limits)
{
    long longest = 0;
    for (const char *at = limits; *at;) {
        size_t len = strcspn(at, ",");
        const char *colon = memchr(at, ':', len);
        long seconds = strtol(at, NULL, 10);
        if (colon) {
            size_t left = len - (size_t)(colon + 1 - at);
            const char *end = memchr(colon + 1, ':', left);
            size_t n = end ? (size_t)(end - colon - 1) : left;
            if (is_about_errors(colon + 1, n) && seconds > longest)
                longest = seconds;
        }
        at += len;
        at += *at == ',';
    }
    return longest > WAIT_SECONDS_MAX ? WAIT_SECONDS_MAX : (int)longest;
}

struct forward_judgement forward_judge(int status, int retry_after_s, const char *limits)
{
    int wait = limit_seconds(limits);
    if (retry_after_s > WAIT_SECONDS_MAX)
        retry_after_s = WAIT_SECONDS_MAX;
    if (status >= 200 && status < 300)
        return (struct forward_judgement){FORWARD_TAKEN, wait};
    if (status == 429) {
        if (!wait)
            wait = retry_after_s > 0 ? retry_after_s : TOO_MANY_SECONDS;
        return (struct forward_judgement){FORWARD_LATER, wait};
    }
    /* an unknown key or project may be mended there: it is no fault of the event */
    bool is_events_fault = status == 400 || status == 413 || status == 415 || status == 422;
    if (is_events_fault)
        return (struct forward_judgement){FORWARD_REFUSED, wait};
    return (struct forward_judgement){FORWARD_LATER, retry_after_s > wait ? retry_after_s : wait};
}
