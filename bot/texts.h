/* texts.h -- what the bot says, in two languages; one row a text, so that none is forgotten.
 *
 * A text is HTML with places {0} to {3}. What is put there is always escaped and cut, so that no value
 * can break a message; tests/unit/test_hostile.c fills every text with the worst. */
#ifndef NABAT_BOT_TEXTS_H
#define NABAT_BOT_TEXTS_H

#include "alerts/words.h"
#include "core/buf.h"

enum text {
    /* setting up */
    TEXT_START,
    TEXT_START_NO_OWNER, /* person */
    TEXT_START_OWNER,
    TEXT_START_NO_CHAT,    /* person */
    TEXT_START_GROUP_SET,  /* chat: offered with a button */
    TEXT_START_GROUP_LATE, /* chat, the variable's chat */
    TEXT_START_GROUP_HERE,
    TEXT_BUTTON_SETUP,
    TEXT_SETUP_DONE,
    TEXT_SETUP_ONLY_OWNER,
    TEXT_ID,       /* person, chat */
    TEXT_ID_TOPIC, /* person, chat, topic */
    /* help */
    TEXT_HELP_HEAD,
    TEXT_HELP_FOOT,
    TEXT_HELP_ERRORS,
    TEXT_HELP_ERROR,
    TEXT_HELP_TAKE,
    TEXT_HELP_RESOLVE,
    TEXT_HELP_REOPEN,
    TEXT_HELP_MUTE,
    TEXT_HELP_UNMUTE,
    TEXT_HELP_ASSIGN,
    TEXT_HELP_NOTE,
    TEXT_HELP_MERGE,
    TEXT_HELP_SPLIT,
    TEXT_HELP_STATS,
    TEXT_HELP_TOP,
    TEXT_HELP_COMMENT,
    TEXT_HELP_ISSUE,
    TEXT_HELP_REPORT_BUG,
    TEXT_HELP_STATE,
    TEXT_HELP_CHECK,
    TEXT_HELP_REPORT,
    TEXT_HELP_DEPLOY,
    TEXT_HELP_MONITORS,
    TEXT_HELP_HEALTH,
    TEXT_HELP_SETTINGS,
    TEXT_HELP_SILENCE,
    TEXT_HELP_QUIET,
    TEXT_HELP_RULES,
    TEXT_HELP_CHANNELS,
    TEXT_HELP_ID,
    TEXT_HELP_HELP,
    TEXT_HELP_START,
    TEXT_HELP_GRANT,
    TEXT_HELP_REVOKE,
    TEXT_HELP_FORGET,
    TEXT_MORE_ERRORS,
    TEXT_MORE_ERROR,
    TEXT_MORE_TAKE,
    TEXT_MORE_RESOLVE,
    TEXT_MORE_REOPEN,
    TEXT_MORE_MUTE,
    TEXT_MORE_UNMUTE,
    TEXT_MORE_ASSIGN,
    TEXT_MORE_NOTE,
    TEXT_MORE_MERGE,
    TEXT_MORE_SPLIT,
    TEXT_MORE_STATS,
    TEXT_MORE_TOP,
    TEXT_MORE_COMMENT,
    TEXT_MORE_ISSUE,
    TEXT_MORE_REPORT_BUG,
    TEXT_MORE_STATE,
    TEXT_MORE_CHECK,
    TEXT_MORE_REPORT,
    TEXT_MORE_DEPLOY,
    TEXT_MORE_MONITORS,
    TEXT_MORE_HEALTH,
    TEXT_MORE_SETTINGS,
    TEXT_MORE_SILENCE,
    TEXT_MORE_QUIET,
    TEXT_MORE_RULES,
    TEXT_MORE_CHANNELS,
    TEXT_MORE_ID,
    TEXT_MORE_HELP,
    TEXT_MORE_START,
    TEXT_MORE_GRANT,
    TEXT_MORE_REVOKE,
    TEXT_MORE_FORGET,
    TEXT_HINT,
    TEXT_USAGE,           /* command, arguments */
    TEXT_UNKNOWN_COMMAND, /* command */
    TEXT_UNKNOWN_MEANT,   /* command, what may be meant */
    TEXT_NO_SUCH_GROUP,   /* number */
    TEXT_NO_SUCH_COMMAND, /* of /help */
    /* lists */
    TEXT_NO_ERRORS,
    TEXT_NO_MATCH,    /* filter */
    TEXT_ERRORS_HEAD, /* "12 errors" */
    TEXT_ERRORS_OF,   /* "12 errors", filter */
    TEXT_EVENTS_HEAD, /* number, "12 events" */
    TEXT_EVENT_LINE,  /* moment, event id */
    TEXT_PAGE_GONE,
    /* what was done; number, title */
    TEXT_TAKEN,
    TEXT_RESOLVED,
    TEXT_REOPENED,
    TEXT_MUTED,
    TEXT_UNMUTED,
    TEXT_ASSIGNED,
    TEXT_UNASSIGNED,
    TEXT_NOTED,
    TEXT_UNNOTED,
    TEXT_UNDONE,
    TEXT_MERGED,
    TEXT_SPLIT,
    TEXT_CHANGED_LINE,     /* what, number, title */
    TEXT_ALREADY_TAKEN,    /* by whom */
    TEXT_ALREADY_RESOLVED, /* by whom */
    TEXT_OTHER_ERROR,
    TEXT_NO_ACCESS,
    TEXT_COMMAND_WAITS,
    TEXT_SETUP_OPEN, /* "12 errors" */
    TEXT_NOTHING_TO_UNDO,
    TEXT_CANT_MERGE,      /* number, number */
    TEXT_CANT_MERGE_GONE, /* number, number */
    TEXT_NOTHING_MERGED,
    TEXT_SIMILAR,
    TEXT_WHOM,
    TEXT_WHO_IS_THAT, /* name */
    TEXT_WRITE_NOTE,  /* number, person, their id */
    /* presses */
    TEXT_DATABASE_AWAY,
    TEXT_DATABASE_SLOW,
    TEXT_NOT_A_CARD,
    TEXT_NO_SUCH_BUTTON,
    TEXT_STACK_COMES,
    TEXT_STACK_FAILED, /* why */
    TEXT_NO_EVENT,
    /* who may */
    TEXT_STRANGER, /* person */
    TEXT_FOREIGN_GROUP,
    TEXT_ONLY_OWNERS,
    TEXT_ONLY_TRIAGE,
    TEXT_ANONYMOUS,
    TEXT_GRANTED,    /* name, id, role */
    TEXT_REVOKED,    /* name, id, role before */
    TEXT_NO_GRANT,   /* name */
    TEXT_GRANT_WHOM, /* command, arguments */
    TEXT_GRANTS_HEAD,
    TEXT_GRANTS_NONE,
    TEXT_ROLE_VIEWER,
    TEXT_ROLE_TRIAGE,
    TEXT_ROLE_OWNER,
    TEXT_FORGOTTEN,      /* user, "12 events" */
    TEXT_FORGOTTEN_NONE, /* user */
    TEXT_WORRY_DATABASE_REFUSED,
    TEXT_WORRY_DATABASE, /* each: detail */
    TEXT_WORRY_QUEUE,
    TEXT_WORRY_DISK,
    TEXT_WORRY_SPOOL,
    TEXT_WORRY_TOKEN,
    TEXT_WORRY_POLLER,
    TEXT_WORRY_UPDATES,
    TEXT_WORRY_CLOCK,
    TEXT_WORRY_STORE,
    TEXT_WELL_DATABASE, /* each: minutes */
    TEXT_WELL_QUEUE,
    TEXT_WELL_DISK,
    TEXT_WELL_SPOOL,
    TEXT_WELL_TOKEN,
    TEXT_WELL_UPDATES,
    TEXT_WELL_STORE,
    TEXT_OWNER_ALARM, /* chat, what Telegram said */
    /* settings */
    TEXT_SETTINGS_CHAT,
    TEXT_SETTINGS_OWN,
    TEXT_SETTINGS_LANGUAGE,  /* language */
    TEXT_SETTINGS_ZONE,      /* zone, time there */
    TEXT_SETTINGS_LOOK,      /* full or quiet */
    TEXT_SETTINGS_REACTIONS, /* on or off */
    TEXT_SETTINGS_CHARTS,    /* dark or light */
    TEXT_SETTINGS_HOW,
    TEXT_SETTINGS_AUTO,
    TEXT_SETTINGS_FULL,
    TEXT_SETTINGS_QUIET,
    TEXT_SETTINGS_DARK,
    TEXT_SETTINGS_LIGHT,
    TEXT_SETTINGS_ON,
    TEXT_SETTINGS_OFF,
    TEXT_SETTINGS_SAVED,
    TEXT_SETTINGS_BAD_ZONE, /* what was typed */
    TEXT_BUTTON_AUTO,
    TEXT_BUTTON_FULL,
    TEXT_BUTTON_QUIET,
    TEXT_BUTTON_REACTIONS_ON,
    TEXT_BUTTON_REACTIONS_OFF,
    TEXT_BUTTON_DARK,
    TEXT_BUTTON_LIGHT,
    /* rules, silences, quiet hours */
    TEXT_RULES_HEAD,
    TEXT_RULES_NONE,
    TEXT_RULES_ELSE,
    TEXT_RULES_MANY,
    TEXT_RULES_HOW,
    TEXT_RULE_IS_OFF,
    TEXT_RULE_ADDED,   /* number, its words */
    TEXT_RULE_DELETED, /* number */
    TEXT_RULE_ON,      /* number */
    TEXT_RULE_OFF,     /* number */
    TEXT_NO_RULE,      /* number */
    TEXT_NO_CHANNEL,   /* name */
    TEXT_CHANNELS_NONE,
    TEXT_CHANNEL_OFF,
    TEXT_CHANNEL_FALLBACK, /* number */
    TEXT_CHANNEL_WELL,     /* moment */
    TEXT_CHANNEL_ILL,      /* what was answered */
    TEXT_CHANNEL_UNUSED,
    TEXT_RULE_BAD, /* the word */
    TEXT_RULE_EMPTY,
    TEXT_SILENCE_ON,     /* until */
    TEXT_SILENCE_ON_FOR, /* until, reason */
    TEXT_SILENCE_OFF,
    TEXT_SILENCE_NONE,
    TEXT_SILENCE_LINE, /* until, reason */
    TEXT_QUIET_SILENT, /* hours */
    TEXT_QUIET_HOLDS,  /* hours */
    TEXT_QUIET_OFF,
    /* issues */
    TEXT_ISSUE_MADE,  /* address */
    TEXT_ISSUE_THERE, /* address */
    TEXT_ISSUE_BUSY,
    TEXT_ISSUE_FAILED, /* why */
    TEXT_ISSUES_OFF,
    /* reports of people */
    TEXT_BUG_ADDED, /* title, code */
    TEXT_BUG_ATTACHED,
    TEXT_BUTTON_FOLLOW,
    TEXT_FOLLOWED,
    TEXT_FOLLOW_THEIRS,
    TEXT_FOLLOW_HERE,
    TEXT_FOLLOW_START,
    TEXT_NO_REPORT, /* number */
    TEXT_STATE_SET, /* number, title, state */
    TEXT_STATE_NEW,
    TEXT_STATE_INVESTIGATING,
    TEXT_STATE_CONFIRMED,
    TEXT_STATE_IN_PROGRESS,
    TEXT_STATE_RESOLVED,
    TEXT_STATE_WONT_FIX,
    TEXT_COMMENTED, /* number */
    TEXT_COMMENTS_HEAD,
    TEXT_REPORT_STATE,     /* state */
    TEXT_REPORT_OVER,      /* title, state */
    TEXT_REPORT_OVER_NOTE, /* title, state, note */
    TEXT_REPORT_YOURS,     /* number, title */
    /* checks */
    TEXT_CHECKS_HEAD,
    TEXT_CHECKS_NONE,
    TEXT_CHECKS_FULL,
    TEXT_CHECK_SPEED, /* ms, ms, per cent */
    TEXT_CHECK_DOWN,
    TEXT_CHECK_SLOW,
    TEXT_CHECK_CERT,
    TEXT_CHECK_CERT_UNTIL, /* date */
    TEXT_CHECK_ADDED,      /* address, number */
    TEXT_CHECK_REMOVED,    /* number */
    TEXT_CHECK_ON,         /* number */
    TEXT_CHECK_OFF,        /* number */
    TEXT_CHECK_BAD,        /* why */
    TEXT_NO_CHECK,         /* number */
    TEXT_BEAT_ADDED,       /* name, address */
    TEXT_BEAT_NAME,
    TEXT_BEAT_EVERY,
    /* deploys */
    TEXT_DEPLOYED, /* name */
    TEXT_DEPLOYS_HEAD,
    TEXT_DEPLOYS_NONE,
    /* health and monitors */
    TEXT_HEALTH_HEAD, /* version */
    TEXT_HEALTH_OK,
    TEXT_HEALTH_DEGRADED,
    TEXT_HEALTH_UNHEALTHY,
    TEXT_PART_DATABASE,
    TEXT_PART_SPOOL,
    TEXT_PART_TELEGRAM,
    TEXT_PART_LEASE,
    TEXT_PART_FORWARD,
    TEXT_PART_QUEUE,
    TEXT_PART_OUTBOX,
    TEXT_PART_SDKS,
    TEXT_PART_BOTS,
    TEXT_NO_MONITORS,
    TEXT_MONITORS_MORE, /* number */
    TEXT_MONITOR_FAILING,
    TEXT_MONITOR_OK,
    TEXT_MONITOR_WAITING,
    TEXT_MONITOR_NEXT,
    TEXTS,
};

enum { TEXT_PLACES_MAX = 4, TEXT_VALUE_UNITS_MAX = 400 };

/* The rows of texts_alerts.c, texts_stats.c and texts_reports.c; the others are in texts.c. Use bot_text. */
extern const char *const ALERT_TEXTS[TEXTS][LANGUAGES];
extern const char *const STATS_TEXTS[TEXTS][LANGUAGES];
extern const char *const REPORT_TEXTS[TEXTS][LANGUAGES];

/* As it stands: HTML, with its places. */
const char *bot_text(enum language language, enum text which);
/* With `values` in its places; a dash where there is none. */
void bot_text_fill(enum language language, enum text which, const char *const *values, size_t count,
                   struct buf *html);

#endif
