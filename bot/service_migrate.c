/* service_migrate.c -- the schema brought up to date before anything else asks the database, and again when
 * it turns out to be older than we left it (a backup was restored under us).
 *
 *     helper thread: migrate --ok--> wiring --refused--> failed
 *                      ^_______away: again in a second_____|                                      */
#include "bot/service_internal.h"

#include "core/helper.h"
#include "core/mem.h"
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double AGAIN_SECONDS = 1.0;
static const double LATER_SECONDS = 10.0; /* where it may take a person to mend it */

/* A migration under way on the helper thread; outlives a service that is freed first. */
struct migrating {
    struct service *service;
    char *url;
    char *schema;
    struct err err;
    int applied;
    bool ok;
};

static void migrate_work(void *ctx)
{
    struct migrating *m = ctx;
    m->ok = store_migrate(m->url, m->schema, &m->applied, &m->err);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    service_migrate(timer->data);
}

static void again_in(struct service *s, double seconds)
{
    ev_timer_stop(s->loop, &s->migrate_again);
    ev_timer_init(&s->migrate_again, on_again, seconds, 0);
    s->migrate_again.data = s;
    ev_timer_start(s->loop, &s->migrate_again);
}

static void on_trouble(struct service *s, const struct err *err)
{
    if (strcmp(s->trouble, err->text) != 0)
        log_warn("waiting for the database", LOG_S("error", err->text), LOG_END);
    snprintf(s->trouble, sizeof s->trouble, "%s", err->text);
    if (err->kind == ERR_RETRY)
        again_in(s, AGAIN_SECONDS);
    else if (s->pg_work) /* it has worked before: events wait in the spool */
        again_in(s, LATER_SECONDS);
    else
        s->failed(s->ctx, err);
}

static void migrate_done(void *ctx)
{
    struct migrating *m = ctx;
    struct service *s = m->service;
    if (s)
        s->migrating = NULL;
    if (s && s->stopped) { /* too late to begin anything */
    } else if (s && !m->ok) {
        on_trouble(s, &m->err);
    } else if (s && !s->pg_work) {
        s->trouble[0] = '\0';
        service_on_migrated(s);
    } else if (s) {
        s->trouble[0] = '\0';
        log_info("the database has all migrations again", LOG_I("applied", m->applied), LOG_END);
    }
    free(m->url);
    free(m->schema);
    free(m);
}

void service_migrate(struct service *s)
{
    struct migrating *m = mem_alloc(sizeof *m);
    m->service = s;
    m->url = mem_str_dup(s->settings->database_url);
    m->schema = mem_str_dup(s->settings->database_schema);
    s->migrating = m;
    if (helper_run(s->helper, migrate_work, migrate_done, m))
        return;
    s->migrating = NULL;
    free(m->url);
    free(m->schema);
    free(m);
    again_in(s, AGAIN_SECONDS);
}

void service_migrate_again(void *ctx)
{
    struct service *s = ctx;
    if (!s->migrating && !ev_is_active(&s->migrate_again))
        again_in(s, AGAIN_SECONDS);
}

void service_migrate_stop(struct service *s)
{
    if (s->migrating)
        s->migrating->service = NULL;
    ev_timer_stop(s->loop, &s->migrate_again);
}
