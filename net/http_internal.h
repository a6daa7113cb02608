/* http_internal.h -- what the three files of the HTTP server share; nobody else includes it. */
#ifndef NABAT_NET_HTTP_INTERNAL_H
#define NABAT_NET_HTTP_INTERNAL_H

#include "core/buf.h"
#include "net/http_chunk.h"
#include "net/http_server.h"

#include <netinet/in.h>

/* A connection is in exactly one phase, and in the list of that phase, oldest first: the list
 * serves its deadline and eviction both. Only http_conn_move changes it. */
enum http_phase {
    PHASE_HEAD,    /* idle, or a head is coming in */
    PHASE_BODY,    /* a body is coming in */
    PHASE_HANDLER, /* the handler has it; nothing is read (back-pressure) */
    PHASE_WRITE,   /* an answer waits for the socket */
    PHASE_LINGER,  /* answered with an error; what still comes is read and forgotten */
    PHASE_DEAD,
    PHASES,
};

struct http_conn {
    struct http_server *server;
    struct http_conn *prev;
    struct http_conn *next;
    ev_io reader;
    ev_io writer;
    int fd;
    enum http_phase phase;
    int64_t since_ms;         /* entered the phase */
    struct buf in;            /* bytes not yet understood; empty and unallocated when idle */
    struct buf out;           /* answer bytes that the socket did not take */
    struct http_reply *reply; /* the request at hand, from its head on */
    size_t lingered;
    bool close_after;  /* no further request on this connection */
    bool linger_after; /* the client may still be sending: close gently */
    bool processing;   /* guards against recursion: handler -> reply -> next request */
    bool peer_loopback;
    char peer[INET6_ADDRSTRLEN];
};

struct http_reply {
    struct http_conn *conn; /* NULL once the client is gone */
    struct http_server *server;
    const struct http_route *route;
    struct http_head head;
    char *head_bytes; /* what the head's slices point into */
    struct buf body;
    struct http_chunk chunk;
    size_t reserved; /* of HTTP_BODY_MEMORY */
};

struct http_list {
    struct http_conn *first;
    struct http_conn *last;
};

struct http_server {
    struct ev_loop *loop;
    struct http_config config;
    char *bind;
    int listen_fd;
    int spare_fd; /* given up to accept-and-close when descriptors run out */
    int port;
    ev_io acceptor;
    ev_timer resume_accept;
    ev_timer sweep;
    ev_timer stop_limit;
    struct http_list phases[PHASES];
    size_t conns;
    size_t replies; /* handlers at work, clients gone or not */
    size_t body_memory;
    bool stopping;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
    char date[40];
    int64_t date_s;
};

/* http_conn.c */
void http_conn_new(struct http_server *server, int fd, const struct sockaddr_storage *peer);
void http_conn_move(struct http_conn *conn, enum http_phase phase);
void http_conn_kill(struct http_conn *conn);     /* closes now, detaches its reply; reaped later */
void http_conn_reap(struct http_server *server); /* frees the dead; from the loop only */
void http_conn_time_out(struct http_conn *conn);
void http_conn_answered(struct http_conn *conn); /* its answer is in `out` */
/* http_reply.c */
void http_reply_refuse(struct http_conn *conn, int status, const char *detail,
                       const char *extra_headers);
void http_reply_preflight(struct http_reply *reply);
void http_reply_free(struct http_reply *reply);
void http_memory_release(struct http_reply *reply);
/* http_server.c */
void http_server_check_stopped(struct http_server *server);

#endif
