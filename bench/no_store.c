/* no_store.c -- the service without its database: HTTP, reading, scrubbing, the grouping key, and 200 at once.
 *
 *     no_store PORT [echo]     with `echo` the body is not even read: what HTTP alone costs
 *
 * For the part of a request's cost that no database can be blamed for. */
#include "core/clock.h"
#include "core/limits.h"
#include "ingest/native.h"
#include "net/http_server.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scrub *scrub;

static void read_event(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    (void)ctx;
    struct err err = {0};
    struct native_batch batch;
    struct buf json;
    struct native_config config = {scrub, 1, clock_wall_ms()};
    struct arena *arena = arena_new(64 * MIB);
    buf_init(&json, MIB);
    if (native_read(request->body, request->body_len, &config, arena, &batch, &err)) {
        native_answer(&batch, &json);
        http_reply_send(reply, 200, "application/json", NULL, json.data, json.len);
    } else {
        http_reply_error(reply, 400, err.text);
    }
    buf_fini(&json);
    arena_free(arena);
}

static void echo(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    (void)ctx;
    (void)request;
    http_reply_json(reply, 200, NULL, "{\"ids\":[\"0123456789abcdef0123456789abcdef\"]}\n");
}

int main(int argc, char **argv)
{
    struct err err = {0};
    bool is_echo = argc > 2 && strcmp(argv[2], "echo") == 0;
    int port = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    struct http_route route = {.methods = HTTP_POST,
                               .path = "/api/events",
                               .body_bytes_max = INGEST_REQUEST_BYTES_MAX,
                               .body_limit_name = "request",
                               .handler = is_echo ? echo : read_event};
    struct http_config config = {.bind = "127.0.0.1",
                                 .port = port,
                                 .connections_max = 4096,
                                 .body_memory_max = 64 * MIB,
                                 .routes = &route,
                                 .routes_count = 1};
    scrub = scrub_new(NULL, NULL, &err);
    struct http_server *server = scrub ? http_server_new(loop, &config, &err) : NULL;
    if (!server) {
        fprintf(stderr, "no_store: %s\n", err.text);
        return 1;
    }
    printf("%d\n", http_server_port(server));
    fflush(stdout);
    ev_run(loop, 0);
    return 0;
}
