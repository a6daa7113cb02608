/* prune.c -- one run, alone.
 *
 *     lock out other prunes --> days past retention: archive --> keep what outlives them --> drop
 *     --> thin days --> make room (STORE_MAX_BYTES) --> what was kept too long, groups, outbox, … --> days ahead */
#include "prune/internal.h"

#include "core/clock.h"
#include "core/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool prune_locked(struct pruning *p)
{
    char days[12];
    char limit[16];
    snprintf(days, sizeof days, "%d", p->options->days);
    PGresult *rows = prune_ask(
        p, "SELECT ((now() AT TIME ZONE 'UTC') - make_interval(days => $1::int))::date", days);
    if (!rows)
        return false;
    snprintf(limit, sizeof limit, "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);
    bool dry = p->options->dry_run;
    return prune_days(p, limit) && prune_thin(p) && prune_to_size(p) &&
           (dry || prune_forget_kept(p)) && prune_chores(p) &&
           (dry || prune_do(p,
                            "SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date + n) FROM "
                            "generate_series(0, 3) AS n",
                            NULL));
}

/* RETENTION as SQL arrays: the settings have checked it. */
static void read_classes(struct pruning *p)
{
    struct buf names;
    struct buf days;
    buf_init(&names, sizeof p->names - 1);
    buf_init(&days, sizeof p->class_days - 1);
    retention_parse(p->options->retention, &names, &days);
    snprintf(p->names, sizeof p->names, "%s", buf_text(&names));
    snprintf(p->class_days, sizeof p->class_days, "%s", buf_text(&days));
    buf_fini(&names);
    buf_fini(&days);
}

bool prune_run(const char *url, const char *schema, const struct prune_options *options,
               struct err *err)
{
    int64_t started = clock_mono_ms();
    char size[SIZE_TEXT_BYTES];
    struct pruning p = {.options = options, .err = err};
    read_classes(&p);
    p.session = session_open(url, schema, "nabat prune", err);
    if (!p.session)
        return false;
    /* a session lock, since a detach spans transactions; it ends with this short-lived session */
    PGresult *lock =
        prune_ask(&p, "SELECT pg_try_advisory_lock(hashtext('nabat.prune'), hashtext($1))", schema);
    bool ok = lock != NULL;
    bool alone = ok && PQgetvalue(lock, 0, 0)[0] == 't';
    PQclear(lock);
    if (ok && !alone)
        puts("another nabat-prune is at work: nothing to do");
    else if (ok)
        ok = prune_locked(&p);
    session_close(p.session);
    if (ok && alone)
        printf("%s %d day%s: %" PRId64 " rows, %s, %.2f s\n",
               options->dry_run ? "would drop" : "dropped", p.days, p.days == 1 ? "" : "s", p.rows,
               prune_size_text(p.bytes, size), (double)(clock_mono_ms() - started) / 1000.0);
    return ok;
}
