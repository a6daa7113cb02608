/* texts.c -- what the bot says, English and Russian side by side. */
#include "bot/texts.h"

#include "alerts/html.h"

#include <string.h>

static const char *const TABLE[TEXTS][LANGUAGES] = {
    /* setting up */
    [TEXT_START] =
        {"This is Nabat: it rings here when something breaks, and you work errors off here.\n"
         "/errors shows what is open, /help shows everything.",
         "Это «Набат»: он бьёт тревогу, когда что-то ломается, и здесь же ошибки разбирают.\n"
         "/errors — что сейчас открыто, /help — все команды."},
    [TEXT_START_NO_OWNER] =
        {"Nabat is running, but it has no owner and no chat for alerts yet. Three steps:\n"
         "1. Set <code>ERROR_ADMIN_IDS={0}</code> (that is you) and restart Nabat, or run "
         "<code>nabat --owner {0}</code>.\n"
         "2. Add this bot to your team's group.\n"
         "3. Send /start in that group and press the button.",
         "«Набат» работает, но у него пока нет ни владельца, ни чата для тревог. Три шага:\n"
         "1. Задайте <code>ERROR_ADMIN_IDS={0}</code> (это вы) и перезапустите «Набат» — или "
         "выполните <code>nabat --owner {0}</code>.\n"
         "2. Добавьте этого бота в группу команды.\n"
         "3. Отправьте в группе /start и нажмите кнопку."},
    [TEXT_START_OWNER] =
        {"You are an owner. There is no chat for alerts yet: add this bot to your team's group and "
         "send /start there, then press the button. To get alerts here, in private, press it now.",
         "Вы владелец. Чат для тревог пока не задан: добавьте бота в группу команды, отправьте там "
         "/start и нажмите кнопку. Если тревоги нужны здесь, в личных сообщениях, нажмите её "
         "сейчас."},
    [TEXT_START_NO_CHAT] =
        {"Nabat is running, but there is no chat for alerts yet, and you are not its owner. "
         "Tell the owner your id: <code>{0}</code>",
         "«Набат» работает, но чат для тревог ещё не задан, а вы не владелец. Сообщите владельцу "
         "свой id: <code>{0}</code>"},
    [TEXT_START_GROUP_SET] =
        {"Shall alerts come to this group (<code>{0}</code>)? An owner presses the button.",
         "Присылать тревоги в эту группу (<code>{0}</code>)? Кнопку нажимает владелец."},
    [TEXT_START_GROUP_LATE] =
        {"Alerts go to chat <code>{1}</code>, as <code>ERROR_ALERT_CHAT_ID</code> says. To get "
         "them "
         "here, set <code>ERROR_ALERT_CHAT_ID={0}</code> and restart Nabat.",
         "Тревоги приходят в чат <code>{1}</code>: так задано в <code>ERROR_ALERT_CHAT_ID</code>. "
         "Чтобы они приходили сюда, задайте <code>ERROR_ALERT_CHAT_ID={0}</code> и перезапустите "
         "«Набат»."},
    [TEXT_START_GROUP_HERE] = {"Alerts come to this chat. /errors shows what is open, /help shows "
                               "everything.",
                               "Тревоги приходят в этот чат. /errors — что сейчас открыто, /help — "
                               "все команды."},
    [TEXT_BUTTON_SETUP] = {"Send alerts here", "Присылать тревоги сюда"},
    [TEXT_SETUP_DONE] = {"Done: alerts come to this chat from now on. Try it: nabat --selftest",
                         "Готово: теперь тревоги приходят в этот чат. Проверить: nabat --selftest"},
    [TEXT_SETUP_ONLY_OWNER] = {"Only an owner may choose the chat for alerts",
                               "Выбрать чат для тревог может только владелец"},
    [TEXT_ID] = {"You are <code>{0}</code>, this chat is <code>{1}</code>.",
                 "Ваш id — <code>{0}</code>, id этого чата — <code>{1}</code>."},
    [TEXT_ID_TOPIC] =
        {"You are <code>{0}</code>, this chat is <code>{1}</code>, this topic is "
         "<code>{2}</code>.",
         "Ваш id — <code>{0}</code>, id этого чата — <code>{1}</code>, id этой темы — "
         "<code>{2}</code>."},

    /* help */
    [TEXT_HELP_HEAD] = {"<b>What you can ask</b>", "<b>Команды</b>"},
    [TEXT_HELP_FOOT] =
        {"/help and a command's name tells more. As a reply to a card, a command needs no "
         "number, and plain text becomes its note.",
         "/help с названием команды расскажет подробнее. В ответ на карточку номер не "
         "нужен, а простой текст станет заметкой."},
    [TEXT_HELP_ERRORS] = {"open errors, latest first", "открытые ошибки, последние сверху"},
    [TEXT_HELP_ERROR] = {"everything about one error", "всё об одной ошибке"},
    [TEXT_HELP_TAKE] = {"say that you are on it", "взять ошибку в работу"},
    [TEXT_HELP_RESOLVE] = {"it is fixed; if it comes back, it rings at once",
                           "ошибка исправлена; вернётся — сразу тревога"},
    [TEXT_HELP_REOPEN] = {"it is not fixed after all", "всё-таки не исправлена"},
    [TEXT_HELP_MUTE] = {"no alerts for a while, or until it happened N more times",
                        "без тревог на время или ещё на N раз"},
    [TEXT_HELP_UNMUTE] = {"alerts again", "снова с тревогами"},
    [TEXT_HELP_ASSIGN] = {"ask somebody to look at it", "поручить ошибку кому-то"},
    [TEXT_HELP_NOTE] = {"write down what is known", "записать, что известно"},
    [TEXT_HELP_MERGE] = {"two errors are one", "две ошибки — одна и та же"},
    [TEXT_HELP_SPLIT] = {"they are two after all", "всё-таки разные ошибки"},
    [TEXT_HELP_MONITORS] = {"cron jobs that check in",
                            "регулярные задачи: последний и следующий запуск"},
    [TEXT_HELP_HEALTH] = {"how Nabat itself is", "как работает сам «Набат»"},
    [TEXT_HELP_SETTINGS] = {"language, time zone, look", "язык, часовой пояс, вид карточек"},
    [TEXT_HELP_ID] = {"your id and this chat's id", "ваш id и id этого чата"},
    [TEXT_HELP_HELP] = {"this list", "этот список"},
    [TEXT_HELP_START] = {"what this is, and how to set it up", "что это такое и как настроить"},
    [TEXT_HELP_GRANT] = {"let somebody in", "дать доступ"},
    [TEXT_HELP_REVOKE] = {"take that back", "забрать доступ"},
    [TEXT_HELP_FORGET] = {"erase a user's data", "стереть данные пользователя"},
    [TEXT_MORE_ERRORS] =
        {"Words narrow the list, in any order:\n"
         "• <code>new</code>, <code>in_progress</code>, <code>resolved</code>, <code>all</code>\n"
         "• <code>critical</code>, <code>error</code>, <code>warning</code>, <code>info</code>, "
         "<code>debug</code>\n"
         "• <code>mine</code>, <code>unassigned</code>, <code>muted</code>, <code>@ann</code>\n"
         "• <code>24h</code>, <code>7d</code>: seen since then\n"
         "• anything else is looked for in title, handler, origin and project\n"
         "Example: <code>/errors new critical celery 24h timeout</code>",
         "Слова сужают список, порядок любой:\n"
         "• <code>new</code>, <code>in_progress</code>, <code>resolved</code>, <code>all</code> — "
         "состояние\n"
         "• <code>critical</code>, <code>error</code>, <code>warning</code>, <code>info</code>, "
         "<code>debug</code> — важность\n"
         "• <code>mine</code> — мои, <code>unassigned</code> — ничьи, <code>muted</code> — без "
         "звука, "
         "<code>@ann</code> — чьи-то\n"
         "• <code>24h</code>, <code>7d</code> — были за это время\n"
         "• остальное ищется в заголовке, обработчике, источнике и проекте\n"
         "Пример: <code>/errors new critical celery 24h timeout</code>"},
    [TEXT_MORE_ERROR] =
        {"Shows the card with its buttons and names errors that look alike. "
         "<code>/error 12 events</code> lists its last events.",
         "Показывает карточку с кнопками и похожие ошибки. <code>/error 12 events</code> — её "
         "последние события."},
    [TEXT_MORE_TAKE] =
        {"While somebody is on it, it does not ring, unless it still fires after 24 "
         "hours. Example: <code>/take 12</code>",
         "Пока ошибка в работе, тревог по ней нет, если только она не продолжается и "
         "через сутки. Пример: <code>/take 12</code>"},
    [TEXT_MORE_RESOLVE] =
        {"What you write behind the number becomes the note. "
         "Example: <code>/resolve 12 pool was too small</code>",
         "Текст после номера станет заметкой. Пример: <code>/resolve 12 не хватало "
         "соединений в пуле</code>"},
    [TEXT_MORE_REOPEN] = {"It counts as new again and rings by the usual rules. "
                          "Example: <code>/reopen 12</code>",
                          "Ошибка снова считается новой, тревоги — по обычным правилам. "
                          "Пример: <code>/reopen 12</code>"},
    [TEXT_MORE_MUTE] = {"It is still counted. <code>/mute 12</code> is one hour; "
                        "<code>30m</code>, <code>1d</code>, <code>2w</code> are a time, "
                        "<code>100x</code> is until it happened 100 more times.",
                        "Ошибка по-прежнему считается. <code>/mute 12</code> — на час; "
                        "<code>30m</code>, <code>1d</code>, <code>2w</code> — на время, "
                        "<code>100x</code> — пока не случится ещё 100 раз."},
    [TEXT_MORE_UNMUTE] = {"Example: <code>/unmute 12</code>", "Пример: <code>/unmute 12</code>"},
    [TEXT_MORE_ASSIGN] =
        {"<code>/assign 12 @ann</code>; <code>me</code> is yourself, <code>-</code> is "
         "nobody. It goes on ringing until it is taken.",
         "<code>/assign 12 @ann</code>; <code>me</code> — себе, <code>-</code> — "
         "никому. Тревоги продолжаются, пока ошибку не возьмут."},
    [TEXT_MORE_NOTE] = {"<code>/note 12 happens on old phones only</code>; <code>/note 12 -</code> "
                        "removes it. A reply to the card does the same.",
                        "<code>/note 12 только на старых телефонах</code>; <code>/note 12 -</code> "
                        "убирает заметку. То же самое делает ответ на карточку."},
    [TEXT_MORE_MERGE] =
        {"<code>/merge 12 15</code>: what 15 brings counts, rings and is resolved as "
         "12. <code>/split</code> undoes it.",
         "<code>/merge 12 15</code>: всё, что приходит в 15, считается вместе с 12 — одна "
         "карточка, одна тревога, одно решение. <code>/split</code> вернёт как было."},
    [TEXT_MORE_SPLIT] = {"<code>/split 12</code> gives back everything merged into 12, "
                         "<code>/split 15</code> only 15.",
                         "<code>/split 12</code> вернёт всё, что объединили с 12, а "
                         "<code>/split 15</code> — только 15."},
    [TEXT_MORE_MONITORS] = {"Those that fail come first.", "Сначала те, у которых сбой."},
    [TEXT_MORE_HEALTH] = {"Database, Telegram, queues: the same that /health says over HTTP.",
                          "База, Telegram, очереди — то же, что /health по HTTP."},
    [TEXT_MORE_SETTINGS] = {"In private it is yours, in a group it is the group's (owners only). "
                            "<code>/settings zone Europe/Berlin</code> sets the time zone.",
                            "В личных сообщениях — ваши, в группе — общие (только владельцы). "
                            "<code>/settings zone Europe/Moscow</code> задаёт часовой пояс."},
    [TEXT_MORE_ID] = {"Settings ask for them: ERROR_ADMIN_IDS, ERROR_ALERT_CHAT_ID, "
                      "ERROR_ALERT_THREAD_ID.",
                      "Они нужны в настройках: ERROR_ADMIN_IDS, ERROR_ALERT_CHAT_ID, "
                      "ERROR_ALERT_THREAD_ID."},
    [TEXT_MORE_HELP] = {"Example: <code>/help mute</code>", "Пример: <code>/help mute</code>"},
    [TEXT_MORE_START] = {"In a group it offers to make that group the chat for alerts.",
                         "В группе предложит сделать её чатом для тревог."},
    [TEXT_MORE_GRANT] =
        {"<code>/grant @ann triage</code>, or as a reply to her message. "
         "<code>viewer</code> looks, <code>triage</code> works errors off, "
         "<code>owner</code> decides everything. Alone it lists who was let in.",
         "<code>/grant @ann triage</code> или ответом на её сообщение. "
         "<code>viewer</code> смотрит, <code>triage</code> разбирает ошибки, "
         "<code>owner</code> решает всё. Без слов — список тех, у кого есть доступ."},
    [TEXT_MORE_REVOKE] =
        {"<code>/revoke @ann</code>. Members of the alert chat can triage as long as "
         "they are in it.",
         "<code>/revoke @ann</code>. Участники чата тревог могут разбирать ошибки, "
         "пока они в чате."},
    [TEXT_MORE_FORGET] =
        {"<code>/forget 740215399</code> erases the person from every event: id, chat, "
         "payload, tags, stack. Counts stay. It can't be undone.",
         "<code>/forget 740215399</code> стирает человека из всех событий: id, чат, "
         "данные, теги, стек. Счётчики остаются. Отменить нельзя."},
    [TEXT_HINT] = {"I answer commands: /errors shows what is open, /help shows everything.",
                   "Я понимаю команды: /errors — что сейчас открыто, /help — все команды."},
    [TEXT_USAGE] = {"Use it like this: <code>/{0} {1}</code>", "Пишите так: <code>/{0} {1}</code>"},
    [TEXT_UNKNOWN_COMMAND] = {"There is no command /{0}. /help shows all of them.",
                              "Команды /{0} нет. /help покажет все."},
    [TEXT_UNKNOWN_MEANT] = {"There is no command /{0}. Did you mean /{1}? /help shows all of them.",
                            "Команды /{0} нет. Может быть, /{1}? /help покажет все."},
    [TEXT_NO_SUCH_GROUP] = {"There is no error #{0}. /errors shows what is open.",
                            "Ошибки #{0} нет. /errors покажет открытые."},
    [TEXT_NO_SUCH_COMMAND] = {"There is no command {0}.", "Команды {0} нет."},

    /* lists */
    [TEXT_NO_ERRORS] = {"No open errors: all quiet.", "Открытых ошибок нет: всё спокойно."},
    [TEXT_NO_MATCH] = {"Nothing found for <code>{0}</code>.",
                       "По запросу <code>{0}</code> ничего не найдено."},
    [TEXT_ERRORS_HEAD] = {"<b>{0}</b>\n\n", "<b>{0}</b>\n\n"},
    [TEXT_ERRORS_OF] = {"<b>{0}</b>\n🔎 <code>{1}</code>\n\n", "<b>{0}</b>\n🔎 <code>{1}</code>\n\n"},
    [TEXT_EVENTS_HEAD] = {"<b>#{0}: events {1}</b>\n\n", "<b>#{0}: события {1}</b>\n\n"},
    [TEXT_EVENT_LINE] = {"<b>{0}</b> · <code>{1}</code>", "<b>{0}</b> · <code>{1}</code>"},
    [TEXT_PAGE_GONE] = {"There is nothing on that page any more",
                        "На этой странице уже ничего нет"},

    /* what was done */
    [TEXT_TAKEN] = {"Taken", "Взято в работу"},
    [TEXT_RESOLVED] = {"Resolved", "Решено"},
    [TEXT_REOPENED] = {"Reopened", "Снова открыта"},
    [TEXT_MUTED] = {"Muted", "Звук выключен"},
    [TEXT_UNMUTED] = {"Unmuted", "Звук включён"},
    [TEXT_ASSIGNED] = {"Assigned", "Поручено"},
    [TEXT_UNASSIGNED] = {"Assigned to nobody", "Больше никому не поручено"},
    [TEXT_NOTED] = {"Noted", "Записано"},
    [TEXT_UNNOTED] = {"Note removed", "Заметка убрана"},
    [TEXT_UNDONE] = {"Undone", "Отменено"},
    [TEXT_MERGED] = {"Merged", "Объединено"},
    [TEXT_SPLIT] = {"Split", "Разделено"},
    [TEXT_CHANGED_LINE] = {"{0}: <b>#{1}</b> {2}", "{0}: <b>#{1}</b> {2}"},
    [TEXT_ALREADY_TAKEN] = {"Already taken by {0}. Assign takes it over.",
                            "Уже в работе у {0}. Перехватить можно через «Поручить»."},
    [TEXT_ALREADY_RESOLVED] = {"Already resolved by {0}. Reopen it first.",
                               "Уже решено: {0}. Сначала откройте снова."},
    [TEXT_OTHER_ERROR] = {"This button belongs to another error: nothing was changed",
                          "Эта кнопка от другой ошибки: ничего не изменено"},
    [TEXT_NO_ACCESS] = {"You have no access to this", "У вас нет доступа"},
    [TEXT_COMMAND_WAITS] =
        {"The database does not answer right now. Your command is carried out as soon "
         "as it does.",
         "База данных сейчас не отвечает. Команда будет выполнена, как только она ответит."},
    [TEXT_SETUP_OPEN] = {"Already open: {0}. /errors shows them.",
                         "Уже открыто: {0}. Показать: /errors"},
    [TEXT_NOTHING_TO_UNDO] =
        {"There is nothing to undo: only the last change, and for 5 minutes",
         "Отменять нечего: можно только последнее действие и в течение 5 минут"},
    [TEXT_CANT_MERGE] =
        {"#{0} and #{1} can't be merged: they are one already, or belong to different "
         "projects.",
         "#{0} и #{1} объединить нельзя: они уже вместе или из разных проектов."},
    [TEXT_CANT_MERGE_GONE] = {"There is no error #{0}, or no error #{1}.",
                              "Нет ошибки #{0} или #{1}."},
    [TEXT_NOTHING_MERGED] = {"Nothing was merged into #{0}.", "С #{0} ничего не объединяли."},
    [TEXT_SIMILAR] = {"Looks alike:", "Похожие:"},
    [TEXT_WHOM] = {"Whom?", "Кому?"},
    [TEXT_WHO_IS_THAT] =
        {"I have not met {0} yet. They say something to me first, or you reply to a "
         "message of theirs.",
         "Я ещё не знаю, кто это: {0}. Пусть этот человек сначала напишет мне, или ответьте "
         "на его сообщение."},
    [TEXT_WRITE_NOTE] =
        {"<a href=\"tg://user?id={2}\">{1}</a>, reply to this message with the note to #{0}.",
         "<a href=\"tg://user?id={2}\">{1}</a>, ответьте на это сообщение заметкой к #{0}."},

    /* presses */
    [TEXT_DATABASE_AWAY] =
        {"The database does not answer right now, nothing was changed. Please try "
         "again in a moment.",
         "База данных сейчас не отвечает, ничего не изменено. Попробуйте чуть позже."},
    [TEXT_DATABASE_SLOW] =
        {"The database is slow right now. The card changes as soon as it answers.",
         "База данных отвечает медленно. Карточка изменится, как только она ответит."},
    [TEXT_NOT_A_CARD] = {"This message is not one of my alerts",
                         "Это сообщение — не моя карточка ошибки"},
    [TEXT_NO_SUCH_BUTTON] = {"There is no such button here.", "Такой кнопки здесь нет."},
    [TEXT_STACK_COMES] = {"The stack follows as a file", "Стек придёт файлом"},
    [TEXT_STACK_FAILED] = {"The file with the stack was not taken by Telegram: {0}",
                           "Telegram не принял файл со стеком: {0}"},
    [TEXT_NO_EVENT] = {"Its events are past retention and gone",
                       "Её события уже удалены: срок хранения истёк"},

    /* who may */
    [TEXT_STRANGER] = {"This bot serves one team. If it is yours, tell its owner your id: "
                       "<code>{0}</code>",
                       "Этот бот работает для одной команды. Если вы в ней, сообщите владельцу "
                       "свой id: <code>{0}</code>"},
    [TEXT_FOREIGN_GROUP] = {"I answer only in the team's alert chat and in private.",
                            "Я отвечаю только в чате тревог команды и в личных сообщениях."},
    [TEXT_ONLY_OWNERS] = {"Only owners may do this.", "Это могут только владельцы."},
    [TEXT_ONLY_TRIAGE] = {"You may look, but not change anything. An owner can: /grant",
                          "Вы можете смотреть, но не менять. Владелец может это изменить: /grant"},
    [TEXT_ANONYMOUS] =
        {"You speak as the group, so I can't tell whether you are an owner. Ask in "
         "private, or turn anonymity off.",
         "Вы пишете от имени группы, и я не вижу, владелец ли вы. Напишите мне лично "
         "или отключите анонимность."},
    [TEXT_GRANTED] = {"{0} (<code>{1}</code>) has the role “{2}” now.",
                      "Роль «{2}» выдана: {0} (<code>{1}</code>)."},
    [TEXT_REVOKED] = {"{0} (<code>{1}</code>) has the role “{2}” no more.",
                      "Роль «{2}» снята: {0} (<code>{1}</code>)."},
    [TEXT_NO_GRANT] = {"No role was granted: {0}. Owners in ERROR_ADMIN_IDS are changed there.",
                       "Роль не выдавалась: {0}. Владельцы из ERROR_ADMIN_IDS меняются там."},
    [TEXT_GRANT_WHOM] =
        {"Name somebody: <code>/{0} {1}</code>, or reply to a message of theirs.",
         "Назовите человека: <code>/{0} {1}</code> — или ответьте на его сообщение."},
    [TEXT_GRANTS_HEAD] = {"<b>Let in by name</b>", "<b>Доступ выдан</b>"},
    [TEXT_GRANTS_NONE] = {"Nobody was let in by name. Members of the alert chat can triage.",
                          "Поимённо доступ никому не выдан. Участники чата тревог могут разбирать "
                          "ошибки."},
    [TEXT_ROLE_VIEWER] = {"viewer", "наблюдатель"},
    [TEXT_ROLE_TRIAGE] = {"triage", "разбирает ошибки"},
    [TEXT_ROLE_OWNER] = {"owner", "владелец"},
    [TEXT_FORGOTTEN] = {"User <code>{0}</code> is erased from {1}.",
                        "Пользователь <code>{0}</code> стёрт. Затронуто: {1}."},
    [TEXT_FORGOTTEN_NONE] = {"No event names user <code>{0}</code>.",
                             "Ни в одном событии нет пользователя <code>{0}</code>."},
    [TEXT_OWNER_ALARM] =
        {"⚠️ Alerts can't be delivered to chat <code>{0}</code>. Telegram says: "
         "{1}\nThey wait and are sent once it takes them again.",
         "⚠️ Тревоги не доходят до чата <code>{0}</code>. Telegram "
         "отвечает: "
         "{1}\n"
         "Они ждут и будут отправлены, как только это станет возможно."},

    /* settings */
    [TEXT_SETTINGS_CHAT] = {"<b>Settings of this chat</b>", "<b>Настройки этого чата</b>"},
    [TEXT_SETTINGS_OWN] = {"<b>Your settings</b>", "<b>Ваши настройки</b>"},
    [TEXT_SETTINGS_LANGUAGE] = {"Language: {0}", "Язык: {0}"},
    [TEXT_SETTINGS_ZONE] = {"Time zone: {0} (now {1})", "Часовой пояс: {0} (сейчас {1})"},
    [TEXT_SETTINGS_LOOK] = {"Cards: {0}", "Карточки: {0}"},
    [TEXT_SETTINGS_REACTIONS] = {"Reactions 👀 take, ✅ or 👌 resolve: {0}",
                                 "Реакции 👀 — взять, ✅ или 👌 — решено: {0}"},
    [TEXT_SETTINGS_HOW] = {"Another zone: <code>/settings zone Europe/Berlin</code>",
                           "Другой пояс: <code>/settings zone Europe/Moscow</code>"},
    [TEXT_SETTINGS_AUTO] = {"by default", "по умолчанию"},
    [TEXT_SETTINGS_FULL] = {"full", "подробные"},
    [TEXT_SETTINGS_QUIET] = {"quiet, only what matters", "краткие, только главное"},
    [TEXT_SETTINGS_ON] = {"on", "включены"},
    [TEXT_SETTINGS_OFF] = {"off", "выключены"},
    [TEXT_SETTINGS_SAVED] = {"Saved", "Сохранено"},
    [TEXT_SETTINGS_BAD_ZONE] = {"There is no time zone <code>{0}</code>. Names are like "
                                "<code>Europe/Berlin</code> or <code>UTC</code>.",
                                "Часового пояса <code>{0}</code> нет. Названия такие: "
                                "<code>Europe/Moscow</code>, <code>UTC</code>."},
    [TEXT_BUTTON_AUTO] = {"Language by default", "Язык по умолчанию"},
    [TEXT_BUTTON_FULL] = {"Full cards", "Подробные карточки"},
    [TEXT_BUTTON_QUIET] = {"Quiet cards", "Краткие карточки"},
    [TEXT_BUTTON_REACTIONS_ON] = {"Reactions on", "Включить реакции"},
    [TEXT_BUTTON_REACTIONS_OFF] = {"Reactions off", "Выключить реакции"},

    /* health and monitors */
    [TEXT_HEALTH_HEAD] = {"<b>Nabat {0}</b>", "<b>«Набат» {0}</b>"},
    [TEXT_HEALTH_OK] = {"ok", "в порядке"},
    [TEXT_HEALTH_DEGRADED] = {"degraded", "с перебоями"},
    [TEXT_HEALTH_UNHEALTHY] = {"does not work", "не работает"},
    [TEXT_PART_DATABASE] = {"Database", "База данных"},
    [TEXT_PART_SPOOL] = {"Spool", "Буфер на диске"},
    [TEXT_PART_TELEGRAM] = {"Telegram", "Telegram"},
    [TEXT_PART_FORWARD] = {"Forwarding to Sentry", "Пересылка в Sentry"},
    [TEXT_PART_LEASE] = {"Leading instance", "Ведущий экземпляр"},
    [TEXT_PART_QUEUE] = {"Queue of events", "Очередь событий"},
    [TEXT_PART_OUTBOX] = {"Alerts on their way", "Тревоги в пути"},
    [TEXT_PART_BOTS] = {"Your other bots", "Другие ваши боты"},
    [TEXT_PART_SDKS] = {"SDKs of your programs", "SDK ваших программ"},
    [TEXT_NO_MONITORS] =
        {"No cron job has checked in yet. docs/sentry.md shows how one does.",
         "Ни одна регулярная задача ещё не выходила на связь. Как её подключить — в "
         "docs/sentry.md."},
    [TEXT_MONITORS_MORE] = {"\n… and {0} more", "\n… и ещё {0}"},
    [TEXT_MONITOR_FAILING] = {"failing since ", "сбой с "},
    [TEXT_MONITOR_OK] = {"ok at ", "в порядке, последний успех "},
    [TEXT_MONITOR_WAITING] = {"has not succeeded yet", "ещё ни разу не отработала"},
    [TEXT_MONITOR_NEXT] = {", next ", ", следующая "},
};

const char *bot_text(enum language language, enum text which)
{
    const char *text = TABLE[which][language];
    const char *const(*const OTHERS[])[LANGUAGES] = {ALERT_TEXTS, STATS_TEXTS, REPORT_TEXTS};
    for (size_t i = 0; !text && i < sizeof OTHERS / sizeof *OTHERS; i++)
        text = OTHERS[i][which][language];
    return text;
}

void bot_text_fill(enum language language, enum text which, const char *const *values, size_t count,
                   struct buf *html)
{
    html_fill(html, bot_text(language, which), values, count, TEXT_VALUE_UNITS_MAX);
}
