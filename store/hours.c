/* hours.c -- see hours.h. While more waits than one statement takes, the next one follows at once: each is short, since
 * people's commands share the connection. */
#include "store/hours.h"

#include "core/log.h"
#include "core/mem.h"

#include <stdlib.h>

static const double FOLD_SECONDS = 2.0;
/* Up to 80 ms of the server's time: 8000 kinds, or 2000 users (sql/017_statistics.sql). */
enum { FOLD_CELLS_MAX = 8000 };

struct hours {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    bool busy;
    bool failing;
    ev_timer timer;
};

static const char FOLD_SQL[] = "SELECT nabat_fold($1::int)"; /* how many cells */

static void fold(struct hours *h);

static void on_folded(void *ctx, const struct pg_reply *reply)
{
    struct hours *h = ctx;
    h->busy = false;
    if (reply->err && !pg_is_up(h->pg))
        return; /* its loss is told elsewhere */
    if (reply->err && !h->failing)
        log_warn("the hours' counts are behind: nothing is lost, they are added up later",
                 LOG_S("error", reply->err->text), LOG_END);
    else if (!reply->err && h->failing)
        log_info("the hours' counts are added up again", LOG_END);
    h->failing = reply->err != NULL;
    if (!reply->err && pg_get_i64(reply->results[0], 0, 0) >= FOLD_CELLS_MAX)
        fold(h);
}

static void fold(struct hours *h)
{
    if (h->busy || !store_lease_is_held(h->lease) || !pg_is_up(h->pg))
        return;
    struct pg_batch *batch = pg_batch_new();
    h->busy = true;
    pg_add(batch, FOLD_SQL);
    pg_i64(batch, FOLD_CELLS_MAX);
    pg_run(h->pg, batch, on_folded, h);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    fold(timer->data);
}

struct hours *store_hours_new(struct ev_loop *loop, struct pg *pg, struct lease *lease)
{
    struct hours *h = mem_alloc(sizeof *h);
    *h = (struct hours){.loop = loop, .pg = pg, .lease = lease};
    ev_timer_init(&h->timer, on_timer, FOLD_SECONDS, FOLD_SECONDS);
    h->timer.data = h;
    ev_timer_start(loop, &h->timer);
    return h;
}

void store_hours_free(struct hours *h)
{
    if (!h)
        return;
    ev_timer_stop(h->loop, &h->timer);
    free(h);
}
