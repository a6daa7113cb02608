/* words.c -- the words of cards, English and Russian side by side. */
#include "alerts/words.h"

#include "core/zone.h"

#include <inttypes.h>
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
    [WORD_REGRESSION] = {"It is back after it was resolved", "Вернулась после решения"},
    [WORD_POSSIBLE_REPEAT] = {"Possibly a repeat: it is not known whether the first one arrived",
                              "Возможно, повтор: неизвестно, дошло ли первое сообщение"},
    [WORD_EMERGENCY] =
        {"The database is away: the error is kept on disk, buttons come when it is back",
         "База данных недоступна: ошибка сохранена на диске, кнопки появятся, когда "
         "база вернётся"},
    [WORD_EMERGENCY_LIST] =
        {"The database is away: they are kept on disk, cards come when it is back",
         "База данных недоступна: ошибки сохранены на диске, карточки придут, "
         "когда база вернётся"},
    [WORD_CHAT] = {"chat", "чат"},
    [WORD_USER] = {"user", "пользователь"},
    [WORD_GENERATION] = {"generation", "генерация"},
    [WORD_SINCE] = {"since", "с"},
    [WORD_LAST] = {"last", "последний раз"},
    [WORD_NOBODY] = {"Nobody is on it yet", "Пока никто не взял"},
    [WORD_ASSIGNED_TO] = {"Assigned to", "Поручено:"},
    [WORD_TAKEN_BY] = {"Taken by", "В работе у"},
    [WORD_RESOLVED_BY] = {"Resolved by", "Решено:"},
    [WORD_RESOLVED_ITSELF] = {"Resolved by itself", "Решилась сама"},
    [WORD_REOPENED] = {"Reopened by", "Открыта заново:"},
    [WORD_REOPENED_ITSELF] = {"Reopened: it happened again", "Открыта заново: случилась снова"},
    [WORD_MUTED_UNTIL] = {"Muted until", "Без звука до"},
    [WORD_MUTED_COUNT] = {"Muted for", "Без звука ещё"},
    [WORD_MUTED_FOREVER] = {"Muted for good", "Без звука навсегда"},
    [WORD_NEWER_CARD] = {"There is a newer message about this error below",
                         "Ниже есть более новое сообщение об этой ошибке"},
    [WORD_STACK_CUT] = {"shortened; the whole stack: button Stack",
                        "сокращено; весь стек — кнопка «Стек»"},
    [WORD_AFTER_DEPLOY] = {"first seen {0} after {1}", "впервые через {0} после {1}"},
    [WORD_BACK_IN] = {"It is back after it was resolved, in {0}",
                      "Вернулась после решения, в версии {0}"},
    [WORD_NOTE] = {"Note", "Заметка"},
    [WORD_MERGED] = {"Together with", "Вместе с"},
    [WORD_MONITOR_TITLE] = {"Cron job %s does not run as planned",
                            "Задача %s не выполняется по расписанию"},
    [WORD_MONITOR_MISSED] = {"It did not check in on time", "Не запустилась вовремя"},
    [WORD_MONITOR_TIMEOUT] = {"It did not finish in time", "Не завершилась в срок"},
    [WORD_MONITOR_ERROR] = {"It reported a failure", "Завершилась с ошибкой"},
    [WORD_BUTTON_TAKE] = {"Take", "Взять"},
    [WORD_BUTTON_RESOLVE] = {"Resolve", "Решено"},
    [WORD_BUTTON_REOPEN] = {"Reopen", "Открыть снова"},
    [WORD_BUTTON_MUTE] = {"Mute", "Без звука"},
    [WORD_BUTTON_UNMUTE] = {"Unmute", "Со звуком"},
    [WORD_BUTTON_STACK] = {"Stack", "Стек"},
    [WORD_BUTTON_ASSIGN] = {"Assign", "Поручить"},
    [WORD_BUTTON_NOTE] = {"Note", "Заметка"},
    [WORD_BUTTON_UNDO] = {"Undo", "Отменить"},
    [WORD_BUTTON_BACK] = {"« Back", "« Назад"},
    [WORD_BUTTON_HOUR] = {"1 hour", "1 час"},
    [WORD_BUTTON_DAY] = {"1 day", "1 день"},
    [WORD_BUTTON_HUNDRED] = {"Until 100 more", "Ещё 100 раз"},
    [WORD_BUTTON_NOBODY] = {"Nobody", "Никому"},
    [WORD_BUTTON_OPEN] = {"Open", "Открыть"},
    [WORD_BUTTON_GENERATION] = {"Generation", "Генерация"},
    [WORD_BUTTON_USER] = {"User", "Пользователь"},
};

static const char *const COUNTED_EN[COUNTED][2] = {
    [COUNT_TIMES] = {"%s time", "%s times"},
    [COUNT_MORE_TIMES] = {"%s more time", "%s more times"},
    [COUNT_USERS] = {"%s user", "%s users"},
    [COUNT_HELD] = {"%s more was held back since the last alert",
                    "%s more were held back since the last alert"},
    [COUNT_ERRORS] = {"%s error", "%s errors"},
    [COUNT_EVENTS] = {"%s event", "%s events"},
    [COUNT_COUNTED] = {"%s more was only counted", "%s more were only counted"},
    [COUNT_NEW_ERRORS] = {"%s new error", "%s new errors"},
    [COUNT_ALERTS] = {"%s alert", "%s alerts"},
    [COUNT_HOURS] = {"%s hour", "%s hours"},
    [COUNT_SECONDS] = {"%s second", "%s seconds"},
    [COUNT_MINUTES] = {"%s minute", "%s minutes"},
    [COUNT_DAYS] = {"%s day", "%s days"},
};
static const char *const COUNTED_RU[COUNTED][3] = {
    [COUNT_TIMES] = {"%s раз", "%s раза", "%s раз"},
    [COUNT_MORE_TIMES] = {"%s раз", "%s раза", "%s раз"},
    [COUNT_USERS] = {"%s пользователь", "%s пользователя", "%s пользователей"},
    [COUNT_HELD] = {"С прошлого сообщения был ещё %s случай",
                    "С прошлого сообщения было ещё %s случая",
                    "С прошлого сообщения было ещё %s случаев"},
    [COUNT_ERRORS] = {"%s ошибка", "%s ошибки", "%s ошибок"},
    [COUNT_EVENTS] = {"%s событие", "%s события", "%s событий"},
    [COUNT_COUNTED] = {"Ещё %s случай только посчитан", "Ещё %s случая только посчитаны",
                       "Ещё %s случаев только посчитано"},
    [COUNT_NEW_ERRORS] = {"%s новая ошибка", "%s новые ошибки", "%s новых ошибок"},
    [COUNT_ALERTS] = {"%s тревога", "%s тревоги", "%s тревог"},
    [COUNT_HOURS] = {"%s час", "%s часа", "%s часов"},
    [COUNT_SECONDS] = {"%s секунду", "%s секунды", "%s секунд"},
    [COUNT_MINUTES] = {"%s минуту", "%s минуты", "%s минут"},
    [COUNT_DAYS] = {"%s день", "%s дня", "%s дней"},
};
static const char *const WEEKDAYS[LANGUAGES][7] = {
    {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, {"вс", "пн", "вт", "ср", "чт", "пт", "сб"}};
static const char *const MONTHS[LANGUAGES][12] = {
    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
    {"янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"},
};

enum language language_of_code(const char *code)
{
    return code && strncmp(code, "ru", 2) == 0 && (!code[2] || code[2] == '-') ? LANG_RU : LANG_EN;
}

const char *language_code(enum language language)
{
    return language == LANG_RU ? "ru" : "en";
}

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

void words_number(enum language language, int64_t n, char out[WORDS_NUMBER_BYTES])
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

static void fill_count(enum language language, int64_t n, const char *behind, const char *form,
                       char out[WORDS_COUNT_BYTES])
{
    char number[WORDS_NUMBER_BYTES];
    words_number(language, n, number);
    const char *mark = strstr(form, "%s");
    snprintf(out, WORDS_COUNT_BYTES, "%.*s%s%s%s", (int)(mark - form), form, number, behind,
             mark + 2);
}

void words_count(enum language language, enum counted what, int64_t n, char out[WORDS_COUNT_BYTES])
{
    fill_count(language, n, "",
               language == LANG_RU ? COUNTED_RU[what][russian_form(n)] : COUNTED_EN[what][n != 1],
               out);
}

void words_count_least(enum language language, enum counted what, int64_t n,
                       char out[WORDS_COUNT_BYTES])
{
    fill_count(language, n, "+", language == LANG_RU ? COUNTED_RU[what][2] : COUNTED_EN[what][1],
               out);
}

void words_moment(const struct look *look, int64_t ms, char out[WORDS_MOMENT_BYTES])
{
    struct tm at;
    struct tm now;
    char year[16] = "";
    zone_local(look->zone, ms, &at);
    zone_local(look->zone, look->now_ms, &now);
    if (at.tm_year != now.tm_year)
        snprintf(year, sizeof year, " %d", at.tm_year + 1900);
    snprintf(out, WORDS_MOMENT_BYTES, "%d %s%s, %02d:%02d", at.tm_mday,
             MONTHS[look->language][at.tm_mon], year, at.tm_hour, at.tm_min);
}

void words_date(const struct look *look, int64_t ms, char out[WORDS_MOMENT_BYTES])
{
    struct tm at;
    zone_local(look->zone, ms, &at);
    snprintf(out, WORDS_MOMENT_BYTES, "%d %s", at.tm_mday, MONTHS[look->language][at.tm_mon]);
}

void words_weekday(const struct look *look, int64_t ms, char out[WORDS_MOMENT_BYTES])
{
    struct tm at;
    zone_local(look->zone, ms, &at);
    snprintf(out, WORDS_MOMENT_BYTES, "%s %d", WEEKDAYS[look->language][at.tm_wday], at.tm_mday);
}

void words_span(enum language language, int64_t ms, char out[WORDS_COUNT_BYTES])
{
    enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };
    if (ms >= 2 * (int64_t)DAY_MS)
        words_count(language, COUNT_DAYS, ms / DAY_MS, out);
    else if (ms >= 2 * (int64_t)HOUR_MS)
        words_count(language, COUNT_HOURS, ms / HOUR_MS, out);
    else if (ms >= MINUTE_MS)
        words_count(language, COUNT_MINUTES, ms / MINUTE_MS, out);
    else
        words_count(language, COUNT_SECONDS, ms > 1000 ? ms / 1000 : 1, out);
}
