/* http_client.c -- libcurl's multi interface driven by libev.
 *
 *     post --easy handle--> curl_multi --socket/timer callbacks--> libev --> check_done --> done   */
#include "net/http_client.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_BYTES_MAX = 8 * MIB, CONNECT_SECONDS_MAX = 10 };

struct transfer {
    struct transfer *next;
    struct transfer **slot; /* the pointer that points here */
    struct http_client *client;
    CURL *easy;
    bool is_broken; /* there was no memory for all of it: it is not sent */
    bool is_due;    /* broken, and now is its end */
    curl_mime *mime;
    struct curl_slist *list; /* headers of one request, or recipients */
    char *request;
    size_t request_len;
    size_t request_read;
    struct buf answer;
    http_done_fn *done;
    http_probe_fn *probed; /* instead of `done` */
    void *ctx;
};

struct socket_watch {
    ev_io io;
    struct http_client *client;
};

struct http_client {
    struct ev_loop *loop;
    CURLM *multi;
    ev_timer timer;
    ev_timer kick; /* ends what could not be set up */
    struct curl_slist *json_headers;
    struct transfer *transfers;
    bool closed;
    const char *ca_file; /* OpenSSL's own variable: servers with a certificate of one's own */
};

static void transfer_free(struct transfer *t)
{
    *t->slot = t->next;
    if (t->next)
        t->next->slot = t->slot;
    curl_multi_remove_handle(t->client->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_mime_free(t->mime);
    curl_slist_free_all(t->list);
    free(t->request);
    buf_fini(&t->answer);
    free(t);
}

/* Of the first certificate, which is the server's own. */
static int64_t cert_expires_ms(CURL *easy)
{
    static const char NAME[] = "Expire date:";
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
        info->num_of_certs < 1)
        return 0;
    for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next)
        if (strncmp(line->data, NAME, sizeof NAME - 1) == 0) {
            time_t at = curl_getdate(line->data + sizeof NAME - 1, NULL);
            return at > 0 ? (int64_t)at * 1000 : 0;
        }
    return 0;
}

static void finish_probe(struct transfer *t, CURLcode code)
{
    long status = 0;
    curl_off_t total_us = 0;
    struct http_probe probe = {.error = code == CURLE_OK ? "" : curl_easy_strerror(code)};
    if (t->easy) {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total_us);
        probe.cert_expires_ms = cert_expires_ms(t->easy);
    }
    probe.status = code == CURLE_OK ? (int)status : 0;
    probe.ms = (int64_t)(total_us / 1000);
    http_probe_fn *done = t->probed;
    void *ctx = t->ctx;
    transfer_free(t);
    done(ctx, &probe);
}

static void finish(struct transfer *t, CURLcode code)
{
    if (t->probed) {
        finish_probe(t, code);
        return;
    }
    long status = 0;
    curl_off_t retry_after = 0;
    curl_off_t uploaded = 0;
    curl_off_t pretransfer = 0;
    struct curl_header *limits = NULL;
    char rate_limits[512] = "";
    if (t->easy) {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
        curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
        curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
        if (curl_easy_header(t->easy, "X-Sentry-Rate-Limits", 0, CURLH_HEADER, -1, &limits) ==
            CURLHE_OK)
            snprintf(rate_limits, sizeof rate_limits, "%s", limits->value);
    }
    /* Once the connection stood, part of the request may have been read: the outcome is unknown. */
    bool sent = uploaded > 0 || pretransfer > 0;
    struct http_answer answer = {
        .status = code == CURLE_OK ? (int)status : 0,
        .reply = (int)status,
        .retry_after_s = (int)(retry_after < 86400 ? retry_after : 86400),
        .rate_limits = rate_limits,
        .sent = sent,
        .error = code == CURLE_OK ? "" : curl_easy_strerror(code),
        .body = buf_text(&t->answer),
        .body_len = t->answer.len,
    };
    http_done_fn *done = t->done;
    void *ctx = t->ctx;
    /* The transfer leaves the list first, so that `done` may start or cancel others. */
    struct buf body = t->answer;
    buf_init(&t->answer, ANSWER_BYTES_MAX);
    transfer_free(t);
    done(ctx, &answer);
    buf_fini(&body);
}

static void check_done(struct http_client *client)
{
    CURLMsg *msg = NULL;
    int left = 0;
    while ((msg = curl_multi_info_read(client->multi, &left))) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        struct transfer *t = NULL;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, code);
    }
}

static void on_socket_event(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    struct http_client *client = ((struct socket_watch *)(void *)w)->client;
    int action =
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running = 0;
    curl_multi_socket_action(client->multi, w->fd, action, &running);
    check_done(client);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct http_client *client = w->data;
    int running = 0;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    check_done(client);
}

static void on_kick(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct http_client *client = w->data;
    for (struct transfer *t = client->transfers; t; t = t->next)
        t->is_due = t->is_broken; /* what `done` starts, and is broken too, has a turn of its own */
    for (struct transfer *t = client->transfers; t;) {
        /* the analyzer does not follow `slot`: a finished transfer is off the list */
        if (t->is_due) { // NOLINT(clang-analyzer-unix.Malloc)
            finish(t, CURLE_OUT_OF_MEMORY);
            t = client->transfers; /* `done` may have changed the list */
        } else {
            t = t->next;
        }
    }
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
    (void)multi;
    struct http_client *client = ctx;
    ev_timer_stop(client->loop, &client->timer);
    if (ms >= 0) {
        ev_now_update(client->loop);
        ev_timer_set(&client->timer, (double)ms / 1000.0, 0);
        ev_timer_start(client->loop, &client->timer);
    }
    return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    (void)easy;
    struct http_client *client = ctx;
    struct socket_watch *watch = socket_ctx;
    if (watch)
        ev_io_stop(client->loop, &watch->io);
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        return 0;
    }
    if (!watch) {
        watch = mem_alloc(sizeof *watch);
        watch->client = client;
        curl_multi_assign(client->multi, fd, watch);
    }
    int events = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
    ev_io_init(&watch->io, on_socket_event, fd, events);
    ev_io_start(client->loop, &watch->io);
    return 0;
}

struct http_client *http_client_new(struct ev_loop *loop, int connections_max)
{
    struct http_client *client = mem_alloc(sizeof *client);
    client->loop = loop;
    client->ca_file = getenv("SSL_CERT_FILE");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client->multi = curl_multi_init();
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections_max);
    ev_timer_init(&client->timer, on_timer, 0, 0);
    client->timer.data = client;
    ev_timer_init(&client->kick, on_kick, 0, 0);
    client->kick.data = client;
    client->json_headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (!client->multi || !client->json_headers ||
        !curl_slist_append(client->json_headers, "Expect:"))
        mem_exhausted();
    return client;
}

void http_client_close(struct http_client *client)
{
    client->closed = true;
    while (client->transfers)
        /* the analyzer does not follow `slot`: a finished transfer is off the list */
        finish(client->transfers, CURLE_ABORTED_BY_CALLBACK); // NOLINT(clang-analyzer-unix.Malloc)
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    http_client_close(client);
    curl_multi_cleanup(client->multi);
    ev_timer_stop(client->loop, &client->timer);
    ev_timer_stop(client->loop, &client->kick);
    curl_slist_free_all(client->json_headers);
    curl_global_cleanup();
    free(client);
}

static size_t on_bytes(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    return buf_add(&t->answer, data, size * count) ? size * count : 0;
}

/* libcurl's own sockets would be inherited by the programs that we start. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* What libcurl has no memory for is found out when the transfer is to start. */
#define SET(t, option, value)                                                                      \
    ((t)->is_broken |= curl_easy_setopt((t)->easy, (option), (value)) != CURLE_OK)

static struct transfer *begin(struct http_client *client, const char *url, int timeout_s,
                              http_done_fn *done, void *ctx)
{
    struct transfer *t = mem_alloc(sizeof *t);
    t->client = client;
    t->done = done;
    t->ctx = ctx;
    buf_init(&t->answer, ANSWER_BYTES_MAX);
    t->next = client->transfers;
    t->slot = &client->transfers;
    if (t->next)
        t->next->slot = &t->next;
    client->transfers = t;
    t->easy = curl_easy_init();
    t->is_broken = t->easy == NULL;
    SET(t, CURLOPT_URL, url);
    SET(t, CURLOPT_PRIVATE, (char *)t);
    SET(t, CURLOPT_WRITEFUNCTION, on_bytes);
    SET(t, CURLOPT_WRITEDATA, t);
    SET(t, CURLOPT_TIMEOUT, (long)timeout_s);
    SET(t, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS_MAX);
    SET(t, CURLOPT_NOSIGNAL, 1L);
    SET(t, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(t, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(t, CURLOPT_USERAGENT, "nabat/" NABAT_VERSION);
    SET(t, CURLOPT_TCP_KEEPALIVE, 1L);
    if (client->ca_file)
        SET(t, CURLOPT_CAINFO, client->ca_file);
    return t;
}

static bool refuse_when_closed(const struct http_client *client, http_done_fn *done, void *ctx)
{
    if (client->closed)
        done(ctx, &(struct http_answer){.error = "the service is stopping", .body = ""});
    return client->closed;
}

static void add_line(struct transfer *t, const char *line)
{
    struct curl_slist *list = curl_slist_append(t->list, line);
    t->is_broken = t->is_broken || !list;
    t->list = list ? list : t->list;
}

/* NULL, which the calls on a part bear, when there is no memory for it. */
static curl_mimepart *add_part(struct transfer *t, const char *name, const char *data, size_t len)
{
    curl_mimepart *part = t->mime ? curl_mime_addpart(t->mime) : NULL;
    t->is_broken = t->is_broken || curl_mime_name(part, name) != CURLE_OK ||
                   curl_mime_data(part, data, len) != CURLE_OK;
    return part;
}

/* One that libcurl could not set up ends from the loop, as every other does. */
static void start(struct transfer *t)
{
    struct http_client *client = t->client;
    if (!t->is_broken && curl_multi_add_handle(client->multi, t->easy) == CURLM_OK)
        return;
    t->is_broken = true;
    ev_timer_stop(client->loop, &client->kick);
    ev_timer_set(&client->kick, 0, 0);
    ev_timer_start(client->loop, &client->kick);
}

static size_t on_dropped(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

void http_client_probe(struct http_client *client, const char *url, int timeout_s,
                       http_probe_fn *done, void *ctx)
{
    if (client->closed) {
        done(ctx, &(struct http_probe){.error = "the service is stopping"});
        return;
    }
    struct transfer *t = begin(client, url, timeout_s, NULL, ctx);
    t->probed = done;
    SET(t, CURLOPT_WRITEFUNCTION, on_dropped);
    SET(t, CURLOPT_FRESH_CONNECT, 1L);
    SET(t, CURLOPT_FORBID_REUSE, 1L);
    SET(t, CURLOPT_CERTINFO, 1L);
    start(t);
}

void http_client_post_json(struct http_client *client, const char *url, const char *json,
                           enum http_repeat repeat, int timeout_s, http_done_fn *done, void *ctx)
{
    if (refuse_when_closed(client, done, ctx))
        return;
    struct transfer *t = begin(client, url, timeout_s, done, ctx);
    t->request = mem_str_dup(json);
    SET(t, CURLOPT_FRESH_CONNECT, repeat == HTTP_ONCE ? 1L : 0L);
    SET(t, CURLOPT_HTTPHEADER, client->json_headers);
    SET(t, CURLOPT_POSTFIELDSIZE, (long)strlen(t->request));
    SET(t, CURLOPT_POSTFIELDS, t->request);
    start(t);
}

void http_client_send(struct http_client *client, const char *method, const char *url,
                      const char *const *headers, size_t headers_count, const char *body,
                      int timeout_s, http_done_fn *done, void *ctx)
{
    if (refuse_when_closed(client, done, ctx))
        return;
    struct transfer *t = begin(client, url, timeout_s, done, ctx);
    t->request = mem_str_dup(body);
    add_line(t, "Expect:");
    for (size_t i = 0; i < headers_count; i++)
        add_line(t, headers[i]);
    SET(t, CURLOPT_FRESH_CONNECT, 1L);
    SET(t, CURLOPT_HTTPHEADER, t->list);
    SET(t, CURLOPT_POSTFIELDSIZE, (long)strlen(t->request));
    SET(t, CURLOPT_POSTFIELDS, t->request);
    SET(t, CURLOPT_CUSTOMREQUEST, method);
    start(t);
}

void http_client_post(struct http_client *client, const char *url, const char *const *headers,
                      size_t headers_count, const char *body, int timeout_s, http_done_fn *done,
                      void *ctx)
{
    http_client_send(client, "POST", url, headers, headers_count, body, timeout_s, done, ctx);
}

static size_t on_wanted(char *out, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t left = t->request_len - t->request_read;
    size_t n = size * count < left ? size * count : left;
    memcpy(out, t->request + t->request_read, n);
    t->request_read += n;
    return n;
}

void http_client_mail(struct http_client *client, const char *url, const char *sender,
                      const char *const *recipients, size_t recipients_count, const char *message,
                      size_t len, int timeout_s, http_done_fn *done, void *ctx)
{
    if (refuse_when_closed(client, done, ctx))
        return;
    struct transfer *t = begin(client, url, timeout_s, done, ctx);
    bool has_password = strchr(url, '@') != NULL;
    t->request = mem_str_dup_n(message, len);
    t->request_len = len;
    for (size_t i = 0; i < recipients_count; i++)
        add_line(t, recipients[i]);
    SET(t, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(t, CURLOPT_USE_SSL, (long)(has_password ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    SET(t, CURLOPT_FRESH_CONNECT, 1L);
    SET(t, CURLOPT_MAIL_FROM, sender);
    SET(t, CURLOPT_MAIL_RCPT, t->list);
    SET(t, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* the others get it */
    SET(t, CURLOPT_UPLOAD, 1L);
    SET(t, CURLOPT_READFUNCTION, on_wanted);
    SET(t, CURLOPT_READDATA, t);
    SET(t, CURLOPT_INFILESIZE_LARGE, (curl_off_t)len);
    start(t);
}

void http_client_post_file(struct http_client *client, const char *url,
                           const struct http_field *fields, size_t fields_count,
                           const struct http_file *file, int timeout_s, http_done_fn *done,
                           void *ctx)
{
    if (refuse_when_closed(client, done, ctx))
        return;
    struct transfer *t = begin(client, url, timeout_s, done, ctx);
    t->mime = t->easy ? curl_mime_init(t->easy) : NULL;
    for (size_t i = 0; i < fields_count; i++)
        add_part(t, fields[i].name, fields[i].value, CURL_ZERO_TERMINATED);
    curl_mimepart *part = add_part(t, file->field, file->data, file->len);
    t->is_broken = t->is_broken || curl_mime_filename(part, file->file_name) != CURLE_OK ||
                   curl_mime_type(part, file->content_type) != CURLE_OK;
    SET(t, CURLOPT_FRESH_CONNECT, 1L);
    SET(t, CURLOPT_MIMEPOST, t->mime);
    start(t);
}
