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
                          "отчёт за день и что делать дальше"},
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
    [TEXT_HELP_CHECK] = {"do our addresses answer, and how fast",
                         "отвечают ли наши адреса и как быстро"},
    [TEXT_MORE_CHECK] =
        {"<code>/check add https://bot.example.com/health every 1m expect 200 under 2s cert "
         "14d</code>: asked every minute; three bad answers in a row ring, two good ones end it. "
         "Its certificate must be good for 14 days. <code>/check beat backup every 1d</code> gives "
         "a job an address to ask for. Owners change, everybody sees.",
         "<code>/check add https://bot.example.com/health every 1m expect 200 under 2s cert "
         "14d</code> — проверять раз в минуту; тревога после трёх плохих ответов подряд, отбой "
         "после двух хороших. Сертификат должен действовать ещё 14 дней. <code>/check beat backup "
         "every 1d</code> даёт задаче адрес, который она открывает. Меняют владельцы, видят все."},
    [TEXT_CHECKS_HEAD] = {"<b>Checks</b> of the last 24 hours", "<b>Проверки</b> за 24 часа"},
    [TEXT_CHECKS_NONE] = {"Nothing is checked yet. An owner adds an address: <code>/check add "
                          "https://bot.example.com/health every 1m</code>",
                          "Пока ничего не проверяется. Адрес добавляет владелец: <code>/check add "
                          "https://bot.example.com/health every 1m</code>"},
    [TEXT_CHECKS_FULL] = {"There are 100 checks already: /check del N makes room",
                          "Проверок уже 100: освободите место — /check del N"},
    [TEXT_CHECK_SPEED] = {"half in {0} ms, 95 % in {1} ms · {2} % good",
                          "половина за {0} мс, 95 % за {1} мс · успешно {2} %"},
    [TEXT_CHECK_DOWN] = {"does not answer as it should", "не отвечает как надо"},
    [TEXT_CHECK_SLOW] = {"slow", "медленно"},
    [TEXT_CHECK_CERT] = {"the certificate expires", "истекает сертификат"},
    [TEXT_CHECK_CERT_UNTIL] = {"certificate until {0}", "сертификат до {0}"},
    [TEXT_CHECK_ADDED] =
        {"{0} is checked from now on (number {1}). It rings after three bad answers.",
         "{0} теперь проверяется (номер {1}). Тревога — после трёх плохих ответов подряд."},
    [TEXT_CHECK_REMOVED] = {"Check {0} is gone", "Проверка {0} удалена"},
    [TEXT_CHECK_ON] = {"Check {0} is on", "Проверка {0} включена"},
    [TEXT_CHECK_OFF] = {"Check {0} is off", "Проверка {0} выключена"},
    [TEXT_CHECK_BAD] = {"That does not work: {0}", "Так не получится: {0}"},
    [TEXT_NO_CHECK] = {"There is no check {0}: /check lists them",
                       "Проверки {0} нет: список — /check"},
    [TEXT_BEAT_ADDED] =
        {"Job {0} says that it lives by asking for this address when it is done "
         "(<code>/start</code> and <code>/fail</code> behind it say more):\n<code>{1}</code>\nIt "
         "is watched from the first time on: /monitors",
         "Задача {0} сообщает, что жива, открывая этот адрес по завершении (<code>/start</code> и "
         "<code>/fail</code> в конце адреса — о начале и о сбое):\n<code>{1}</code>\nС первого "
         "обращения за ней "
         "следят: /monitors"},
    [TEXT_BEAT_EVERY] = {"How often? <code>every 10m</code>, <code>every 1h</code>, <code>every "
                         "1d</code>, up to 31d",
                         "Как часто? <code>every 10m</code>, <code>every 1h</code>, <code>every "
                         "1d</code> — не реже раза в 31d"},
    [TEXT_BEAT_NAME] = {"A job's name is up to 50 of a-z 0-9 _ -: <code>/check beat nightly-backup "
                        "every 1d</code>",
                        "Имя задачи — до 50 знаков из a-z 0-9 _ -: <code>/check beat "
                        "nightly-backup every 1d</code>"},
    [TEXT_SETTINGS_CHARTS] = {"Charts: {0}", "Графики: {0}"},
    [TEXT_SETTINGS_DARK] = {"dark", "тёмные"},
    [TEXT_SETTINGS_LIGHT] = {"light", "светлые"},
    [TEXT_BUTTON_DARK] = {"Dark charts", "Тёмные графики"},
    [TEXT_BUTTON_LIGHT] = {"Light charts", "Светлые графики"},
};
