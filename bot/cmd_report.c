/* cmd_report.c -- /report: the day, the week or the month in words; of more than a day with its chart. */
#include "bot/command.h"

#include "core/limits.h"
#include "core/mem.h"
#include "stats/ask.h"
#include "stats/draw.h"

#include <stdlib.h>

struct reporting {
    struct talk *talk;
    char *words;
};

static void reported(struct reporting *r)
{
    struct talk *talk = r->talk;
    free(r->words);
    free(r);
    talk_end(talk);
}

static void on_drawn(void *ctx, const char *data, size_t len)
{
    struct reporting *r = ctx;
    if (data)
        talk_photo(r->talk, "", r->words, data, len);
    else
        talk_reply(r->talk, r->words);
    reported(r);
}

static void on_report(void *ctx, const struct report *report, const struct err *err)
{
    struct talk *talk = ctx;
    struct buf html;
    if (err) {
        talk_say_away(talk);
        talk_end(talk);
        return;
    }
    struct reporting *r = mem_alloc(sizeof *r);
    buf_init(&html, TG_TEXT_BYTES_MAX);
    report_words(report, &html);
    *r = (struct reporting){talk, buf_take(&html)};
    if (report->view.period == PERIOD_DAY)
        on_drawn(r, NULL, 0);
    else
        stats_draw(talk->bot->loop, stats_chart(&report->view), "--png", on_drawn, r);
}

void bot_cmd_report(struct talk *talk)
{
    enum stats_period period = PERIOD_DAY;
    if (*talk->args && !stats_period_parse(talk->args, &period)) {
        talk_say_usage(talk);
        talk_end(talk);
        return;
    }
    stats_report(talk->bot->pg, period, &talk->look, SPAN_NOW, talk->setting.dark_charts, on_report,
                 talk);
}
