/* sentry_auth.h -- the key of a Sentry request: header, query or path, the first that is there.
 *
 * Relay refuses more than one; SDKs behind proxies send more than one, so the first counts. */
#ifndef NABAT_API_SENTRY_AUTH_H
#define NABAT_API_SENTRY_AUTH_H

#include "api/sentry_path.h"

enum { SENTRY_KEY_BYTES = 64 };

/* X-Sentry-Auth, Authorization (Sentry, Basic, DSN, Bearer), ?sentry_key=, the path. Lower-cased.
 * False: none of them. */
bool sentry_auth_key(const struct http_head *head, const struct sentry_path *path,
                     char key[SENTRY_KEY_BYTES]);
/* `sentry_key` of "Sentry sentry_version=7, sentry_key=…": pairs in any order, blanks forgiven,
 * unknown ones ignored. False: no such header, or no key in it. */
bool sentry_auth_header(struct slice value, char key[SENTRY_KEY_BYTES]);

#endif
