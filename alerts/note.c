/* note.c -- feedback as a quote; a recovery as one line with how long it took. */
#include "alerts/note.h"

#include "alerts/html.h"
#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_UNITS_MAX = 200, TEXT_UNITS_MAX = 3000 };

static void add_feedback(const struct outbox_row *row, enum language language, struct buf *html)
{
    const char *author = row->note_author      ? row->note_author
                         : language == LANG_RU ? "Пользователь"
                                               : "A user";
    buf_add_str(html, "💬 <b>");
    html_add_cut(html, author, strlen(author), NAME_UNITS_MAX);
    buf_addf(html,
             language == LANG_RU ? "</b> об ошибке #%" PRId64 ":\n" : "</b> about #%" PRId64 ":\n",
             row->group.id);
    buf_add_str(html, "<blockquote>");
    html_add_cut(html, row->note, strlen(row->note), TEXT_UNITS_MAX);
    buf_add_str(html, "</blockquote>");
}

static void add_duration(int64_t minutes, enum language language, struct buf *html)
{
    bool ru = language == LANG_RU;
    if (minutes >= 48 * 60)
        buf_addf(html, ru ? "%" PRId64 " д %" PRId64 " ч" : "%" PRId64 " d %" PRId64 " h",
                 minutes / 1440, minutes % 1440 / 60);
    else if (minutes >= 60)
        buf_addf(html, ru ? "%" PRId64 " ч %" PRId64 " мин" : "%" PRId64 " h %" PRId64 " min",
                 minutes / 60, minutes % 60);
    else if (minutes > 0)
        buf_addf(html, ru ? "%" PRId64 " мин" : "%" PRId64 " min", minutes);
    else
        buf_add_str(html, ru ? "меньше минуты" : "less than a minute");
}

/* The note's body is "<minutes> <failures>", its author the job; no failures: an alert that fired. */
static void add_recovery(const struct outbox_row *row, enum language language, struct buf *html)
{
    char times[WORDS_COUNT_BYTES];
    char *rest = NULL;
    int64_t minutes = strtoll(row->note, &rest, 10);
    long long failures = strtoll(rest, NULL, 10);
    words_count(language, COUNT_TIMES, failures, times);
    buf_add_str(html, "✅ <b>");
    const char *job = row->note_author ? row->note_author : "";
    html_add_cut(html, job, strlen(job), NAME_UNITS_MAX);
    if (failures == 0) { /* an alert of a monitoring system */
        buf_add_str(html, language == LANG_RU ? "</b>: всё снова в порядке, продолжалось "
                                              : "</b> is over: it lasted ");
        add_duration(minutes, language, html);
        return;
    }
    buf_add_str(html, language == LANG_RU ? "</b> снова работает: сбой длился "
                                          : "</b> runs again: it failed for ");
    add_duration(minutes, language, html);
    if (language == LANG_RU)
        buf_addf(html, ", неудачных запусков: %lld", failures);
    else
        buf_addf(html, ", %s", times);
}

/* The note's body is their number. */
static void add_counted(const struct outbox_row *row, enum language language, struct buf *html)
{
    char counted[WORDS_COUNT_BYTES];
    words_count(language, COUNT_COUNTED, strtoll(row->note, NULL, 10), counted);
    buf_addf(html, "🔢 %s: #%" PRId64 " ", counted, row->group.id);
    html_add_cut(html, row->group.title, strlen(row->group.title), NAME_UNITS_MAX);
}

void note_render(const struct outbox_row *row, enum language language, struct buf *html)
{
    if (strcmp(row->reason, "recovered") == 0)
        add_recovery(row, language, html);
    else if (strcmp(row->reason, "counted") == 0)
        add_counted(row, language, html);
    else
        add_feedback(row, language, html);
}
