/* texts_alerts.c -- what the bot says of rules, silences, channels and itself, English and Russian side by side. */
#include "bot/texts.h"

const char *const ALERT_TEXTS[TEXTS][LANGUAGES] = {
    [TEXT_HELP_SILENCE] = {"nothing rings for a while; then it is told together",
                           "на время работ не звонить, потом рассказать всё разом"},
    [TEXT_HELP_QUIET] = {"hours without a sound", "часы без звука"},
    [TEXT_HELP_RULES] = {"which alert goes where", "какая тревога куда приходит"},
    [TEXT_HELP_CHANNELS] = {"where else alerts go, and how that fares",
                            "куда ещё уходят тревоги и всё ли дошло"},
    [TEXT_MORE_SILENCE] =
        {"<code>/silence 30m deploy</code>: for half an hour nothing rings anywhere, errors are "
         "counted and told in one message when it is over. <code>/silence off</code> ends it at "
         "once, <code>/silence</code> shows what is silenced.",
         "<code>/silence 30m выкатка</code>: полчаса тревог не будет нигде, ошибки считаются, а в "
         "конце придут одним сообщением. <code>/silence off</code> — закончить сразу, "
         "<code>/silence</code> — что сейчас заглушено."},
    [TEXT_MORE_QUIET] =
        {"<code>/quiet 23:00-08:00</code>: in these hours alerts come to this chat without a "
         "sound. "
         "<code>/quiet 23:00-08:00 hold</code>: they wait for the morning and come together. "
         "<code>/quiet off</code> ends it. The time zone is that of /settings.",
         "<code>/quiet 23:00-08:00</code>: в эти часы тревоги приходят в этот чат без звука. "
         "<code>/quiet 23:00-08:00 hold</code>: ждут утра и приходят одним сообщением. "
         "<code>/quiet off</code> — отменить. Часовой пояс — из /settings."},
    [TEXT_MORE_RULES] =
        {"An event goes to the first rule that matches, then on to the rules under it; what no "
         "rule "
         "takes rings in the alert chat. Owners change them:\n"
         "<code>/rules add origin:celery* severity:error chat:-100123 topic:5 silent "
         "cooldown:10m</code>\n"
         "What it matches: severity (or worse), origin, project, env, handler (with * and ?), "
         "text, "
         "when:new, when:regressed, when:rate:100/5m, when:first:7d.\n"
         "What then: chat:ID, chat:here or channel:NAME, topic:ID, lang:ru, silent, cooldown:10m, "
         "nowhere, "
         "continue (later rules too), under:N, name:\"…\".\n"
         "<code>/rules off 3</code>, <code>/rules on 3</code>, <code>/rules del 3</code>. To try "
         "one: <code>nabat --explain EVENT.json</code>",
         "Событие идёт к первому подходящему правилу и дальше к правилам под ним; что не взяло ни "
         "одно правило, приходит в чат тревог. Меняют их владельцы:\n"
         "<code>/rules add origin:celery* severity:error chat:-100123 topic:5 silent "
         "cooldown:10m</code>\n"
         "Что подходит: severity (или хуже), origin, project, env, handler (можно * и ?), text, "
         "when:new, when:regressed, when:rate:100/5m, when:first:7d.\n"
         "Что делать: chat:ID, chat:here или channel:NAME, topic:ID, lang:ru, silent, "
         "cooldown:10m, nowhere, "
         "continue (и следующие правила), under:N, name:\"…\".\n"
         "<code>/rules off 3</code>, <code>/rules on 3</code>, <code>/rules del 3</code>. "
         "Проверить: <code>nabat --explain EVENT.json</code>"},
    [TEXT_MORE_CHANNELS] =
        {"E-mail, Slack, Discord, ntfy, PagerDuty and webhooks are rows of the table "
         "<code>alert_channel</code>, added in psql because their addresses are secrets. A rule "
         "sends to one: <code>/rules add severity:critical channel:ops continue</code>. Those with "
         "a fallback number ring when the chat can't be reached. To try one: "
         "<code>nabat --channel-test ops</code>",
         "Почта, Slack, Discord, ntfy, PagerDuty и вебхуки — строки таблицы "
         "<code>alert_channel</code>; их добавляют в psql, потому что их адреса секретны. "
         "Отправляет "
         "туда правило: <code>/rules add severity:critical channel:ops continue</code>. Каналы с "
         "номером fallback звонят, когда чат недоступен. Проверить: "
         "<code>nabat --channel-test ops</code>"},
    [TEXT_RULES_HEAD] = {"<b>Rules</b>, the first that matches wins:",
                         "<b>Правила</b>, действует первое подходящее:"},
    [TEXT_RULES_NONE] = {"There are no rules: everything that rings goes to the alert chat.",
                         "Правил нет: все тревоги приходят в чат тревог."},
    [TEXT_RULES_ELSE] = {"Everything else that rings goes to the alert chat.",
                         "Все остальные тревоги приходят в чат тревог."},
    [TEXT_RULES_MANY] = {"There are too many to show here: see the table <code>alert_rule</code>.",
                         "Правил слишком много для сообщения: смотрите таблицу "
                         "<code>alert_rule</code>."},
    [TEXT_RULES_HOW] = {"How to change them: /help rules", "Как менять: /help rules"},
    [TEXT_RULE_IS_OFF] = {"off", "выключено"},
    [TEXT_RULE_ADDED] = {"Rule {0} is set: <code>{1}</code>",
                         "Правило {0} задано: <code>{1}</code>"},
    [TEXT_RULE_DELETED] = {"Rule {0} is gone, and so are those under it.",
                           "Правило {0} удалено вместе с теми, что под ним."},
    [TEXT_RULE_ON] = {"Rule {0} is on.", "Правило {0} включено."},
    [TEXT_RULE_OFF] = {"Rule {0} is off, and so are those under it.",
                       "Правило {0} выключено вместе с теми, что под ним."},
    [TEXT_NO_RULE] = {"There is no rule {0}.", "Правила {0} нет."},
    [TEXT_NO_CHANNEL] = {"There is no channel “{0}”: /channels", "Нет канала «{0}»: /channels"},
    [TEXT_CHANNELS_NONE] =
        {"There are no channels besides the chat. How to add one: /help channels",
         "Кроме чата, других каналов нет. Как добавить: /help channels"},
    [TEXT_CHANNEL_OFF] = {"off", "выключен"},
    [TEXT_CHANNEL_FALLBACK] = {"fallback {0}", "запасной {0}"},
    [TEXT_CHANNEL_WELL] = {"worked {0}", "сработал {0}"},
    [TEXT_CHANNEL_ILL] = {"refused the last message: {0}", "не принял последнее сообщение: {0}"},
    [TEXT_CHANNEL_UNUSED] = {"not used yet", "ещё не использовался"},
    [TEXT_RULE_BAD] =
        {"<code>{0}</code> is not understood, nothing was changed. What a rule is made "
         "of: /help rules",
         "Непонятно: <code>{0}</code>. Ничего не изменено. Из чего состоит правило: "
         "/help rules"},
    [TEXT_RULE_EMPTY] = {"Say what the rule is for: /help rules",
                         "Напишите, что за правило: /help rules"},
    [TEXT_SILENCE_ON] = {"🔕 Silence until {0}. Errors are counted and told afterwards. To end it: "
                         "/silence off",
                         "🔕 Тишина до {0}. Ошибки считаются, расскажу о них потом. Закончить: "
                         "/silence off"},
    [TEXT_SILENCE_ON_FOR] = {"🔕 Silence until {0}: {1}. Errors are counted and told afterwards. To "
                             "end it: /silence off",
                             "🔕 Тишина до {0}: {1}. Ошибки считаются, расскажу о них потом. "
                             "Закончить: /silence off"},
    [TEXT_SILENCE_OFF] = {"🔔 The silence is over.", "🔔 Тишина закончена."},
    [TEXT_SILENCE_NONE] =
        {"Nothing is silenced. For half an hour: <code>/silence 30m deploy</code>",
         "Ничего не заглушено. На полчаса: <code>/silence 30m выкатка</code>"},
    [TEXT_SILENCE_LINE] = {"🔕 until {0}: {1}", "🔕 до {0}: {1}"},
    [TEXT_QUIET_SILENT] = {"🌙 {0}: alerts come to this chat without a sound.",
                           "🌙 {0}: тревоги приходят в этот чат без звука."},
    [TEXT_QUIET_HOLDS] = {"🌙 {0}: alerts for this chat wait until these hours are over and come "
                          "together.",
                          "🌙 {0}: тревоги для этого чата ждут конца этих часов и приходят вместе."},
    [TEXT_QUIET_OFF] =
        {"This chat has no quiet hours. To set them: <code>/quiet 23:00-08:00</code>",
         "Тихих часов у этого чата нет. Задать: <code>/quiet 23:00-08:00</code>"},
    [TEXT_WORRY_DATABASE] =
        {"the database does not answer ({0}). Errors wait on disk meanwhile, critical ones ring; "
         "buttons "
         "and commands will work when it is back.",
         "база данных не отвечает ({0}). Ошибки пока ждут на диске, критические звонят; кнопки и "
         "команды заработают, когда она вернётся."},
    [TEXT_WORRY_DATABASE_REFUSED] =
        {"the database does not answer ({0}). Until it does, events are refused "
         "with 503 and SDKs keep or drop them.",
         "база данных не отвечает ({0}). Пока это так, события отклоняются с "
         "кодом 503, и SDK их хранят или теряют."},
    [TEXT_WORRY_QUEUE] = {"events wait for the database: half of their memory is full ({0}).",
                          "события ждут базу данных: память для них занята наполовину ({0})."},
    [TEXT_WORRY_DISK] = {"the disk is nearly full: {0} free.",
                         "диск почти заполнен: свободно {0}."},
    [TEXT_WORRY_SPOOL] =
        {"the place where errors wait while the database is away (SPOOL_DIR) is in "
         "trouble: {0}. When it takes no more, new errors are refused.",
         "с местом, где ошибки ждут недоступную базу (SPOOL_DIR), неладно: {0}. Когда "
         "оно кончится, новые ошибки приниматься не будут."},
    [TEXT_WORRY_TOKEN] =
        {"Telegram does not accept the bot's token ({0}): no alert reaches the chat.",
         "Telegram не принимает токен бота ({0}): тревоги не доходят до чата."},
    [TEXT_WORRY_POLLER] =
        {"alerts ring, but commands and buttons do not work: somebody else takes this "
         "bot's updates ({0}).",
         "тревоги приходят, но команды и кнопки не работают: обновления этого бота "
         "забирает кто-то другой ({0})."},
    [TEXT_WORRY_UPDATES] = {"commands and buttons do not work: {0}",
                            "команды и кнопки не работают: {0}"},
    [TEXT_WORRY_CLOCK] = {"this machine's clock jumped by {0}.",
                          "часы этой машины прыгнули на {0}."},
    [TEXT_WORRY_STORE] =
        {"the errors' store has reached its limit (STORE_MAX_BYTES, {0}), and there is no older "
         "day left to drop. Errors go on being counted and ring, but new ones are not kept one by "
         "one. Raise the limit, or find out what fills it: /errors.",
         "хранилище ошибок достигло предела (STORE_MAX_BYTES, {0}), и старых дней, которые можно "
         "удалить, не осталось. Ошибки по-прежнему считаются и звонят, но каждая в отдельности не "
         "сохраняется. Поднимите предел или посмотрите, что его заполняет: /errors."},
    [TEXT_WELL_STORE] = {"the errors' store has room again, after {0} min.",
                         "в хранилище ошибок снова есть место, прошло {0} мин."},
    [TEXT_WELL_DATABASE] = {"the database answers again, after {0} min.",
                            "база данных снова отвечает, прошло {0} мин."},
    [TEXT_WELL_QUEUE] = {"events no longer wait for the database, after {0} min.",
                         "очередь событий к базе данных разошлась, прошло {0} мин."},
    [TEXT_WELL_DISK] = {"there is room on the disk again, after {0} min.",
                        "на диске снова есть место, прошло {0} мин."},
    [TEXT_WELL_SPOOL] = {"SPOOL_DIR is well again, after {0} min.",
                         "с SPOOL_DIR снова всё в порядке, прошло {0} мин."},
    [TEXT_WELL_TOKEN] = {"Telegram accepts the bot's token again, after {0} min.",
                         "Telegram снова принимает токен бота, прошло {0} мин."},
    [TEXT_WELL_UPDATES] = {"commands and buttons work again, after {0} min.",
                           "команды и кнопки снова работают, прошло {0} мин."},
};
