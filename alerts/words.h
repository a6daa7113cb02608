/* words.h -- the words of cards in two languages; the bot's own texts are in bot/texts.h. */
#ifndef NABAT_ALERTS_WORDS_H
#define NABAT_ALERTS_WORDS_H

#include <stdint.h>

enum language { LANG_EN, LANG_RU };
enum { LANGUAGES = 2 };

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
    WORD_CHAT,
    WORD_USER,
    WORD_GENERATION,
    WORD_FIRST,
    WORD_LAST,
    WORD_TAKEN_BY,
    WORD_RESOLVED_BY,
    WORD_REOPENED,
    WORD_MUTED_UNTIL,
    WORD_MUTED_COUNT,
    WORD_NEWER_CARD,
    WORD_STACK_CUT,
    WORD_NOTE,
    WORD_BUTTON_TAKE,
    WORD_BUTTON_RESOLVE,
    WORD_BUTTON_REOPEN,
    WORD_BUTTON_STACK,
    WORD_BUTTON_OPEN,
    WORD_BUTTON_GENERATION,
    WORD_BUTTON_USER,
    WORDS,
};

const char *word(enum language language, enum word which);

/* Plural forms: English one/other, Russian one/few/many (CLDR). */
enum counted { COUNT_TIMES, COUNT_USERS, COUNT_HELD, COUNT_ERRORS, COUNT_EVENTS, COUNTED };
/* "1 time", "2 раза", "5 раз"; thousands are grouped. `out` of at least 96 bytes. */
void words_count(enum language language, enum counted what, int64_t n, char out[96]);

#endif
