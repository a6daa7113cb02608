/* checkin.c -- the words for a check-in's status. */
#include "core/checkin.h"

const char *checkin_status_name(enum checkin_status status)
{
    static const char *const NAMES[] = {"unknown", "ok", "error", "in_progress"};
    return NAMES[status];
}
