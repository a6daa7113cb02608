/* client.h -- whose request it is, where trusted proxies tell: pure. */
#ifndef NABAT_API_CLIENT_H
#define NABAT_API_CLIENT_H

#include "core/err.h"
#include "net/http_server.h"

enum { PROXIES_MAX = 32, CLIENT_BYTES = 46 };

struct proxies {
    struct proxy {
        unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
        int bits;
    } list[PROXIES_MAX];
    size_t count;
};

/* "10.0.0.1, 172.16.0.0/12, ::1"; NULL is none. INPUT names the word that is no address. */
bool proxies_parse(const char *text, struct proxies *proxies, struct err *err);
/* The last address of X-Forwarded-For that no trusted proxy has, when the peer is one; else the
 * peer's own. */
void client_address(const struct proxies *proxies, const struct http_request *request,
                    char out[CLIENT_BYTES]);

#endif
