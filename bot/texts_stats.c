/* texts_stats.c -- what the bot says about statistics, English and Russian side by side. */
#include "bot/texts.h"

const char *const STATS_TEXTS[TEXTS][LANGUAGES] = {
    [TEXT_HELP_STATS] = {"is it getting worse: a chart and five numbers",
                         "становится ли хуже: график и пять чисел"},
    [TEXT_HELP_TOP] = {"what hurts most", "что болит сильнее всего"},
    [TEXT_MORE_STATS] =
        {"<code>24h</code>, <code>7d</code> or <code>30d</code>; words narrow it: a severity, an "
         "origin, a project, a release. <code>dark</code> or <code>light</code> draws it so this "
         "once; /settings for always.\nExample: <code>/stats 7d critical celery</code>",
         "<code>24h</code>, <code>7d</code> или <code>30d</code>; слова сужают: важность, "
         "источник, "
         "проект, версия. <code>dark</code> или <code>light</code> — тёмный или светлый график на "
         "этот раз, насовсем — в /settings.\nПример: <code>/stats 7d critical celery</code>"},
    [TEXT_MORE_TOP] =
        {"Without a word the errors with most events; <code>users</code>, <code>handlers</code>, "
         "<code>releases</code> (with what each of them broke) or <code>origins</code>. Period and "
         "words as for /stats.\nExample: <code>/top handlers 7d celery</code>",
         "Без слова — ошибки, у которых больше всего событий; <code>users</code> — пользователи, "
         "<code>handlers</code> — обработчики, <code>releases</code> — версии и что каждая "
         "сломала, "
         "<code>origins</code> — источники. Период и слова — как у /stats.\n"
         "Пример: <code>/top handlers 7d celery</code>"},
    [TEXT_HELP_REPORT] = {"the day in words, and what to do about it",
                          "день словами и что с ним делать"},
    [TEXT_MORE_REPORT] =
        {"What is new, what came back, what was resolved and how fast, what is open for longest, "
         "what did not arrive; <code>7d</code> and <code>30d</code> with a chart. "
         "REPORT_AT=\"09:00 Europe/Moscow\" sends it by itself, on Mondays for the week.",
         "Что нового, что вернулось, что и как быстро решили, что открыто дольше всего, что не "
         "дошло; за <code>7d</code> и <code>30d</code> — с графиком. С "
         "REPORT_AT=\"09:00 Europe/Moscow\" приходит само, по понедельникам — за неделю."},
    [TEXT_HELP_DEPLOY] = {"what was put out, and when", "что и когда выложили"},
    [TEXT_MORE_DEPLOY] =
        {"<code>/deploy bot@1.4.2 production</code> writes down that it is out now: cards say what "
         "came after it, charts show it. Without a name: the last ten. CI, Railway and GitHub can "
         "tell by themselves: POST /api/deploys, /api/railway, /api/github.",
         "<code>/deploy bot@1.4.2 production</code> записывает, что версия вышла сейчас: карточки "
         "скажут, что случилось после неё, графики её покажут. Без имени — последние десять. CI, "
         "Railway и GitHub сообщают сами: POST /api/deploys, /api/railway, /api/github."},
    [TEXT_DEPLOYED] = {"🚀 {0} is out. What is new from now on will say so.",
                       "🚀 {0} выложено. Новые ошибки будут считаться после неё."},
    [TEXT_DEPLOYS_HEAD] = {"<b>Last deploys</b>, and errors first seen after each",
                           "<b>Последние выкладки</b> и новые ошибки после каждой"},
    [TEXT_DEPLOYS_NONE] = {"No deploy is known yet. /help deploy tells how to tell.",
                           "О выкладках пока ничего не известно. Как сообщать — /help deploy."},
    [TEXT_SETTINGS_CHARTS] = {"Charts: {0}", "Графики: {0}"},
    [TEXT_SETTINGS_DARK] = {"dark", "тёмные"},
    [TEXT_SETTINGS_LIGHT] = {"light", "светлые"},
    [TEXT_BUTTON_DARK] = {"Dark charts", "Тёмные графики"},
    [TEXT_BUTTON_LIGHT] = {"Light charts", "Светлые графики"},
};
