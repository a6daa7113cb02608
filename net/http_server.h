/* http_server.h -- a small HTTP/1.x server in the loop: whole, bounded bodies in, deferred replies out.
 *
 * TLS is the business of the proxy in front. Limits and deadlines: core/limits.h. */
#ifndef NABAT_NET_HTTP_SERVER_H
#define NABAT_NET_HTTP_SERVER_H

#include "core/err.h"
#include "net/http_head.h"

#include <ev.h>

struct http_server;
struct http_reply;

/* All BORROWED until the reply is sent. */
struct http_request {
    const struct http_head *head;
    const char *body;
    size_t body_len;
    const char *peer;   /* its address as text, without a port */
    bool from_loopback; /* peer is on loopback and no proxy says otherwise (X-Forwarded-For) */
};

/* Must lead to exactly one http_reply_send, now or later. */
typedef void http_handler_fn(void *ctx, const struct http_request *request,
                             struct http_reply *reply);

struct http_route {
    unsigned methods;                 /* enum http_method, or'ed */
    const char *path;                 /* exact; a trailing slash of the request is forgiven */
    bool (*match)(struct slice path); /* instead of `path`: whether the path is this route's */
    bool body_optional;               /* a POST without any length has an empty body, not a 411 */
    bool any_origin;             /* CORS: every origin, on errors too; preflights are answered */
    size_t body_bytes_max;       /* 0: takes no body */
    const char *body_limit_name; /* for the 413 */
    http_handler_fn *handler;
    void *ctx;
};

struct http_config {
    const char *bind;
    int port; /* 0: any free one */
    size_t connections_max;
    size_t body_memory_max;
    const struct http_route *routes; /* BORROWED for the server's life */
    size_t routes_count;
};

/* Listens at once. NULL and `err` when the address can't be had. */
struct http_server *http_server_new(struct ev_loop *loop, const struct http_config *config,
                                    struct err *err);
int http_server_port(const struct http_server *server);
/* Stops accepting, answers what was accepted, then calls `stopped` once from the loop; connections
 * still open after HTTP_STOP_SECONDS_MAX are cut. */
void http_server_stop(struct http_server *server, void (*stopped)(void *ctx), void *ctx);
void http_server_free(struct http_server *server);

/* Headers beyond the usual ones: complete lines ending in CR LF; NULL or "" for none. */
void http_reply_send(struct http_reply *reply, int status, const char *content_type,
                     const char *extra_headers, const char *body, size_t body_len);
void http_reply_json(struct http_reply *reply, int status, const char *extra_headers,
                     const char *json);
/* {"error":"<code>","detail":"<detail>"}; the code is the status in words. */
void http_reply_error(struct http_reply *reply, int status, const char *detail);
void http_reply_error_with(struct http_reply *reply, int status, const char *extra_headers,
                           const char *detail);
/* 429 with Retry-After; `extra_headers` as above. */
void http_reply_too_many(struct http_reply *reply, int64_t seconds, const char *extra_headers);
/* Counts `bytes` against HTTP_BODY_MEMORY until the reply is sent; false: answer 503. */
bool http_reply_reserve(struct http_reply *reply, size_t bytes);
/* Frees the request's body early, when what matters was copied. */
void http_reply_drop_body(struct http_reply *reply);

/* The value of `name` in a query string, percent-decoded into `out`; false when absent or longer. */
bool http_query_find(struct slice query, const char *name, char *out, size_t out_size);

#endif
