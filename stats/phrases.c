/* phrases.c -- the words of charts and reports, English and Russian side by side. */
#include "stats/phrases.h"

#include "alerts/html.h"

enum { VALUE_UNITS_MAX = 160 };

static const char *const TABLE[PHRASES][LANGUAGES] = {
    [PHRASE_TITLE_DAY] = {"Events, last 24 hours", "События за 24 часа"},
    [PHRASE_TITLE_WEEK] = {"Events, last 7 days", "События за 7 дней"},
    [PHRASE_TITLE_MONTH] = {"Events, last 30 days", "События за 30 дней"},
    [PHRASE_BY_HOUR] = {"by hour", "по часам"},
    [PHRASE_BY_SIX_HOURS] = {"by 6 hours", "по 6 часов"},
    [PHRASE_BY_DAY] = {"by day", "по дням"},
    [PHRASE_BEFORE_DAY] = {"24 hours before", "сутками раньше"},
    [PHRASE_BEFORE_WEEK] = {"7 days before", "неделей раньше"},
    [PHRASE_BEFORE_MONTH] = {"30 days before", "30 днями раньше"},
    [PHRASE_EMPTY] = {"Nothing happened. Enjoy it.", "Ничего не случилось. Красота."},
    [PHRASE_KEY_DEPLOY] = {"deploy", "выкладка"},
    [PHRASE_KEY_ALERT] = {"alert", "тревога"},
    [PHRASE_TREND_UP] = {"▲ {0} % {1}", "▲ {0} % {1}"},
    [PHRASE_TREND_DOWN] = {"▼ {0} % {1}", "▼ {0} % {1}"},
    [PHRASE_TREND_SAME] = {"as many as before", "столько же, сколько раньше"},
    [PHRASE_TREND_FIRST] = {"none in the period before", "раньше не было"},
    [PHRASE_AGAINST_DAY] = {"on the 24 hours before", "к предыдущим 24 часам"},
    [PHRASE_AGAINST_WEEK] = {"on the 7 days before", "к предыдущим 7 дням"},
    [PHRASE_AGAINST_MONTH] = {"on the 30 days before", "к предыдущим 30 дням"},
    [PHRASE_MADE] = {"🆕 {0} (before: {1})", "🆕 {0} (раньше — {1})"},
    [PHRASE_REGRESSED] = {" · ↩️ came back: {0} (before: {1})",
                          " · ↩️ вернулось: {0} (раньше — {1})"},
    [PHRASE_USERS] = {"👥 ≈ {0} affected", "👥 Затронуто: ≈ {0}"},
    [PHRASE_OPEN] = {"🔓 {0} open, {1} of them critical: /errors",
                     "🔓 Открыто: {0}, из них критических: {1} — /errors"},
    [PHRASE_OPEN_NONE] = {"🔓 Nothing is open", "🔓 Открытых ошибок нет"},
    [PHRASE_ALERTS] = {"🔔 {0}", "🔔 {0}"},
    [PHRASE_NO_ALERTS] = {"🔔 no alert", "🔔 ни одной тревоги"},
    [PHRASE_WORST] = {"🔝 <b>#{0}</b> {1} — {2} % of all events",
                      "🔝 <b>#{0}</b> {1} — {2} % всех событий"},
    [PHRASE_COUNTED] = {"🧮 {0} of them were only counted",
                        "🧮 Из них только посчитано: {0}"},
    [PHRASE_SEVERITY_DEBUG] = {"Debug", "Отладка"},
    [PHRASE_SEVERITY_INFO] = {"Info", "Информация"},
    [PHRASE_SEVERITY_WARNING] = {"Warnings", "Предупреждения"},
    [PHRASE_SEVERITY_ERROR] = {"Errors", "Ошибки"},
    [PHRASE_SEVERITY_CRITICAL] = {"Critical", "Критические"},
    [PHRASE_TOP_ERRORS] = {"Errors with most events", "Самые шумные ошибки"},
    [PHRASE_TOP_USERS] = {"Users who met most", "Кому досталось больше всех"},
    [PHRASE_TOP_HANDLERS] = {"Handlers with most events", "Обработчики, где больше всего событий"},
    [PHRASE_TOP_RELEASES] = {"Releases, and what they broke", "Версии и что они сломали"},
    [PHRASE_TOP_ORIGINS] = {"Origins with most events", "Источники, где больше всего событий"},
    [PHRASE_TOP_NONE] = {"Nothing to show for this period.", "За это время показать нечего."},
    [PHRASE_BROKE] = {"     🆕 {0} · ↩️ {1} came back",
                      "     🆕 {0} · ↩️ вернулось: {1}"},
};

const char *phrase(enum language language, enum phrase which)
{
    return TABLE[which][language];
}

void phrase_fill(enum language language, enum phrase which, const char *const *values, size_t count,
                 struct buf *html)
{
    html_fill(html, phrase(language, which), values, count, VALUE_UNITS_MAX);
}
