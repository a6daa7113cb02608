/* http_server.c -- the listener: accepting, making room, deadlines, a graceful end.
 *
 * The hard thing: running out. At HTTP_MAX_CONNECTIONS, or out of descriptors, the connection that
 * has been idle or incomplete for longest makes room, and only once a new one is really in hand. */
#include "net/http_internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const double SWEEP_SECONDS = 0.25;
static const double ACCEPT_PAUSE_SECONDS = 0.05;

/* Milliseconds a connection may stay in a phase; 0: as long as it takes (the writer has bounds). */
static const int64_t PHASE_MS_MAX[PHASES] = {
    [PHASE_HEAD] = HTTP_HEAD_SECONDS_MAX * 1000,
    [PHASE_BODY] = HTTP_BODY_SECONDS_MAX * 1000,
    [PHASE_WRITE] = HTTP_WRITE_SECONDS_MAX * 1000,
    [PHASE_LINGER] = HTTP_LINGER_SECONDS_MAX * 1000,
};

static bool evict(struct http_server *server)
{
    static const enum http_phase EVICTABLE[] = {PHASE_LINGER, PHASE_HEAD, PHASE_BODY};
    struct http_conn *oldest = NULL;
    for (size_t i = 0; i < sizeof EVICTABLE / sizeof *EVICTABLE; i++) {
        struct http_conn *c = server->phases[EVICTABLE[i]].first;
        if (c && (!oldest || c->since_ms < oldest->since_ms))
            oldest = c;
    }
    if (!oldest)
        return false;
    metric_add(METRIC_HTTP_EVICTED, 1);
    http_conn_kill(oldest);
    return true;
}

static void pause_accept(struct http_server *server)
{
    ev_io_stop(server->loop, &server->acceptor);
    ev_timer_set(&server->resume_accept, ACCEPT_PAUSE_SECONDS, 0);
    ev_timer_start(server->loop, &server->resume_accept);
}

static void on_resume_accept(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)events;
    struct http_server *server = w->data;
    if (!server->stopping)
        ev_io_start(loop, &server->acceptor);
}

/* Out of descriptors: make room, or at least tell the newcomer by closing it. */
static bool on_accept_error(struct http_server *server)
{
    if (errno == EINTR || errno == ECONNABORTED)
        return true;
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return false;
    if (evict(server))
        return true;
    log_warn("out of file descriptors for connections", LOG_S("error", strerror(errno)), LOG_END);
    if (server->spare_fd >= 0) {
        close(server->spare_fd);
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    pause_accept(server);
    return false;
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    struct http_server *server = w->data;
    http_conn_reap(server);
    for (int i = 0; i < HTTP_ACCEPT_BURST; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t peer_len = sizeof peer;
        bool full = server->conns >= server->config.connections_max;
        if (full && !server->phases[PHASE_HEAD].first && !server->phases[PHASE_BODY].first &&
            !server->phases[PHASE_LINGER].first) {
            pause_accept(server); /* all are being served: the newcomer waits in the backlog */
            return;
        }
        int fd = accept4(server->listen_fd, (struct sockaddr *)&peer, &peer_len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (!on_accept_error(server))
                return;
            continue;
        }
        if (full)
            evict(server);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        http_conn_new(server, fd, &peer);
    }
}

static void on_sweep(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct http_server *server = w->data;
    int64_t now = clock_mono_ms();
    http_conn_reap(server);
    for (int phase = 0; phase < PHASES; phase++) {
        if (PHASE_MS_MAX[phase] == 0)
            continue;
        /* A timed-out connection leaves this list or dies, so the loop ends. */
        struct http_conn *c = server->phases[phase].first;
        while (c && now - c->since_ms >= PHASE_MS_MAX[phase]) {
            http_conn_time_out(c);
            c = server->phases[phase].first;
        }
    }
}

static int listen_on(const char *bind_address, int port, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    int rc = getaddrinfo(bind_address, service, &hints, &list);
    if (rc != 0) {
        err_set(err, ERR_INPUT,
                "BIND is \"%s\" (%s): it takes an address such as 127.0.0.1 or ::", bind_address,
                gai_strerror(rc));
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        int on = 1;
        int off = 0;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (a->ai_family == AF_INET6)
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 1024) != 0) {
            int saved = errno;
            close(fd);
            fd = -1;
            errno = saved;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        err_set(err, ERR_GONE, "can't listen on %s port %d: %s", bind_address, port,
                strerror(errno));
    return fd;
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } addr = {0};
    socklen_t len = sizeof addr;
    getsockname(fd, &addr.any, &len);
    return ntohs(addr.any.sa_family == AF_INET6 ? addr.in6.sin6_port : addr.in4.sin_port);
}

struct http_server *http_server_new(struct ev_loop *loop, const struct http_config *config,
                                    struct err *err)
{
    int fd = listen_on(config->bind, config->port, err);
    if (fd < 0 && strcmp(config->bind, "::") == 0 && config->port > 0)
        fd = listen_on("0.0.0.0", config->port, err); /* a host without IPv6 */
    if (fd < 0)
        return NULL;
    struct http_server *server = mem_alloc(sizeof *server);
    server->loop = loop;
    server->config = *config;
    server->listen_fd = fd;
    server->port = bound_port(fd);
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ev_io_init(&server->acceptor, on_acceptable, fd, EV_READ);
    ev_timer_init(&server->resume_accept, on_resume_accept, 0, 0);
    ev_timer_init(&server->sweep, on_sweep, SWEEP_SECONDS, SWEEP_SECONDS);
    server->acceptor.data = server->resume_accept.data = server->sweep.data = server;
    ev_io_start(loop, &server->acceptor);
    ev_timer_start(loop, &server->sweep);
    return server;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

static void close_listener(struct http_server *server)
{
    ev_io_stop(server->loop, &server->acceptor);
    ev_timer_stop(server->loop, &server->resume_accept);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    server->listen_fd = -1;
}

void http_server_check_stopped(struct http_server *server)
{
    if (!server->stopping || server->conns > 0 || server->replies > 0 || !server->stopped)
        return;
    ev_timer_stop(server->loop, &server->stop_limit);
    void (*stopped)(void *) = server->stopped;
    server->stopped = NULL;
    stopped(server->stopped_ctx);
}

static void cut_all(struct http_server *server)
{
    for (int phase = 0; phase < PHASE_DEAD; phase++)
        while (server->phases[phase].first)
            http_conn_kill(server->phases[phase].first);
}

static void on_stop_limit(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    struct http_server *server = w->data;
    log_warn("connections cut at the end", LOG_I("count", server->conns), LOG_END);
    server->replies = 0;
    cut_all(server);
    http_server_check_stopped(server);
}

void http_server_stop(struct http_server *server, void (*stopped)(void *ctx), void *ctx)
{
    close_listener(server);
    server->stopping = true;
    server->stopped = stopped;
    server->stopped_ctx = ctx;
    struct http_conn *next = NULL;
    for (struct http_conn *c = server->phases[PHASE_HEAD].first; c; c = next) {
        next = c->next;
        if (c->in.len == 0)
            http_conn_kill(c);
    }
    ev_timer_init(&server->stop_limit, on_stop_limit, HTTP_STOP_SECONDS_MAX, 0);
    server->stop_limit.data = server;
    ev_timer_start(server->loop, &server->stop_limit);
    http_server_check_stopped(server);
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    server->stopped = NULL;
    cut_all(server);
    http_conn_reap(server);
    close_listener(server);
    ev_timer_stop(server->loop, &server->sweep);
    ev_timer_stop(server->loop, &server->stop_limit);
    if (server->spare_fd >= 0)
        close(server->spare_fd);
    free(server);
}
