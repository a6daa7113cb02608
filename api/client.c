/* client.c -- addresses parsed, compared by prefix, and X-Forwarded-For read from its end. */
#include "api/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_address(const char *text, unsigned char out[16])
{
    struct in_addr in4;
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    if (inet_pton(AF_INET, text, &in4) != 1)
        return false;
    memset(out, 0, 10);
    out[10] = out[11] = 0xFF;
    memcpy(out + 12, &in4, 4);
    return true;
}

static bool parse_one(const char *word, struct proxy *p)
{
    char address[64];
    const char *slash = strchr(word, '/');
    size_t n = slash ? (size_t)(slash - word) : strlen(word);
    if (n == 0 || n >= sizeof address)
        return false;
    memcpy(address, word, n);
    address[n] = '\0';
    if (!parse_address(address, p->address))
        return false;
    bool v4 = strchr(address, ':') == NULL;
    char *end = NULL;
    long bits = slash ? strtol(slash + 1, &end, 10) : (v4 ? 32 : 128);
    if ((slash && (*end || end == slash + 1)) || bits < 0 || bits > (v4 ? 32 : 128))
        return false;
    p->bits = (int)bits + (v4 ? 96 : 0);
    return true;
}

bool proxies_parse(const char *text, struct proxies *proxies, struct err *err)
{
    char word[64];
    proxies->count = 0;
    for (const char *at = text; at && *at;) {
        at += strspn(at, ", \t");
        size_t n = strcspn(at, ", \t");
        if (n == 0)
            break;
        snprintf(word, sizeof word, "%.*s", (int)n, at);
        if (proxies->count == PROXIES_MAX || n >= sizeof word ||
            !parse_one(word, &proxies->list[proxies->count]))
            return err_set(err, ERR_INPUT,
                           "TRUSTED_PROXIES names \"%s\": it takes up to %d addresses such as "
                           "10.0.0.1 or 10.0.0.0/8, comma separated",
                           word, PROXIES_MAX);
        proxies->count++;
        at += n;
    }
    return true;
}

static bool is_trusted(const struct proxies *proxies, const char *address)
{
    unsigned char a[16];
    if (!parse_address(address, a))
        return false;
    for (size_t i = 0; i < proxies->count; i++) {
        const struct proxy *p = &proxies->list[i];
        int bytes = p->bits / 8;
        int rest = p->bits % 8;
        if (memcmp(a, p->address, (size_t)bytes) != 0)
            continue;
        if (rest == 0 || (a[bytes] >> (8 - rest)) == (p->address[bytes] >> (8 - rest)))
            return true;
    }
    return false;
}

/* One header's list from its end, while who said it is trusted. False: go no further back. */
static bool walk_back(const struct proxies *proxies, struct slice list, char out[CLIENT_BYTES])
{
    unsigned char ignored[16];
    while (list.len && is_trusted(proxies, out)) {
        char word[CLIENT_BYTES];
        const char *comma = memrchr(list.at, ',', list.len);
        struct slice last =
            comma ? (struct slice){comma + 1, list.len - (size_t)(comma + 1 - list.at)} : list;
        list.len = comma ? (size_t)(comma - list.at) : 0;
        while (last.len && *last.at == ' ') {
            last.at++;
            last.len--;
        }
        if (last.len >= sizeof word)
            return false;
        memcpy(word, last.at, last.len);
        word[last.len] = '\0';
        if (!parse_address(word, ignored))
            return false; /* what it says is no address: the nearest that is one stays */
        snprintf(out, CLIENT_BYTES, "%s", word);
    }
    return is_trusted(proxies, out);
}

/* A proxy may write into the header that is there or add one of its own: all of them are one list
 * (RFC 9110 section 5.3), and its end is nearest. */
void client_address(const struct proxies *proxies, const struct http_request *request,
                    char out[CLIENT_BYTES])
{
    const struct http_head *head = request->head;
    snprintf(out, CLIENT_BYTES, "%s", request->peer);
    for (size_t i = head->headers_count; i > 0; i--)
        if (slice_equal_nocase(head->headers[i - 1].name, "x-forwarded-for") &&
            !walk_back(proxies, head->headers[i - 1].value, out))
            return;
}
