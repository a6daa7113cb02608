/* sentry_render.h -- a chain of exceptions as the text its own language would have printed. */
#ifndef NABAT_INGEST_SENTRY_RENDER_H
#define NABAT_INGEST_SENTRY_RENDER_H

#include "core/buf.h"
#include "ingest/sentry_stack.h"

/* Appends the stack text: chained exceptions with their cause lines, in the order of the platform.
 * Nothing when there are no frames at all. `out` becomes full rather than too long. */
void sentry_render(const struct sentry_stack *stack, struct buf *out);

/* ---- for the two files of the renderer ---- */

/* How one language prints. `frame` gets the frames of one exception in printing order. */
struct render_form {
    bool cause_first;     /* Python, PHP: what happened first is printed first */
    bool innermost_first; /* of frames; not Python */
    void (*head)(struct buf *out, const struct sentry_exception *e); /* above the frames */
    void (*frame)(struct buf *out, const struct sentry_exception *e, size_t i);
    void (*tail)(struct buf *out, const struct sentry_exception *e); /* NULL: nothing below */
    /* between two exceptions; `cause` hangs on the other one */
    void (*join)(struct buf *out, const struct sentry_exception *cause);
};
extern const struct render_form RENDER_FORMS[PLATFORMS];

#endif
