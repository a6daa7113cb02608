/* draw.h -- descriptions to pictures, by nabat-chart. */
#ifndef NABAT_STATS_DRAW_H
#define NABAT_STATS_DRAW_H

#include "core/child.h"

#include <jansson.h>

enum { DRAW_SECONDS_MAX = 10 };

/* STEALS `description`; `format` is --png, --svg or --pdf. `done` runs exactly once, from the loop: NULL data where nothing
 * could be drawn, which the log says. */
typedef void draw_done_fn(void *ctx, const char *data, size_t len);
void stats_draw(struct ev_loop *loop, json_t *description, const char *format, draw_done_fn *done,
                void *ctx);

#endif
