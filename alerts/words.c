/* words.c -- the words of cards, English and Russian side by side. */
#include "alerts/words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const TABLE[WORDS][LANGUAGES] = {
    [WORD_DEBUG] = {"Debug", "Отладка"},
    [WORD_INFO] = {"Info", "Информация"},
    [WORD_WARNING] = {"Warning", "Предупреждение"},
    [WORD_ERROR] = {"Error", "Ошибка"},
    [WORD_CRITICAL] = {"Critical", "Критическая ошибка"},
    [WORD_NEW] = {"new", "новая"},
    [WORD_IN_PROGRESS] = {"in progress", "в работе"},
    [WORD_RESOLVED] = {"resolved", "решена"},
    [WORD_REGRESSION] = {"It is back after it was resolved", "Снова появилась после решения"},
    [WORD_POSSIBLE_REPEAT] = {"Possibly a repeat: it is not known whether the first one arrived",
                              "Возможно, повтор: неизвестно, дошло ли первое сообщение"},
    [WORD_CHAT] = {"chat", "чат"},
    [WORD_USER] = {"user", "пользователь"},
    [WORD_GENERATION] = {"generation", "генерация"},
    [WORD_FIRST] = {"first", "впервые"},
    [WORD_LAST] = {"last", "последний раз"},
    [WORD_TAKEN_BY] = {"Taken by", "В работе у"},
    [WORD_RESOLVED_BY] = {"Resolved by", "Решение отметил(а)"},
    [WORD_REOPENED] = {"Reopened by", "Снова открыл(а)"},
    [WORD_MUTED_UNTIL] = {"Muted until", "Без звука до"},
    [WORD_MUTED_COUNT] = {"Muted until it has happened", "Без звука, пока не случится"},
    [WORD_NEWER_CARD] = {"There is a newer message about this error below",
                         "Об этой ошибке есть сообщение новее, ниже"},
    [WORD_STACK_CUT] = {"the whole stack: button Stack", "весь стек: кнопка «Стек»"},
    [WORD_NOTE] = {"Note", "Заметка"},
    [WORD_BUTTON_TAKE] = {"Take", "Взять"},
    [WORD_BUTTON_RESOLVE] = {"Resolve", "Решено"},
    [WORD_BUTTON_REOPEN] = {"Reopen", "Открыть снова"},
    [WORD_BUTTON_STACK] = {"Stack", "Стек"},
    [WORD_BUTTON_OPEN] = {"Open", "Открыть"},
    [WORD_BUTTON_GENERATION] = {"Generation", "Генерация"},
    [WORD_BUTTON_USER] = {"User", "Пользователь"},
};

static const char *const COUNTED_EN[COUNTED][2] = {
    [COUNT_TIMES] = {"%s time", "%s times"},
    [COUNT_USERS] = {"%s user", "%s users"},
    [COUNT_HELD] = {"%s more was held back since the last alert",
                    "%s more were held back since the last alert"},
    [COUNT_ERRORS] = {"%s error", "%s errors"},
    [COUNT_EVENTS] = {"%s event", "%s events"},
};
static const char *const COUNTED_RU[COUNTED][3] = {
    [COUNT_TIMES] = {"%s раз", "%s раза", "%s раз"},
    [COUNT_USERS] = {"%s пользователь", "%s пользователя", "%s пользователей"},
    [COUNT_HELD] = {"С прошлого сообщения был ещё %s случай",
                    "С прошлого сообщения было ещё %s случая",
                    "С прошлого сообщения было ещё %s случаев"},
    [COUNT_ERRORS] = {"%s ошибка", "%s ошибки", "%s ошибок"},
    [COUNT_EVENTS] = {"%s событие", "%s события", "%s событий"},
};

const char *word(enum language language, enum word which)
{
    return TABLE[which][language];
}

/* CLDR plural rules for Russian: 1, 21, 31 one; 2-4, 22-24 few; the rest many. */
static size_t russian_form(int64_t n)
{
    int64_t last = n % 10;
    int64_t teens = n % 100;
    if (last == 1 && teens != 11)
        return 0;
    return last >= 2 && last <= 4 && (teens < 12 || teens > 14) ? 1 : 2;
}

/* 8120 -> "8,120" or "8 120" with a no-break space. */
static void group_digits(enum language language, int64_t n, char out[48])
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, n);
    size_t len = strlen(digits);
    size_t to = 0;
    const char *gap = language == LANG_RU ? "\u00a0" : ",";
    bool separate = len > 4 || language == LANG_EN;
    for (size_t i = 0; i < len; i++) {
        if (separate && i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0)
            for (const char *g = gap; *g; g++)
                out[to++] = *g;
        out[to++] = digits[i];
    }
    out[to] = '\0';
}

void words_count(enum language language, enum counted what, int64_t n, char out[96])
{
    char number[48];
    group_digits(language, n, number);
    const char *form =
        language == LANG_RU ? COUNTED_RU[what][russian_form(n)] : COUNTED_EN[what][n != 1];
    const char *mark = strstr(form, "%s");
    snprintf(out, 96, "%.*s%s%s", (int)(mark - form), form, number, mark + 2);
}
