/* http_conn.c -- the life of one connection.
 *
 *     HEAD --head--> BODY --body--> HANDLER --reply--> WRITE --written--> HEAD (keep-alive)
 *       \______refused______\___________________________/  \--error--> LINGER --> DEAD
 *
 * The hard thing: who dies first. A connection points to its reply and the reply to its connection;
 * whichever goes first clears the other's pointer. A killed connection is PHASE_DEAD and stays in
 * memory until http_conn_reap, which runs from the loop alone: whoever is up the stack may look. */
#include "net/http_internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HTTP_OUT_BYTES_MAX = 16 * MIB };

static char scratch[HTTP_SCRATCH_BYTES]; /* one loop, one read at a time */

static void list_remove(struct http_list *list, struct http_conn *conn)
{
    *(conn->prev ? &conn->prev->next : &list->first) = conn->next;
    *(conn->next ? &conn->next->prev : &list->last) = conn->prev;
    conn->prev = conn->next = NULL;
}

static void list_append(struct http_list *list, struct http_conn *conn)
{
    conn->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = conn;
    list->last = conn;
}

/* The only place where a phase changes; watchers follow from it. */
void http_conn_move(struct http_conn *conn, enum http_phase phase)
{
    struct http_server *server = conn->server;
    list_remove(&server->phases[conn->phase], conn);
    conn->phase = phase;
    conn->since_ms = clock_mono_ms();
    list_append(&server->phases[phase], conn);
    if (phase == PHASE_HEAD || phase == PHASE_BODY || phase == PHASE_LINGER)
        ev_io_start(server->loop, &conn->reader);
    else
        ev_io_stop(server->loop, &conn->reader);
    if (phase == PHASE_WRITE)
        ev_io_start(server->loop, &conn->writer);
    else
        ev_io_stop(server->loop, &conn->writer);
}

void http_conn_kill(struct http_conn *conn)
{
    if (conn->phase == PHASE_DEAD)
        return;
    struct http_server *server = conn->server;
    http_conn_move(conn, PHASE_DEAD);
    if (conn->reply) {
        bool with_handler = conn->reply->conn != NULL;
        conn->reply->conn = NULL;
        if (!with_handler)
            http_reply_free(conn->reply);
        conn->reply = NULL;
    }
    close(conn->fd);
    buf_fini(&conn->in);
    buf_fini(&conn->out);
    server->conns--;
    metric_set(METRIC_HTTP_CONNECTIONS, (int64_t)server->conns);
    http_server_check_stopped(server);
}

void http_conn_reap(struct http_server *server)
{
    while (server->phases[PHASE_DEAD].first) {
        struct http_conn *conn = server->phases[PHASE_DEAD].first;
        /* the analyzer does not follow the list: what list_remove took off is not met again */
        list_remove(&server->phases[PHASE_DEAD], conn); // NOLINT(clang-analyzer-unix.Malloc)
        free(conn);
    }
}

/* Sends what it can; false when the connection is dead. */
static bool flush(struct http_conn *conn)
{
    while (conn->out.len > 0) {
        ssize_t n = send(conn->fd, conn->out.data, conn->out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n < 0) {
            http_conn_kill(conn);
            return false;
        }
        buf_drop(&conn->out, (size_t)n);
    }
    buf_fini(&conn->out);
    return true;
}

/* After a whole answer went out: the next request, a gentle close, or a plain one. */
static void after_answer(struct http_conn *conn)
{
    if (!conn->close_after) {
        http_conn_move(conn, PHASE_HEAD);
        return;
    }
    if (conn->linger_after) {
        shutdown(conn->fd, SHUT_WR);
        http_conn_move(conn, PHASE_LINGER);
        return;
    }
    http_conn_kill(conn);
}

static void process(struct http_conn *conn);

void http_conn_answered(struct http_conn *conn)
{
    if (conn->phase == PHASE_DEAD || !flush(conn))
        return;
    if (conn->out.len > 0)
        http_conn_move(conn, PHASE_WRITE);
    else
        after_answer(conn);
    if (!conn->processing && conn->phase == PHASE_HEAD && conn->in.len > 0)
        process(conn);
}

static const struct http_route *find_route(struct http_server *server, struct slice path,
                                           unsigned method, unsigned *allowed)
{
    struct slice bare = path;
    if (bare.len > 1 && bare.at[bare.len - 1] == '/')
        bare.len--;
    const struct http_route *same_path = NULL;
    *allowed = 0;
    for (size_t i = 0; i < server->config.routes_count; i++) {
        const struct http_route *route = &server->config.routes[i];
        if (route->match ? !route->match(path) : !slice_equal(bare, route->path))
            continue;
        *allowed |= route->methods;
        if ((route->methods & method) || (method == HTTP_OPTIONS && route->any_origin))
            return route;
        same_path = route;
    }
    return same_path;
}

static void allow_header(unsigned methods, char *out, size_t size)
{
    snprintf(out, size, "Allow: %s%s%s\r\n", methods & HTTP_GET ? "GET, HEAD" : "",
             methods & HTTP_GET && methods & HTTP_POST ? ", " : "",
             methods & HTTP_POST ? "POST" : "");
}

/* Route, method, length and memory: everything that can be refused before a body is read. */
static bool admit(struct http_conn *conn, struct http_reply *reply)
{
    struct http_head *head = &reply->head;
    unsigned allowed = 0;
    unsigned method = head->method == HTTP_HEAD ? HTTP_GET : head->method;
    const struct http_route *route = find_route(conn->server, head->path, method, &allowed);
    reply->route = route;
    char detail[200];
    char extra[64];
    if (!route) {
        http_reply_refuse(conn, 404, "no such route; see the README for what there is", NULL);
        return false;
    }
    if (!(route->methods & method) && !(method == HTTP_OPTIONS && route->any_origin)) {
        allow_header(allowed, extra, sizeof extra);
        http_reply_refuse(conn, 405, "this route does not take that method", extra);
        return false;
    }
    if (head->method == HTTP_POST && head->content_length < 0 && !head->chunked &&
        !route->body_optional) {
        http_reply_refuse(conn, 411, "a body needs Content-Length or chunked encoding", NULL);
        return false;
    }
    size_t max = route->body_bytes_max;
    if (head->content_length > 0 && (uint64_t)head->content_length > max) {
        snprintf(detail, sizeof detail, "the body is %lld bytes, over the limit of %zu (%s)",
                 (long long)head->content_length, max,
                 route->body_limit_name ? route->body_limit_name : "no body is taken here");
        http_reply_refuse(conn, 413, detail, NULL);
        return false;
    }
    if ((head->content_length > 0 || head->chunked) &&
        conn->server->body_memory >= conn->server->config.body_memory_max) {
        http_reply_refuse(conn, 503, "too many bytes of requests in hand (HTTP_BODY_MEMORY)",
                          "Retry-After: 1\r\n");
        return false;
    }
    buf_init(&reply->body, max);
    return true;
}

static void run_handler(struct http_conn *conn)
{
    struct http_reply *reply = conn->reply;
    http_conn_move(conn, PHASE_HANDLER);
    reply->conn = conn;
    conn->server->replies++;
    if (reply->head.method == HTTP_OPTIONS) {
        http_reply_preflight(reply);
        return;
    }
    struct http_request request = {
        .head = &reply->head,
        .body = buf_text(&reply->body),
        .body_len = reply->body.len,
        .peer = conn->peer,
        .from_loopback = conn->peer_loopback && !http_head_find(&reply->head, "x-forwarded-for").at,
    };
    reply->route->handler(reply->route->ctx, &request, reply);
}

/* A head is complete: keep its bytes, since slices point into them, and decide on the body. */
static void on_head(struct http_conn *conn, const struct http_head *head)
{
    struct http_reply *reply = mem_alloc(sizeof *reply);
    reply->server = conn->server;
    reply->head_bytes = mem_str_dup_n(conn->in.data, head->bytes);
    http_head_parse(reply->head_bytes, head->bytes, &reply->head);
    buf_drop(&conn->in, head->bytes);
    conn->reply = reply;
    conn->close_after = !head->keep_alive || conn->server->stopping;
    if (!admit(conn, reply))
        return;
    bool has_body = head->chunked || head->content_length > 0;
    if (!has_body) {
        run_handler(conn);
        return;
    }
    http_conn_move(conn, PHASE_BODY);
    if (head->expect_continue && conn->in.len == 0) {
        static const char CONTINUE[] = "HTTP/1.1 100 Continue\r\n\r\n";
        /* An empty socket buffer takes 25 bytes; if it does not, the client waits no longer than
         * its own patience (RFC 9110 section 10.1.1). */
        ssize_t n = send(conn->fd, CONTINUE, sizeof CONTINUE - 1, MSG_NOSIGNAL);
        (void)n;
    }
}

static void refuse_chunked(struct http_conn *conn, enum http_chunk_state state)
{
    char detail[160];
    if (state == CHUNK_BAD) {
        http_reply_refuse(conn, 400, "the chunked body is malformed", NULL);
        return;
    }
    const struct http_route *route = conn->reply->route;
    snprintf(detail, sizeof detail, "the body is over the limit of %zu bytes (%s)",
             route->body_bytes_max,
             route->body_limit_name ? route->body_limit_name : "no body is taken here");
    http_reply_refuse(conn, 413, detail, NULL);
}

/* Takes body bytes; returns how many. The phase tells what happened. */
static size_t on_body(struct http_conn *conn, const char *bytes, size_t len)
{
    struct http_reply *reply = conn->reply;
    if (!reply->head.chunked) {
        size_t left = (size_t)reply->head.content_length - reply->body.len;
        size_t n = len < left ? len : left;
        /* counted as they come: a promise of bytes holds nobody else up */
        if (!http_reply_reserve(reply, n)) {
            http_reply_refuse(conn, 503, "too many bytes of requests in hand (HTTP_BODY_MEMORY)",
                              "Retry-After: 1\r\n");
            return n;
        }
        buf_add(&reply->body, bytes, n);
        if (n == left)
            run_handler(conn);
        return n;
    }
    size_t before = reply->body.len;
    size_t used = http_chunk_feed(&reply->chunk, bytes, len, &reply->body);
    enum http_chunk_state state = reply->chunk.state;
    if (!http_reply_reserve(reply, reply->body.len - before))
        http_reply_refuse(conn, 503, "too many bytes of requests in hand (HTTP_BODY_MEMORY)",
                          "Retry-After: 1\r\n");
    else if (state == CHUNK_BAD || state == CHUNK_FULL)
        refuse_chunked(conn, state);
    else if (state == CHUNK_DONE)
        run_handler(conn);
    return used;
}

/* Understands what is in `in` until it runs dry, the handler is slow or the connection ends. */
static void process(struct http_conn *conn)
{
    conn->processing = true;
    bool more = true;
    while (more && conn->in.len > 0) {
        more = false;
        if (conn->phase == PHASE_HEAD) {
            struct http_head head;
            enum http_head_result result = http_head_parse(conn->in.data, conn->in.len, &head);
            if (result == HTTP_HEAD_BAD)
                http_reply_refuse(conn, head.status, head.reason, NULL);
            else if (result == HTTP_HEAD_DONE)
                on_head(conn, &head);
            more = result == HTTP_HEAD_DONE;
        } else if (conn->phase == PHASE_BODY) {
            size_t used = on_body(conn, conn->in.data, conn->in.len);
            if (conn->phase != PHASE_DEAD)
                buf_drop(&conn->in, used);
            more = conn->phase == PHASE_HEAD;
        }
    }
    conn->processing = false;
    if (conn->in.len == 0)
        buf_fini(&conn->in);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    struct http_conn *conn = w->data;
    ssize_t n = recv(conn->fd, scratch, sizeof scratch, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        http_conn_kill(conn);
        return;
    }
    if (conn->phase == PHASE_LINGER) {
        conn->lingered += (size_t)n;
        if (conn->lingered > HTTP_LINGER_BYTES_MAX)
            http_conn_kill(conn);
        return;
    }
    size_t used = 0;
    if (conn->phase == PHASE_BODY && conn->in.len == 0) {
        /* the usual case of a large body: no detour through `in` */
        conn->processing = true;
        used = on_body(conn, scratch, (size_t)n);
        conn->processing = false;
        if (conn->phase == PHASE_DEAD || conn->phase == PHASE_LINGER ||
            (conn->phase == PHASE_WRITE && conn->linger_after))
            return;
    }
    if (conn->phase == PHASE_HEAD && conn->in.len == 0)
        http_conn_move(conn, PHASE_HEAD); /* the head's ten seconds count from its first byte */
    if (used < (size_t)n)
        buf_add(&conn->in, scratch + used, (size_t)n - used);
    process(conn);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    struct http_conn *conn = w->data;
    if (!flush(conn) || conn->out.len > 0)
        return;
    after_answer(conn);
    if (conn->phase == PHASE_HEAD && conn->in.len > 0)
        process(conn);
}

static bool is_loopback(const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const void *)peer;
        return ntohl(in4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *in6 = (const void *)peer;
    return peer->ss_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
            (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127));
}

/* 203.0.113.7, 2001:db8::1; an IPv4 address that came through an IPv6 socket as such. */
static void write_address(const struct sockaddr_storage *peer, char *out, socklen_t size)
{
    static const char MAPPED[] = "::ffff:";
    const struct sockaddr_in *in4 = (const void *)peer;
    const struct sockaddr_in6 *in6 = (const void *)peer;
    const void *address =
        peer->ss_family == AF_INET ? (const void *)&in4->sin_addr : (const void *)&in6->sin6_addr;
    out[0] = '\0';
    inet_ntop(peer->ss_family, address, out, size);
    if (strncmp(out, MAPPED, sizeof MAPPED - 1) == 0 && strchr(out, '.'))
        memmove(out, out + sizeof MAPPED - 1, strlen(out) - (sizeof MAPPED - 1) + 1);
}

void http_conn_new(struct http_server *server, int fd, const struct sockaddr_storage *peer)
{
    struct http_conn *conn = mem_alloc(sizeof *conn);
    conn->server = server;
    conn->fd = fd;
    conn->phase = PHASE_HEAD;
    conn->since_ms = clock_mono_ms();
    conn->peer_loopback = is_loopback(peer);
    write_address(peer, conn->peer, sizeof conn->peer);
    buf_init(&conn->in, HTTP_HEAD_BYTES_MAX + 2 * HTTP_SCRATCH_BYTES);
    buf_init(&conn->out, HTTP_OUT_BYTES_MAX);
    ev_io_init(&conn->reader, on_readable, fd, EV_READ);
    ev_io_init(&conn->writer, on_writable, fd, EV_WRITE);
    conn->reader.data = conn->writer.data = conn;
    list_append(&server->phases[PHASE_HEAD], conn);
    server->conns++;
    metric_set(METRIC_HTTP_CONNECTIONS, (int64_t)server->conns);
    ev_io_start(server->loop, &conn->reader);
}

void http_conn_time_out(struct http_conn *conn)
{
    if (conn->phase == PHASE_HEAD && conn->in.len > 0)
        http_reply_refuse(conn, 408, "the request head took longer than 10 s", NULL);
    else if (conn->phase == PHASE_BODY)
        http_reply_refuse(conn, 408, "the request body took longer than 60 s", NULL);
    else
        http_conn_kill(conn);
}
