/* http_client.h -- outgoing HTTP by libcurl's multi interface in the loop. */
#ifndef NABAT_NET_HTTP_CLIENT_H
#define NABAT_NET_HTTP_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;

/* `connections_max` at once: more wait. */
struct http_client *http_client_new(struct ev_loop *loop, int connections_max);
/* The end begins: requests under way end with status 0, new ones do so at once. */
void http_client_close(struct http_client *client);
void http_client_free(struct http_client *client); /* closes first */

/* `status` 0: no whole answer came. `sent` then tells whether the request may have reached the
 * server (so that its effect is unknown); `error` says why, without the URL. Body is BORROWED. */
struct http_answer {
    int status;
    bool sent;
    const char *error;
    const char *body;
    size_t body_len;
    int reply;         /* the last one that came, also when the whole did not end well (SMTP) */
    int retry_after_s; /* 0: the server named none */
    const char *rate_limits; /* X-Sentry-Rate-Limits, "" for none; BORROWED */
};
typedef void http_done_fn(void *ctx, const struct http_answer *answer);

struct http_file { /* one multipart part that is a file; all BORROWED for the call */
    const char *field;
    const char *file_name;
    const char *content_type;
    const char *data;
    size_t len;
};
struct http_field {
    const char *name;
    const char *value;
};

/* Whether a request may be made twice. libcurl quietly repeats one whose kept-alive connection dies before
 * any answer came: fine for a question, a second message for a send. ONCE opens a connection of its own,
 * so that a lost answer is told as such. */
enum http_repeat { HTTP_MAY_REPEAT, HTTP_ONCE };

/* POSTs JSON; `done` runs exactly once, from the loop, within `timeout_s` seconds. */
void http_client_post_json(struct http_client *client, const char *url, const char *json,
                           enum http_repeat repeat, int timeout_s, http_done_fn *done, void *ctx);
/* Any POST: `headers` are whole lines ("Name: value"), copied. Always ONCE. */
void http_client_post(struct http_client *client, const char *url, const char *const *headers,
                      size_t headers_count, const char *body, int timeout_s, http_done_fn *done,
                      void *ctx);

/* The same with another method than POST: PATCH, PUT. */
void http_client_send(struct http_client *client, const char *method, const char *url,
                      const char *const *headers, size_t headers_count, const char *body,
                      int timeout_s, http_done_fn *done, void *ctx);

/* Whether an address answers: one GET over a connection of its own, redirects are not followed, what it says is dropped.
 * `error` is "" when an answer came. */
struct http_probe {
    int status; /* 0: none came */
    const char *error;
    int64_t ms; /* until the whole answer was there */
    int64_t
        cert_expires_ms; /* Unix time, of the server's certificate; 0: it has none, or it was not seen */
};
typedef void http_probe_fn(void *ctx, const struct http_probe *probe);
void http_client_probe(struct http_client *client, const char *url, int timeout_s,
                       http_probe_fn *done, void *ctx);

/* A mail by SMTP (RFC 5321): smtp:// with STARTTLS where the server offers it (and always when it asks
 * for a password), smtps:// with TLS from the start. `url` may hold user and password. `message` is a
 * whole one (RFC 5322), copied. `status` is the server's last reply (250: taken). */
void http_client_mail(struct http_client *client, const char *url, const char *sender,
                      const char *const *recipients, size_t recipients_count, const char *message,
                      size_t len, int timeout_s, http_done_fn *done, void *ctx);
/* Always ONCE. */
void http_client_post_file(struct http_client *client, const char *url,
                           const struct http_field *fields, size_t fields_count,
                           const struct http_file *file, int timeout_s, http_done_fn *done,
                           void *ctx);

#endif
