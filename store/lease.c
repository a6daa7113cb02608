/* lease.c -- winning, renewing and losing the lease.
 *
 * The hard thing: a dead holder. The holder's name says machine, process and when that process
 * started, so that a successor on the same machine sees that it is gone, even when the number of
 * the process is in use again. */
#include "store/lease.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lease {
    struct ev_loop *loop;
    struct pg *pg;
    char holder[160]; /* boot/pid namespace/pid/start/random */
    char place[100];  /* boot/pid namespace/ */
    int64_t epoch;
    int64_t valid_until_ms; /* monotonic */
    int64_t asked_ms;
    bool held;
    bool asking;
    bool released;
    ev_timer timer;
    void (*changed)(void *ctx, bool held);
    void *ctx;
};

static const char ASK_SQL[] =
    "UPDATE service_lease SET holder = $1, epoch = epoch + (holder <> $1)::int, "
    "until = clock_timestamp() + make_interval(secs => $2) "
    "WHERE name = 'alerts' AND (holder = $1 OR until < clock_timestamp() OR holder = $3) "
    "RETURNING epoch";
static const char LOOK_SQL[] = "SELECT holder FROM service_lease WHERE name = 'alerts'";
static const char RELEASE_SQL[] =
    "UPDATE service_lease SET until = '-infinity' WHERE name = 'alerts' AND holder = $1";

static unsigned long long start_time_of(long pid)
{
    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    size_t n = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[n] = '\0';
    char *at = strrchr(line, ')'); /* the name may hold anything */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

static void name_self(struct lease *l)
{
    char boot[64] = "?";
    struct stat ns = {0};
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (file) {
        if (fgets(boot, sizeof boot, file))
            boot[strcspn(boot, "\n")] = '\0';
        fclose(file);
    }
    stat("/proc/self/ns/pid", &ns);
    unsigned char random[4];
    random_bytes(random, sizeof random);
    snprintf(l->place, sizeof l->place, "%s/%llu/", boot, (unsigned long long)ns.st_ino);
    snprintf(l->holder, sizeof l->holder, "%s%ld/%llu/%02x%02x%02x%02x", l->place, (long)getpid(),
             start_time_of((long)getpid()), random[0], random[1], random[2], random[3]);
}

static bool is_dead(const struct lease *l, const char *holder)
{
    size_t len = strlen(l->place);
    if (strncmp(holder, l->place, len) != 0)
        return false;
    char *end = NULL;
    long pid = strtol(holder + len, &end, 10);
    if (pid <= 0 || *end != '/')
        return false;
    unsigned long long started = strtoull(end + 1, NULL, 10);
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    unsigned long long now = start_time_of(pid);
    return now != 0 && now != started;
}

static void set_held(struct lease *l, bool held)
{
    if (l->held == held)
        return;
    l->held = held;
    if (held)
        log_info("this instance decides and delivers alerts", LOG_I("epoch", l->epoch), LOG_END);
    else
        log_warn("another instance decides and delivers alerts", LOG_END);
    l->changed(l->ctx, held);
}

static void on_asked(void *ctx, const struct pg_reply *reply);

static void ask(struct lease *l, const char *dead_holder)
{
    l->asking = true;
    l->asked_ms = clock_mono_ms();
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, ASK_SQL);
    pg_text(batch, l->holder);
    pg_i64(batch, LEASE_SECONDS);
    pg_text(batch, dead_holder ? dead_holder : l->holder);
    pg_add(batch, LOOK_SQL);
    pg_run(l->pg, batch, on_asked, l);
}

static void on_asked(void *ctx, const struct pg_reply *reply)
{
    struct lease *l = ctx;
    l->asking = false;
    if (l->released)
        return;
    if (reply->err) { /* no word from the database: valid until its time is over */
        if (l->held && clock_mono_ms() >= l->valid_until_ms)
            set_held(l, false);
        return;
    }
    if (PQntuples(reply->results[0]) == 1) {
        int64_t epoch = pg_get_i64(reply->results[0], 0, 0);
        bool new_epoch = epoch != l->epoch;
        l->epoch = epoch;
        /* counted from before the question was put, on our own clock */
        l->valid_until_ms = l->asked_ms + (int64_t)(LEASE_SECONDS - 1) * 1000;
        if (new_epoch && l->held)
            set_held(l, false);
        set_held(l, true);
        return;
    }
    set_held(l, false);
    const char *holder = PQntuples(reply->results[1]) ? pg_get_text(reply->results[1], 0, 0) : NULL;
    if (holder && holder[0] && is_dead(l, holder)) {
        char dead[160];
        snprintf(dead, sizeof dead, "%s", holder);
        ask(l, dead);
    }
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct lease *l = timer->data;
    if (l->held && clock_mono_ms() >= l->valid_until_ms)
        set_held(l, false);
    if (!l->asking && !l->released && pg_is_up(l->pg))
        ask(l, NULL);
    timer->repeat = l->held ? LEASE_RENEW_SECONDS : 0.5;
    ev_timer_again(loop, timer);
}

struct lease *store_lease_new(struct ev_loop *loop, struct pg *pg,
                              void (*changed)(void *ctx, bool held), void *ctx)
{
    struct lease *l = mem_alloc(sizeof *l);
    l->loop = loop;
    l->pg = pg;
    l->changed = changed;
    l->ctx = ctx;
    name_self(l);
    ev_timer_init(&l->timer, on_timer, 0.01, 0.05);
    l->timer.data = l;
    ev_timer_start(loop, &l->timer);
    return l;
}

void store_lease_free(struct lease *l)
{
    if (!l)
        return;
    ev_timer_stop(l->loop, &l->timer);
    free(l);
}

bool store_lease_is_held(const struct lease *l)
{
    return l->held && clock_mono_ms() < l->valid_until_ms;
}

int64_t store_lease_epoch(const struct lease *l)
{
    return l->epoch;
}

const char *store_lease_holder(const struct lease *l)
{
    return l->holder;
}

struct release_call {
    void (*done)(void *ctx);
    void *ctx;
};

static void on_released(void *ctx, const struct pg_reply *reply)
{
    (void)reply; /* if the word did not get through, the lease ends by its time */
    struct release_call *call = ctx;
    call->done(call->ctx);
    free(call);
}

void store_lease_release(struct lease *l, void (*done)(void *ctx), void *ctx)
{
    struct release_call *call = mem_alloc(sizeof *call);
    *call = (struct release_call){done, ctx};
    l->released = true;
    l->held = false;
    ev_timer_stop(l->loop, &l->timer);
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, RELEASE_SQL);
    pg_text(batch, l->holder);
    pg_run(l->pg, batch, on_released, call);
}
