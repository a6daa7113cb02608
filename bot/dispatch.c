/* dispatch.c -- updates from the table to talks.
 *
 *     tick or poke --take--> WAITING --chat is free--> RUNNING --done--> MARKING --committed--> gone
 *                                                                  ^--not yet: on each tick--'
 *
 * The hard thing: an update is carried out once. It stays in hand until the database knows that it was
 * handled, and what a lost answer left marked as ours without being in hand is let go and taken again.
 * With the lease goes the right to begin another one.
 *
 * The table is the queue: whoever stored an update (this instance's poll, another's webhook) needs to
 * know nothing of who handles it, and what a crash leaves is taken by the next holder. A chat whose
 * talk waits for something delays nobody else's. */
#include "bot/dispatch.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    struct dispatch *dispatch;
    int64_t update_id;
    int64_t chat_id;
    struct update update; /* until its talk takes it */
    enum item_state { ITEM_WAITING, ITEM_RUNNING, ITEM_HANDLED, ITEM_MARKING } state;
};

struct dispatch {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    struct bot *bot;
    const struct intake *intake;
    int64_t bot_id;
    struct item *items[UPDATES_IN_HAND_MAX]; /* in the order they came */
    size_t count;
    size_t running;
    int64_t epoch;      /* of what is in hand */
    char taken_by[160]; /* the same, as the table says it */
    bool must_release;  /* a take's answer was lost: it may have happened */
    bool taking;
    bool again;
    bool stopped;
    bool abandoned;
    ev_timer tick;
};

static const double TICK_SECONDS = 0.5;

static void run(struct dispatch *d);

static void remove_item(struct dispatch *d, struct item *item)
{
    size_t at = 0;
    while (d->items[at] != item)
        at++;
    memmove(d->items + at, d->items + at + 1, (d->count - at - 1) * sizeof *d->items);
    d->count--;
    update_fini(&item->update);
    free(item);
}

static void on_marked(void *ctx, const struct err *err)
{
    struct item *item = ctx;
    if (err)
        item->state = ITEM_HANDLED; /* the tick tries again */
    else
        remove_item(item->dispatch, item);
}

static void mark(struct dispatch *d, struct item *item)
{
    item->state = ITEM_MARKING;
    store_update_handled(d->pg, d->bot_id, item->update_id, on_marked, item);
}

static void on_handled(void *ctx)
{
    struct item *item = ctx;
    struct dispatch *d = item->dispatch;
    item->state = ITEM_HANDLED;
    d->running--;
    if (!d->abandoned)
        mark(d, item);
    run(d);
}

static bool chat_is_busy(const struct dispatch *d, const struct item *item)
{
    for (size_t i = 0; i < d->count && d->items[i] != item; i++)
        if (d->items[i]->chat_id == item->chat_id && d->items[i]->state <= ITEM_RUNNING)
            return true; /* running, or waiting before this one */
    return false;
}

static struct item *next_item(const struct dispatch *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i]->state == ITEM_WAITING && !chat_is_busy(d, d->items[i]))
            return d->items[i];
    return NULL;
}

/* A talk begins when its own connection is there too, which after an outage may come back later than ours: who may
 * not be asked for would be a stranger, and his command is done with. */
static bool may_begin(const struct dispatch *d)
{
    return !d->stopped && store_lease_is_held(d->lease) &&
           store_lease_epoch(d->lease) == d->epoch && pg_is_up(d->bot->pg);
}

/* A talk may end at once and come back here: the loop takes the next item anew each time. */
static void run(struct dispatch *d)
{
    struct item *item = NULL;
    while (may_begin(d) && d->running < TALKS_MAX && (item = next_item(d)) != NULL) {
        item->state = ITEM_RUNNING;
        d->running++;
        if (intake_was_told(d->intake, item->update_id))
            on_handled(item);
        else
            talk_start(d->bot, &item->update, on_handled, item);
    }
}

static void add(struct dispatch *d, const struct update_row *row)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i]->update_id == row->update_id)
            return; /* begun under the lease before this one, and still under way */
    struct item *item = mem_alloc(sizeof *item);
    *item = (struct item){.dispatch = d, .update_id = row->update_id};
    d->items[d->count++] = item;
    if (!row->body || !update_decode(row->body, &item->update))
        mark(d, item);
    item->chat_id = item->update.chat_id;
}

static void take(struct dispatch *d);

static void on_taken(void *ctx, const struct update_row *rows, size_t count, const struct err *err)
{
    struct dispatch *d = ctx;
    d->taking = false;
    if (err)
        log_debug("updates not taken", LOG_S("error", err->text), LOG_END);
    d->must_release = d->must_release || err;
    for (size_t i = 0; i < count && d->count < UPDATES_IN_HAND_MAX; i++)
        add(d, &rows[i]);
    run(d);
    if (d->again && !err)
        take(d);
}

/* What waits in hand of an older epoch is the new holder's; ours again, it is taken again. */
static void drop_waiting(struct dispatch *d)
{
    for (size_t i = d->count; i-- > 0;)
        if (d->items[i]->state == ITEM_WAITING)
            remove_item(d, d->items[i]);
}

static void on_released(void *ctx, const struct err *err)
{
    struct dispatch *d = ctx;
    d->taking = false;
    d->must_release = err != NULL;
    if (!err)
        take(d);
}

static void release(struct dispatch *d)
{
    int64_t ids[UPDATES_IN_HAND_MAX];
    for (size_t i = 0; i < d->count; i++)
        ids[i] = d->items[i]->update_id;
    store_updates_release(d->pg, d->bot_id, d->taken_by, ids, d->count, on_released, d);
}

static void take(struct dispatch *d)
{
    if (d->taking || d->stopped) {
        d->again = true;
        return;
    }
    d->again = false;
    if (!store_lease_is_held(d->lease) || !pg_is_up(d->pg))
        return;
    if (d->epoch != store_lease_epoch(d->lease)) {
        d->epoch = store_lease_epoch(d->lease);
        snprintf(d->taken_by, sizeof d->taken_by, "%s/%lld", store_lease_holder(d->lease),
                 (long long)d->epoch);
        d->must_release = false;
        drop_waiting(d);
    }
    if (d->count > UPDATES_IN_HAND_MAX / 2)
        return;
    d->taking = true;
    if (d->must_release)
        release(d);
    else
        store_updates_take(d->pg, d->bot_id, d->taken_by, UPDATES_IN_HAND_MAX / 2, on_taken, d);
}

void dispatch_poke(struct dispatch *d)
{
    take(d);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct dispatch *d = timer->data;
    for (size_t i = 0; i < d->count && pg_is_up(d->pg); i++)
        if (d->items[i]->state == ITEM_HANDLED)
            mark(d, d->items[i]);
    run(d);
    take(d);
}

struct dispatch *dispatch_new(struct ev_loop *loop, struct pg *pg, struct lease *lease,
                              struct bot *bot, const struct intake *intake, int64_t bot_id)
{
    struct dispatch *d = mem_alloc(sizeof *d);
    d->loop = loop;
    d->pg = pg;
    d->lease = lease;
    d->bot = bot;
    d->intake = intake;
    d->bot_id = bot_id;
    ev_timer_init(&d->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    d->tick.data = d;
    ev_timer_start(loop, &d->tick);
    return d;
}

void dispatch_stop(struct dispatch *d)
{
    d->stopped = true;
}

void dispatch_abandon(struct dispatch *d)
{
    if (!d)
        return;
    dispatch_stop(d);
    ev_timer_stop(d->loop, &d->tick);
    d->abandoned = true;
}

/* Talks under way have ended before this. */
void dispatch_free(struct dispatch *d)
{
    if (!d)
        return;
    ev_timer_stop(d->loop, &d->tick);
    while (d->count > 0)
        remove_item(d, d->items[0]);
    free(d);
}
