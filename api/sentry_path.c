/* sentry_path.c -- segments behind the last "api" that fit a known endpoint. */
#include "api/sentry_path.h"

#include <string.h>

enum { SEGMENTS_MAX = 24 };

/* Empty segments (double slashes, a slash at the end) do not count. */
static size_t split(struct slice path, struct slice out[SEGMENTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < path.len && n < SEGMENTS_MAX;) {
        size_t len = 0;
        while (i + len < path.len && path.at[i + len] != '/')
            len++;
        if (len)
            out[n++] = (struct slice){path.at + i, len};
        i += len + 1;
    }
    return n;
}

/* What follows the project: a word, then how many more segments. */
static const struct {
    const char *word;
    enum sentry_endpoint endpoint;
    size_t more_min;
    size_t more_max;
} ENDPOINTS[] = {
    {"envelope", SENTRY_ENVELOPE, 0, 0},  {"store", SENTRY_STORE, 0, 0},
    {"security", SENTRY_SECURITY, 0, 0},  {"csp-report", SENTRY_SECURITY, 0, 0},
    {"cron", SENTRY_CRON, 1, 2},          {"minidump", SENTRY_MINIDUMP, 0, 0},
    {"events", SENTRY_ATTACHMENTS, 2, 2}, {"nel", SENTRY_NOT_KEPT, 0, 0},
    {"otlp", SENTRY_NOT_KEPT, 1, 2},      {"integration", SENTRY_NOT_KEPT, 1, 3},
    {"unreal", SENTRY_NOT_KEPT, 1, 1},
};

static int64_t number_of(struct slice s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9' || i > 9)
            return -1;
        n = n * 10 + (s.at[i] - '0');
    }
    return n;
}

static bool fits(const struct slice *s, size_t count, struct sentry_path *out)
{
    if (count == 1 && slice_equal(s[0], "store")) {
        *out = (struct sentry_path){.endpoint = SENTRY_STORE};
        return true;
    }
    for (size_t i = 0; i < sizeof ENDPOINTS / sizeof *ENDPOINTS; i++) {
        if (count < 2 || !slice_equal(s[1], ENDPOINTS[i].word))
            continue;
        size_t more = count - 2;
        if (more < ENDPOINTS[i].more_min || more > ENDPOINTS[i].more_max)
            continue;
        *out =
            (struct sentry_path){.endpoint = ENDPOINTS[i].endpoint, .project_id = number_of(s[0])};
        if (out->endpoint == SENTRY_ATTACHMENTS && !slice_equal(s[3], "attachments"))
            continue;
        if (out->endpoint == SENTRY_ATTACHMENTS)
            out->event_id = s[2];
        if (out->endpoint == SENTRY_CRON) {
            out->slug = s[2];
            out->key = more == 2 ? s[3] : (struct slice){0};
        }
        return true;
    }
    return false;
}

bool sentry_path_parse(struct slice path, struct sentry_path *out)
{
    struct slice segments[SEGMENTS_MAX];
    size_t n = split(path, segments);
    for (size_t i = n; i > 0; i--)
        if (slice_equal(segments[i - 1], "api") && fits(segments + i, n - i, out))
            return true;
    return false;
}

bool sentry_path_matches(struct slice path)
{
    struct sentry_path ignored;
    return sentry_path_parse(path, &ignored);
}
