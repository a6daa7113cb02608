/* draw.c -- see draw.h. */
#include "stats/draw.h"

#include "core/log.h"
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

struct drawing {
    draw_done_fn *done;
    void *ctx;
};

static void on_drawn(void *ctx, const char *data, size_t len, const char *why)
{
    struct drawing *d = ctx;
    if (why)
        log_warn("no picture: the numbers go without it", LOG_S("error", why), LOG_END);
    d->done(d->ctx, why ? NULL : data, why ? 0 : len);
    free(d);
}

void stats_draw(struct ev_loop *loop, json_t *description, const char *format, draw_done_fn *done,
                void *ctx)
{
    char program[4200];
    struct drawing *d = mem_alloc(sizeof *d);
    *d = (struct drawing){done, ctx};
    char *json = json_dumps(description, JSON_COMPACT);
    json_decref(description);
    child_path("nabat-chart", program, sizeof program);
    child_run(loop, program, format, json ? json : "", json ? strlen(json) : 0, DRAW_SECONDS_MAX,
              on_drawn, d);
    free(json);
}
