/* texts.c -- what the bot says, English and Russian side by side. */
#include "bot/texts.h"

static const char *const TABLE[TEXTS][LANGUAGES] = {
    [TEXT_START] =
        {"This is Nabat: it rings here when something breaks, and you work errors off here.\n"
         "/errors shows what is open, /help shows everything.",
         "Это «Набат»: он бьёт тревогу здесь, когда что-то ломается, и здесь же ошибки разбирают.\n"
         "/errors — что сейчас открыто, /help — все команды."},
    [TEXT_START_NO_CHAT] =
        {"Nabat is running, but there is no chat for alerts yet.\n"
         "Set <code>ERROR_ALERT_CHAT_ID=%lld</code> for this chat, or add the bot to a group and "
         "ask it /id there.",
         "«Набат» работает, но чат для тревог ещё не задан.\n"
         "Для этого чата задайте <code>ERROR_ALERT_CHAT_ID=%lld</code> или добавьте бота в группу "
         "и спросите там /id."},
    [TEXT_HELP_HEAD] = {"<b>What you can ask</b>", "<b>Команды</b>"},
    [TEXT_HELP_ERRORS] = {"open errors, newest first", "открытые ошибки, новые сверху"},
    [TEXT_HELP_ERROR] = {"everything about one error", "всё об одной ошибке"},
    [TEXT_HELP_TAKE] = {"say that you are on it", "взять ошибку в работу"},
    [TEXT_HELP_RESOLVE] = {"it is fixed; if it comes back, it rings at once",
                           "ошибка исправлена; если вернётся — сразу тревога"},
    [TEXT_HELP_REOPEN] = {"it is not fixed after all", "всё-таки не исправлена"},
    [TEXT_HELP_MUTE] = {"no alerts for a while, or until it happened N more times",
                        "без тревог на время или пока не случится ещё N раз"},
    [TEXT_HELP_UNMUTE] = {"alerts again", "снова с тревогами"},
    [TEXT_HELP_MONITORS] = {"cron jobs that check in",
                            "регулярные задачи: последний и следующий запуск"},
    [TEXT_HELP_ID] = {"your id and this chat's id", "ваш id и id этого чата"},
    [TEXT_HELP_HELP] = {"this list", "этот список"},
    [TEXT_HELP_START] = {"what this is", "что это такое"},
    [TEXT_USAGE] = {"Use it like this: <code>/%s %s</code>", "Пишите так: <code>/%s %s</code>"},
    [TEXT_UNKNOWN_COMMAND] = {"There is no command /%s. /help shows all of them.",
                              "Команды /%s нет. /help покажет все."},
    [TEXT_NO_SUCH_GROUP] = {"There is no error #%lld. /errors shows what is open.",
                            "Ошибки №%lld нет. /errors покажет открытые."},
    [TEXT_NO_ERRORS] = {"Nothing found: all quiet.", "Ничего не найдено: всё спокойно."},
    [TEXT_ERRORS_HEAD] = {"<b>%s</b>\n\n", "<b>%s</b>\n\n"},
    [TEXT_ERRORS_MORE] = {"\n… and %lld more. Narrow it down: /errors critical, /errors text",
                          "\n… и ещё %lld. Можно сузить: /errors critical, /errors текст"},
    [TEXT_TAKEN] = {"Taken", "Взято в работу"},
    [TEXT_RESOLVED] = {"Resolved", "Решено"},
    [TEXT_REOPENED] = {"Reopened", "Снова открыта"},
    [TEXT_MUTED] = {"Muted", "Звук выключен"},
    [TEXT_UNMUTED] = {"Unmuted", "Звук включён"},
    [TEXT_DATABASE_AWAY] = {"The database does not answer right now. Please try again in a moment.",
                            "База данных сейчас не отвечает. Попробуйте чуть позже."},
    [TEXT_NOT_A_CARD] = {"This message is not one of my alerts",
                         "Это сообщение — не моя карточка ошибки"},
    [TEXT_STACK_COMES] = {"The stack follows as a file", "Стек придёт файлом"},
    [TEXT_NO_EVENT] = {"Its events are past retention and gone",
                       "Её события уже удалены: срок хранения истёк"},
    [TEXT_ID] = {"You are <code>%lld</code>, this chat is <code>%lld</code>.",
                 "Ваш id — <code>%lld</code>, id этого чата — <code>%lld</code>."},
    [TEXT_STRANGER] = {"This bot serves one team. If it is yours, tell its owner your id: "
                       "<code>%lld</code>",
                       "Этот бот работает для одной команды. Если вы в ней, сообщите владельцу "
                       "свой id: <code>%lld</code>"},
    [TEXT_FOREIGN_GROUP] = {"I answer only in the team's alert chat and in private.",
                            "Я отвечаю только в чате тревог команды и в личных сообщениях."},
    [TEXT_ONLY_OWNERS] = {"Only owners may do this.", "Это могут только владельцы."},
    [TEXT_NO_SUCH_BUTTON] = {"There is no such button here.", "Такой кнопки здесь нет."},
    [TEXT_NO_MONITORS] =
        {"No cron job has checked in yet. docs/sentry.md shows how one does.",
         "Ни одна регулярная задача ещё не выходила на связь. Как её подключить — в "
         "docs/sentry.md."},
    [TEXT_MONITORS_MORE] = {"\n… and %lld more", "\n… и ещё %lld"},
    [TEXT_MONITOR_FAILING] = {"failing since ", "сбой с "},
    [TEXT_MONITOR_OK] = {"ok at ", "в порядке, последний успех "},
    [TEXT_MONITOR_WAITING] = {"has not succeeded yet", "ещё ни разу не отработала"},
    [TEXT_MONITOR_NEXT] = {", next ", ", следующая "},
};

const char *bot_text(enum language language, enum text which)
{
    return TABLE[which][language];
}
