/* phrases.c -- the words of charts and reports, English and Russian side by side. */
#include "stats/phrases.h"

#include "alerts/html.h"

enum { VALUE_UNITS_MAX = 100 };

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
    [PHRASE_REPORT_DAY] = {"The last 24 hours", "Отчёт за сутки"},
    [PHRASE_REPORT_WEEK] = {"The last 7 days", "Отчёт за неделю"},
    [PHRASE_REPORT_MONTH] = {"The last 30 days", "Отчёт за 30 дней"},
    [PHRASE_RESOLVED] = {"✅ Nothing was resolved", "✅ Ничего не решено"},
    [PHRASE_RESOLVED_IN] = {"✅ Resolved: {0}, in {1} on average",
                            "✅ Решено: {0}, в среднем за {1}"},
    [PHRASE_TAKEN_IN] = {"👀 Taken: {0}, after {1} on average",
                         "👀 Взято в работу: {0}, в среднем через {1}"},
    [PHRASE_SLOWEST] = {"🐌 Waited longest to be taken: <b>#{0}</b>, {1} — {2}",
                        "🐌 Дольше всех ждала: <b>#{0}</b>, {1} — {2}"},
    [PHRASE_OLDEST] = {"🕰 Open for longest: <b>#{0}</b>, {1} — {2}",
                       "🕰 Дольше всех открыта: <b>#{0}</b>, {1} — {2}"},
    [PHRASE_MADE_LIST] = {"🆕 New, worst first:", "🆕 Новые, сначала худшие:"},
    [PHRASE_BACK_LIST] = {"↩️ Came back:", "↩️ Вернулись:"},
    [PHRASE_CRASH_FREE] = {"💚 {0} % of sessions without a crash", "💚 Сессий без падения: {0} %"},
    [PHRASE_LOST_SDK] = {"🕳 Dropped by SDKs before they were sent: {0}",
                         "🕳 Отброшено в SDK до отправки: {0}"},
    [PHRASE_LOST_REFUSED] =
        {"🕳 Refused, since neither database nor disk took them: {0}",
         "🕳 Отклонено, потому что не приняли ни база, ни "
         "диск: "
         "{0}"},
    [PHRASE_LOST_RATE] = {"🕳 Requests over their rate: {0}",
                          "🕳 Запросов сверх лимита: {0}"},
    [PHRASE_LOST_FORWARD] = {"🕳 Not forwarded to SENTRY_DSN: {0}",
                             "🕳 Не переслано в SENTRY_DSN: {0}"},
    [PHRASE_SECTION_NUMBERS] = {"What happened", "Что произошло"},
    [PHRASE_ADVICE] = {"What to do about it", "Что с этим делать"},
    [PHRASE_ADVICE_NONE] = {"Nothing needs a hand. Have a good day.",
                            "Всё спокойно, вмешиваться не нужно."},
    [PHRASE_ADVICE_UNOWNED] =
        {"• Nobody is on {0} open critical: /errors critical unassigned",
         "• Открытые критические, за которые никто не взялся: {0} — /errors critical unassigned"},
    [PHRASE_ADVICE_BACK] = {"• #{0} came back after it was resolved: /error {0}",
                            "• #{0} вернулась после решения: /error {0}"},
    [PHRASE_ADVICE_BACK_IN] = {"• #{0} came back in {1}: what did that release change?",
                               "• #{0} вернулась в {1}: что изменилось в этой версии?"},
    [PHRASE_ADVICE_BROKE] = {"• {0} brought {1}: consider rolling it back",
                             "• {0} принесла {1}: возможно, стоит откатить"},
    [PHRASE_ADVICE_NOISY] = {"• {0} % of events are one error: mute or fix #{1}",
                             "• {0} % событий — одна ошибка: исправьте #{1} или отключите ей звук"},
    [PHRASE_ADVICE_CRASHES] =
        {"• Only {0} % of sessions are without a crash: start with the critical ones",
         "• Без падений только {0} % сессий: начните с критических"},
    [PHRASE_ADVICE_COUNTED] =
        {"• Events that were only counted: {0}. Something floods, see /top",
         "• Только посчитано событий: {0} — что-то сыплет ошибками, смотрите /top"},
    [PHRASE_ADVICE_LOST] = {"• Events that did not arrive: {0}. See /health",
                            "• Не дошло событий: {0} — смотрите /health"},
    [PHRASE_ADVICE_OLD] =
        {"• #{0} has been open for {1}: resolve it, or write down why not (/note {0})",
         "• #{0} открыта уже {1}: решите её или запишите, почему нет (/note {0})"},
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
