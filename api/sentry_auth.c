/* sentry_auth.c -- places where a key may stand. */
#include "api/sentry_auth.h"

#include "ingest/sentry.h"
#include "net/http_server.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

static struct slice trim(struct slice s)
{
    while (s.len && isspace((unsigned char)*s.at)) {
        s.at++;
        s.len--;
    }
    while (s.len && isspace((unsigned char)s.at[s.len - 1]))
        s.len--;
    return s;
}

static bool take(struct slice s, char key[SENTRY_KEY_BYTES])
{
    s = trim(s);
    if (s.len == 0 || s.len >= SENTRY_KEY_BYTES)
        return false;
    for (size_t i = 0; i < s.len; i++)
        key[i] = (char)tolower((unsigned char)s.at[i]);
    key[s.len] = '\0';
    return true;
}

/* "word value": what follows the word; at NULL: it does not start with it. */
static struct slice behind(struct slice s, const char *word)
{
    size_t n = strlen(word);
    if (!s.at || s.len <= n || strncasecmp(s.at, word, n) != 0 || !isspace((unsigned char)s.at[n]))
        return (struct slice){0};
    return trim((struct slice){s.at + n, s.len - n});
}

bool sentry_auth_header(struct slice value, char key[SENTRY_KEY_BYTES])
{
    static const char NAME[] = "sentry_key";
    struct slice rest = behind(value, "sentry");
    while (rest.len) {
        const char *comma = memchr(rest.at, ',', rest.len);
        struct slice item = {rest.at, comma ? (size_t)(comma - rest.at) : rest.len};
        rest = (struct slice){item.at + item.len + (comma != NULL),
                              rest.len - item.len - (comma != NULL)};
        const char *equals = memchr(item.at, '=', item.len);
        if (!equals)
            continue;
        struct slice name = trim((struct slice){item.at, (size_t)(equals - item.at)});
        if (slice_equal(name, NAME))
            return take((struct slice){equals + 1, item.len - (size_t)(equals + 1 - item.at)}, key);
    }
    return false;
}

/* The user of "user:password" is the key; OTLP exporters send it so. */
static bool take_basic(struct slice encoded, char key[SENTRY_KEY_BYTES])
{
    unsigned char plain[256];
    if (encoded.len == 0 || encoded.len % 4 || encoded.len > 320)
        return false;
    int n = EVP_DecodeBlock(plain, (const unsigned char *)encoded.at, (int)encoded.len);
    if (n <= 0)
        return false;
    const unsigned char *colon = memchr(plain, ':', (size_t)n);
    return take((struct slice){(const char *)plain, colon ? (size_t)(colon - plain) : (size_t)n},
                key);
}

static bool take_authorization(struct slice value, char key[SENTRY_KEY_BYTES])
{
    struct slice dsn = behind(value, "dsn");
    struct slice basic = behind(value, "basic");
    struct slice bearer = behind(value, "bearer");
    int64_t project = 0;
    if (dsn.at && sentry_dsn_parse(dsn.at, dsn.len, key, &project))
        return true;
    if (basic.at)
        return take_basic(basic, key);
    return bearer.at ? take(bearer, key) : sentry_auth_header(value, key);
}

bool sentry_auth_key(const struct http_head *head, const struct sentry_path *path,
                     char key[SENTRY_KEY_BYTES])
{
    char text[SENTRY_KEY_BYTES];
    if (sentry_auth_header(http_head_find(head, "x-sentry-auth"), key) ||
        take_authorization(http_head_find(head, "authorization"), key))
        return true;
    if (http_query_find(head->query, "sentry_key", text, sizeof text))
        return take((struct slice){text, strlen(text)}, key);
    return path->key.at && take(path->key, key);
}
