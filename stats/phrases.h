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
    /* reports */
    PHRASE_REPORT_DAY,
    PHRASE_REPORT_WEEK,
    PHRASE_REPORT_MONTH,
    PHRASE_RESOLVED,    /* number */
    PHRASE_RESOLVED_IN, /* number, mean time */
    PHRASE_TAKEN_IN,    /* number, mean time */
    PHRASE_SLOWEST,     /* number, how long, title */
    PHRASE_OLDEST,      /* number, how old, title */
    PHRASE_MADE_LIST,
    PHRASE_BACK_LIST,
    PHRASE_CRASH_FREE,   /* per cent */
    PHRASE_LOST_SDK,     /* number */
    PHRASE_LOST_REFUSED, /* number */
    PHRASE_LOST_RATE,    /* number */
    PHRASE_LOST_FORWARD, /* number */
    PHRASE_SECTION_NUMBERS,
    PHRASE_ADVICE,
    PHRASE_ADVICE_NONE,
    PHRASE_ADVICE_UNOWNED, /* how many */
    PHRASE_ADVICE_BACK,    /* number */
    PHRASE_ADVICE_BACK_IN, /* number, release */
    PHRASE_ADVICE_BROKE,   /* release, "3 new errors" */
    PHRASE_ADVICE_NOISY,   /* per cent, number */
    PHRASE_ADVICE_CRASHES, /* per cent */
    PHRASE_ADVICE_COUNTED, /* number */
    PHRASE_ADVICE_LOST,    /* number */
    PHRASE_ADVICE_OLD,     /* number, how old */
    PHRASES,
};

const char *phrase(enum language language, enum phrase which);
void phrase_fill(enum language language, enum phrase which, const char *const *values, size_t count,
                 struct buf *html);

#endif
