/* words.h -- the words of cards in two languages, counts and moments; the bot's own texts are in
 * bot/texts.h. */
#ifndef NABAT_ALERTS_WORDS_H
#define NABAT_ALERTS_WORDS_H

#include <stdbool.h>
#include <stdint.h>

enum language { LANG_EN, LANG_RU };
enum { LANGUAGES = 2 };
/* "ru", "ru-RU" and the like are Russian; anything else, and NULL, English. */
enum language language_of_code(const char *code);
const char *language_code(enum language language);

/* How things look in one chat. */
struct look {
    enum language language;
    char zone[64];  /* a tz name; "" is the service's own */
    bool is_quiet;  /* cards without stack, tags and the like */
    int64_t now_ms; /* what "this year" is measured by */
};

enum word {
    WORD_DEBUG,
    WORD_INFO,
    WORD_WARNING,
    WORD_ERROR,
    WORD_CRITICAL, /* in order of severity */
    WORD_NEW,
    WORD_IN_PROGRESS,
    WORD_RESOLVED, /* in order of status */
    WORD_REGRESSION,
    WORD_POSSIBLE_REPEAT,
    WORD_EMERGENCY,
    WORD_EMERGENCY_LIST,
    WORD_CHAT,
    WORD_USER,
    WORD_GENERATION,
    WORD_SINCE,
    WORD_LAST,
    WORD_NOBODY,
    WORD_ASSIGNED_TO,
    WORD_TAKEN_BY,
    WORD_RESOLVED_BY,
    WORD_RESOLVED_ITSELF,
    WORD_REOPENED,
    WORD_REOPENED_ITSELF,
    WORD_MUTED_UNTIL,
    WORD_MUTED_COUNT,
    WORD_MUTED_FOREVER,
    WORD_NEWER_CARD,
    WORD_STACK_CUT,
    WORD_AFTER_DEPLOY, /* {0} how long, {1} what */
    WORD_BACK_IN,      /* {0} release */
    WORD_NOTE,
    WORD_MERGED,
    WORD_MONITOR_TITLE, /* %s is the job */
    WORD_MONITOR_MISSED,
    WORD_MONITOR_TIMEOUT,
    WORD_MONITOR_ERROR,
    WORD_BUTTON_TAKE,
    WORD_BUTTON_RESOLVE,
    WORD_BUTTON_REOPEN,
    WORD_BUTTON_MUTE,
    WORD_BUTTON_UNMUTE,
    WORD_BUTTON_STACK,
    WORD_BUTTON_ASSIGN,
    WORD_BUTTON_NOTE,
    WORD_BUTTON_UNDO,
    WORD_BUTTON_BACK,
    WORD_BUTTON_HOUR,
    WORD_BUTTON_DAY,
    WORD_BUTTON_HUNDRED,
    WORD_BUTTON_NOBODY,
    WORD_BUTTON_OPEN,
    WORD_BUTTON_GENERATION,
    WORD_BUTTON_USER,
    WORDS,
};

const char *word(enum language language, enum word which);

/* Plural forms: English one/other, Russian one/few/many (CLDR). */
enum counted {
    COUNT_TIMES,
    COUNT_MORE_TIMES,
    COUNT_USERS,
    COUNT_HELD,
    COUNT_ERRORS,
    COUNT_EVENTS,
    COUNT_COUNTED,
    COUNT_NEW_ERRORS,
    COUNT_ALERTS,
    COUNT_HOURS,
    COUNT_SECONDS,
    COUNT_MINUTES,
    COUNT_DAYS,
    COUNTED
};
enum { WORDS_COUNT_BYTES = 128 };
/* "1 time", "2 раза", "5 раз"; thousands are grouped. */
void words_count(enum language language, enum counted what, int64_t n, char out[WORDS_COUNT_BYTES]);
/* "1,000+ errors": there may be more. */
void words_count_least(enum language language, enum counted what, int64_t n,
                       char out[WORDS_COUNT_BYTES]);

enum { WORDS_NUMBER_BYTES = 48 };
/* "8,120", "8 120" with a no-break space, "8120" in Russian. */
void words_number(enum language language, int64_t n, char out[WORDS_NUMBER_BYTES]);

enum { WORDS_MOMENT_BYTES = 64 };
/* "21 Nov, 12:30" in the chat's zone; with the year when it is not the present one. */
void words_moment(const struct look *look, int64_t ms, char out[WORDS_MOMENT_BYTES]);
/* "23 Nov"; "Mon 23" with its weekday. */
void words_date(const struct look *look, int64_t ms, char out[WORDS_MOMENT_BYTES]);
void words_weekday(const struct look *look, int64_t ms, char out[WORDS_MOMENT_BYTES]);
/* "3 minutes", "2 hours", "5 days": the largest unit, rounded down. */
void words_span(enum language language, int64_t ms, char out[WORDS_COUNT_BYTES]);

#endif
