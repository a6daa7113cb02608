/* texts.h -- what the bot says, in two languages; one row a text, so that none is forgotten. */
#ifndef NABAT_BOT_TEXTS_H
#define NABAT_BOT_TEXTS_H

#include "alerts/words.h"

enum text {
    TEXT_START,
    TEXT_START_NO_CHAT, /* %lld: chat id */
    TEXT_HELP_HEAD,
    TEXT_HELP_ERRORS,
    TEXT_HELP_ERROR,
    TEXT_HELP_TAKE,
    TEXT_HELP_RESOLVE,
    TEXT_HELP_REOPEN,
    TEXT_HELP_MUTE,
    TEXT_HELP_UNMUTE,
    TEXT_HELP_MONITORS,
    TEXT_HELP_ID,
    TEXT_HELP_HELP,
    TEXT_HELP_START,
    TEXT_USAGE,           /* %s: command, %s: arguments */
    TEXT_UNKNOWN_COMMAND, /* %s */
    TEXT_NO_SUCH_GROUP,   /* %lld */
    TEXT_NO_ERRORS,
    TEXT_ERRORS_HEAD, /* %s: "12 errors" */
    TEXT_ERRORS_MORE, /* %lld */
    TEXT_TAKEN,
    TEXT_RESOLVED,
    TEXT_REOPENED,
    TEXT_MUTED,
    TEXT_UNMUTED,
    TEXT_DATABASE_AWAY,
    TEXT_NOT_A_CARD,
    TEXT_STACK_COMES,
    TEXT_NO_EVENT,
    TEXT_ID,       /* %lld: person, %lld: chat */
    TEXT_STRANGER, /* %lld: person */
    TEXT_FOREIGN_GROUP,
    TEXT_ONLY_OWNERS,
    TEXT_NO_SUCH_BUTTON,
    TEXT_NO_MONITORS,
    TEXT_MONITORS_MORE,
    TEXT_MONITOR_FAILING,
    TEXT_MONITOR_OK,
    TEXT_MONITOR_WAITING,
    TEXT_MONITOR_NEXT,
    TEXTS,
};

/* A printf format for those that say so; HTML where commands send it. */
const char *bot_text(enum language language, enum text which);

#endif
