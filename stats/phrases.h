/* phrases.h -- the words of charts and reports in two languages; places {0} to {3} as html_fill fills them. */
#ifndef NABAT_STATS_PHRASES_H
#define NABAT_STATS_PHRASES_H

#include "alerts/words.h"
#include "core/buf.h"

#include <stddef.h>

enum phrase {
    PHRASE_TITLE_DAY,
    PHRASE_TITLE_WEEK,
    PHRASE_TITLE_MONTH,
    PHRASE_BY_HOUR,
    PHRASE_BY_SIX_HOURS,
    PHRASE_BY_DAY,
    PHRASE_BEFORE_DAY,
    PHRASE_BEFORE_WEEK,
    PHRASE_BEFORE_MONTH,
    PHRASE_EMPTY,
    PHRASE_KEY_DEPLOY,
    PHRASE_KEY_ALERT,
    PHRASE_TREND_UP,   /* per cent, against what */
    PHRASE_TREND_DOWN, /* per cent, against what */
    PHRASE_TREND_SAME,
    PHRASE_TREND_FIRST,
    PHRASE_AGAINST_DAY,
    PHRASE_AGAINST_WEEK,
    PHRASE_AGAINST_MONTH,
    PHRASE_MADE,      /* "3 new errors", before */
    PHRASE_REGRESSED, /* number, before */
    PHRASE_USERS,     /* "340 users" */
    PHRASE_OPEN,      /* number, critical */
    PHRASE_OPEN_NONE,
    PHRASE_ALERTS, /* "5 alerts" */
    PHRASE_NO_ALERTS,
    PHRASE_WORST,   /* number, title, per cent */
    PHRASE_COUNTED, /* number */
    PHRASE_SEVERITY_DEBUG,
    PHRASE_SEVERITY_INFO,
    PHRASE_SEVERITY_WARNING,
    PHRASE_SEVERITY_ERROR,
    PHRASE_SEVERITY_CRITICAL, /* in order of severity; plural */
    PHRASE_TOP_ERRORS,
    PHRASE_TOP_USERS,
    PHRASE_TOP_HANDLERS,
    PHRASE_TOP_RELEASES,
    PHRASE_TOP_ORIGINS, /* in order of enum stats_top */
    PHRASE_TOP_NONE,
    PHRASE_BROKE, /* new errors, number that came back */
    PHRASES,
};

const char *phrase(enum language language, enum phrase which);
void phrase_fill(enum language language, enum phrase which, const char *const *values, size_t count,
                 struct buf *html);

#endif
