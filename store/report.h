/* report.h -- what a day or a week was like for those who work errors off. */
#ifndef NABAT_STORE_REPORT_H
#define NABAT_STORE_REPORT_H

#include "core/event.h"
#include "store/pg.h"

enum { REPORT_LISTED_MAX = 5, REPORT_LOSSES_MAX = 8 };

struct report_error {
    int64_t id; /* 0: there is none */
    const char *title;
    const char *release; /* that brought it, or brought it back; NULL: not known */
    enum severity severity;
    int64_t ms; /* how old, or how long it took */
};
struct report_loss {
    const char *kind; /* sdk, refused, rate_limited, forward */
    int64_t n;
};
/* BORROWED until done returns. Means are -1 where nothing was taken or resolved, crash_free where no session is known. */
struct report_facts {
    int64_t resolved; /* errors */
    int64_t taken;
    int64_t mean_take_ms; /* from when it was open until somebody took it */
    int64_t mean_resolve_ms;
    struct report_error slowest; /* to be taken */
    struct report_error oldest;  /* that is open */
    int64_t open_unowned_critical;
    double crash_free; /* per cent of sessions */
    struct report_error made[REPORT_LISTED_MAX];
    size_t made_count;
    struct report_error back[REPORT_LISTED_MAX];
    size_t back_count;
    const char *broke_release; /* in which most errors were first seen; NULL: none is known */
    int64_t broke;
    struct report_loss losses[REPORT_LOSSES_MAX];
    size_t losses_count;
};
typedef void report_facts_fn(void *ctx, const struct report_facts *facts, const struct err *err);
void store_report_facts(struct pg *pg, int64_t from_ms, int64_t to_ms, report_facts_fn *done,
                        void *ctx);

/* Adds to the hour's account of what did not become an event. */
void store_loss_add(struct pg *pg, const struct report_loss *losses, size_t count);

#endif
