/* texts_reports.c -- what the bot says about people's reports and comments, English and Russian side by side. */
#include "bot/texts.h"

const char *const REPORT_TEXTS[TEXTS][LANGUAGES] = {
    [TEXT_HELP_ISSUE] = {"make a GitHub issue of it", "завести задачу на GitHub"},
    [TEXT_MORE_ISSUE] = {"Its title, stack and numbers, labelled by severity, origin and category. "
                         "From then on both are resolved and reopened together.",
                         "Заголовок, стек и числа, метки — важность, источник, категория. Дальше "
                         "задача и ошибка решаются и открываются вместе."},
    [TEXT_ISSUE_MADE] = {"🐙 The issue is made: {0}", "🐙 Задача заведена: {0}"},
    [TEXT_ISSUE_THERE] = {"🐙 It has an issue: {0}", "🐙 Задача уже есть: {0}"},
    [TEXT_ISSUE_BUSY] = {"It is being made, or it is not known whether it was: look on GitHub, and "
                         "ask again in two minutes",
                         "Её как раз заводят, или неизвестно, завелась ли: посмотрите на GitHub и "
                         "повторите через две минуты"},
    [TEXT_ISSUE_FAILED] = {"No issue was made: {0}", "Задача не заведена: {0}"},
    [TEXT_ISSUES_OFF] =
        {"No tracker is set: an operator sets GITHUB_ISSUES_TOKEN and GITHUB_ISSUES_REPO",
         "Трекер не настроен: нужны GITHUB_ISSUES_TOKEN и GITHUB_ISSUES_REPO"},
    [TEXT_HELP_COMMENT] = {"say something about an error", "сказать что-то об ошибке"},
    [TEXT_MORE_COMMENT] =
        {"Unlike the note, which is one and is replaced, comments add up: /error N shows the last "
         "five. Example: <code>/comment 12 only on Android</code>",
         "В отличие от заметки, которая одна и заменяется, комментарии копятся: /error N покажет "
         "последние пять. Пример: <code>/comment 12 только на Android</code>"},
    [TEXT_HELP_REPORT_BUG] = {"report what no program noticed",
                              "сообщить о том, чего программа не заметила"},
    [TEXT_MORE_REPORT_BUG] = {"The first line is its title. In reply to a message, that is part of "
                              "it. You get a code, and a word when it is over, if you press the "
                              "button. If the bot showed a code, put it in front. Example: "
                              "<code>/report_bug Paid, but no picture came</code>",
                              "Первая строка — заголовок. В ответ на сообщение — его текст войдёт "
                              "в отчёт. Если бот показал код, начните с него. Вы получите код и, "
                              "если нажмёте кнопку, уведомление о решении. "
                              "Пример: <code>/report_bug Оплатил, а картинка не пришла</code>"},
    [TEXT_HELP_STATE] = {"how far a person's report is", "на каком этапе сообщение пользователя"},
    [TEXT_MORE_STATE] = {"The six states of a report are three of an error: investigating, "
                         "confirmed and in_progress are in progress, resolved and wont_fix are "
                         "resolved. Take and Resolve on its card change it, too.",
                         "Шесть состояний сообщения — три состояния ошибки: investigating, "
                         "confirmed и in_progress значат «в работе», resolved и wont_fix — "
                         "«решена». Кнопки на карточке тоже меняют состояние."},
    [TEXT_BUG_ADDED] = {"Thank you, it is written down: {0}\nIts code is <code>{1}</code>.",
                        "Спасибо, записано: {0}\nКод: <code>{1}</code>."},
    [TEXT_BUG_ATTACHED] = {"It is attached to the error whose code you gave.",
                           "Прикреплено к ошибке, код которой вы указали."},
    [TEXT_BUTTON_FOLLOW] = {"Tell me when it is over", "Сообщить мне о решении"},
    [TEXT_FOLLOWED] = {"I will write to you in private when it is over",
                       "Напишу вам в личные сообщения, когда будет решение"},
    [TEXT_FOLLOW_THEIRS] = {"Only the person who reported it can ask for that",
                            "Об этом может попросить только автор сообщения"},
    [TEXT_FOLLOW_HERE] = {"You will hear here when this is over: <b>{0}</b>",
                          "Здесь сообщим о решении: <b>{0}</b>"},
    [TEXT_FOLLOW_START] =
        {"<a href=\"tg://user?id={1}\">{0}</a>, I may not write to you first. Open @{2} and press "
         "Start: then I can tell you.",
         "<a href=\"tg://user?id={1}\">{0}</a>, Telegram не даёт боту написать первым. Откройте "
         "@{2} и отправьте /start — тогда уведомление дойдёт."},
    [TEXT_NO_REPORT] =
        {"#{0} is no report of a person: its status is changed by /take, /resolve, /reopen",
         "#{0} — не сообщение пользователя: его меняют /take, /resolve, /reopen"},
    [TEXT_STATE_SET] = {"#{0} {1}: {2}", "#{0} {1}: {2}"},
    [TEXT_STATE_NEW] = {"new", "новое"},
    [TEXT_STATE_INVESTIGATING] = {"being investigated", "выясняем"},
    [TEXT_STATE_CONFIRMED] = {"confirmed", "подтверждено"},
    [TEXT_STATE_IN_PROGRESS] = {"being worked on", "исправляем"},
    [TEXT_STATE_RESOLVED] = {"resolved", "решено"},
    [TEXT_STATE_WONT_FIX] = {"won't be fixed", "исправлять не будем"},
    [TEXT_COMMENTED] = {"💬 Said about #{0}", "💬 Комментарий к #{0} записан"},
    [TEXT_COMMENTS_HEAD] = {"Comments", "Комментарии"},
    [TEXT_REPORT_STATE] = {"🧭 Report: {0}", "🧭 Сообщение: {0}"},
    [TEXT_REPORT_OVER] = {"What you reported is over: <b>{0}</b> — {1}",
                          "По вашему сообщению есть итог: <b>{0}</b> — {1}"},
    [TEXT_REPORT_OVER_NOTE] = {"What you reported is over: <b>{0}</b> — {1}\n{2}",
                               "По вашему сообщению есть итог: <b>{0}</b> — {1}\n{2}"},
    [TEXT_REPORT_YOURS] = {"You are asked to look at a report: <b>#{0}</b> {1}\n/error {0}",
                           "Вам поручили разобраться с сообщением: <b>#{0}</b> {1}\n/error {0}"},
};
