/* sentry_dsn.c -- the key and the project within a DSN. */
#include "core/limits.h"
#include "ingest/envelope.h"
#include "ingest/sentry.h"
#include "ingest/sentry_value.h"

#include <string.h>

enum { HEADERS_BYTES_MAX = 16 * MIB };

bool sentry_dsn_parse(const char *dsn, size_t len, char key[64], int64_t *project_id)
{
    struct part p = {dsn, len};
    const char *scheme = part_find(p, "://");
    if (!scheme || !(part_starts(p, "http://") || part_starts(p, "https://")))
        return false;
    p = part_skip(p, (size_t)(scheme - p.at) + 3);
    const char *at = memchr(p.at, '@', p.len);
    const char *slash = part_find_last(p, '/');
    if (!at || !slash || slash < at)
        return false;
    struct part user = part_until(p, at);
    const char *colon = memchr(user.at, ':', user.len);
    user = colon ? part_until(user, colon) : user;
    if (user.len == 0 || user.len >= 64)
        return false;
    memcpy(key, user.at, user.len);
    key[user.len] = '\0';
    struct part project = part_skip(p, (size_t)(slash - p.at) + 1);
    *project_id = 0;
    for (size_t i = 0; i < project.len && i < 10; i++) {
        if (project.at[i] < '0' || project.at[i] > '9')
            return false;
        *project_id = *project_id * 10 + (project.at[i] - '0');
    }
    return project.len > 0;
}

bool sentry_envelope_dsn(const char *bytes, size_t len, char key[64], int64_t *project_id)
{
    struct envelope open;
    struct err err = {0};
    struct arena *headers = arena_new(HEADERS_BYTES_MAX);
    bool ok = envelope_open(&open, bytes, len, headers, &err);
    struct part dsn = ok ? sentry_get_part(open.headers, "dsn") : (struct part){"", 0};
    ok = ok && sentry_dsn_parse(dsn.at, dsn.len, key, project_id);
    arena_free(headers);
    return ok;
}
