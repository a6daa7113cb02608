/* service.h -- the parts of one instance, wired together; main.c starts and stops it. */
#ifndef NABAT_BOT_SERVICE_H
#define NABAT_BOT_SERVICE_H

#include "core/settings.h"

#include <ev.h>

struct service;

struct service_options {
    bool listen; /* HTTP, updates and the terminal; a self-test only records and delivers */
};

/* NULL and `err` when it can't start (address in use). `settings` is BORROWED. The database is
 * reached, and migrated, once the loop runs; `failed` runs when it refuses for good. */
struct service *service_new(struct ev_loop *loop, const struct settings *settings,
                            const struct service_options *options,
                            void (*failed)(void *ctx, const struct err *err), void *ctx,
                            struct err *err);
/* Stops accepting, answers what was accepted, waits for sends; then `stopped` runs once. */
void service_stop(struct service *service, void (*stopped)(void *ctx), void *ctx);
void service_free(struct service *service);
int service_port(const struct service *service);

/* For the self-test. */
struct writer *service_writer(struct service *service); /* NULL until the database is there */
struct pg *service_pg(struct service *service);
struct projects *service_projects(struct service *service);

#endif
