/* outage.c -- the four reasons. */
#include "alerts/outage.h"

#include "core/limits.h"

enum { FAILURES_MAX = 3 };

bool outage_is(const struct outage_view *v)
{
    if (v->refuses)
        return true;
    if (v->is_channel)
        return v->failures >= FAILURES_MAX;
    return v->paused_ms > OUTAGE_SECONDS * 1000 || v->silent_ms >= OUTAGE_SECONDS * 1000;
}
