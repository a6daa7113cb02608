/* cmd_stats.c -- /stats: a chart and five numbers; /top: what has most, as bars.
 *
 *     /stats words --numbers--> description --nabat-chart--> photo with a caption
 *                                    \_____ no picture _____> the caption as a message */
#include "bot/command.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "core/mem.h"
#include "stats/chart.h"
#include "stats/draw.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct showing {
    struct talk *talk;
    char *words; /* what the request borrows from */
    struct stats_request request;
    struct stats_ask ask;
    struct buf caption;
};

static struct showing *showing_new(struct talk *talk, bool tops)
{
    struct showing *s = mem_alloc(sizeof *s);
    s->talk = talk;
    s->words = mem_str_dup(talk->args);
    stats_request_parse(s->words, tops, &s->request);
    stats_period_ask(s->request.period, talk->look.now_ms, talk->look.zone, &s->ask);
    s->ask.filter = s->request.filter;
    buf_init(&s->caption, TG_TEXT_BYTES_MAX);
    return s;
}

static void shown(struct showing *s)
{
    struct talk *talk = s->talk;
    buf_fini(&s->caption);
    free(s->words);
    free(s);
    talk_end(talk);
}

static void on_drawn(void *ctx, const char *data, size_t len)
{
    struct showing *s = ctx;
    if (data)
        talk_photo(s->talk, buf_text(&s->caption), NULL, data, len);
    else
        talk_reply(s->talk, buf_text(&s->caption));
    shown(s);
}

static void on_stats(void *ctx, const struct stats *stats, const struct err *err)
{
    struct showing *s = ctx;
    if (err) {
        talk_say_away(s->talk);
        shown(s);
        return;
    }
    bool dark = s->request.theme == THEME_AS_SET ? s->talk->setting.dark_charts
                                                 : s->request.theme == THEME_DARK;
    struct stats_view view = {stats, &s->ask, s->request.period, &s->talk->look, dark};
    stats_caption(&view, &s->caption);
    stats_draw(s->talk->bot->loop, stats_chart(&view), "--png", on_drawn, s);
}

static bool is_too_much(struct showing *s)
{
    if (!s->request.surplus)
        return false;
    talk_say_usage(s->talk);
    shown(s);
    return true;
}

void bot_cmd_stats(struct talk *talk)
{
    if (strcasecmp(talk->args, "checks") == 0) {
        bot_list_checks(talk);
        return;
    }
    struct showing *s = showing_new(talk, false);
    if (!is_too_much(s))
        store_stats(talk->bot->pg, &s->ask, on_stats, s);
}

static void on_top(void *ctx, const struct stats_line *lines, size_t count, int64_t total,
                   const struct err *err)
{
    struct showing *s = ctx;
    if (err) {
        talk_say_away(s->talk);
    } else {
        stats_top_render(s->request.top, s->request.period, &s->talk->look, lines, count, total,
                         &s->caption);
        talk_reply(s->talk, buf_text(&s->caption));
    }
    shown(s);
}

void bot_cmd_top(struct talk *talk)
{
    struct showing *s = showing_new(talk, true);
    if (is_too_much(s))
        return;
    store_stats_top(talk->bot->pg, s->request.top, s->ask.from_ms,
                    s->ask.from_ms + s->ask.width_ms * s->ask.buckets, &s->ask.filter, on_top, s);
}
