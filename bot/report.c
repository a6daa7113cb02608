/* report.c -- see report.h.
 *
 *     every 20 s: due? --which day was last--> how the chat wants it --> report --> message --sent--> written down
 *                                                          on Mondays: chart first --^
 *
 * It is written down once Telegram has it, or may have it. What was refused or could not be sent goes again, a minute later;
 * a process that is killed between the two sends it twice. */
#include "bot/report.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "stats/ask.h"
#include "stats/draw.h"
#include "store/chat.h"
#include "store/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTING_REPORT_DAY "report_day"
static const double LOOK_SECONDS = 20.0;
enum { AGAIN_MS = 60 * 1000 };

struct reporter {
    struct bot *bot;
    struct pg *pg;
    struct lease *lease;
    struct daily at;
    int64_t thread_id;
    ev_timer timer;
    bool busy;
    char day[DAILY_DAY_BYTES];  /* that the one under way is of */
    char done[DAILY_DAY_BYTES]; /* of the last one that is known to be sent */
    int64_t again_ms;           /* not before (clock_mono_ms) */
    bool has_chart;             /* of the one under way: the chart is there already */
    struct look look;
    bool is_dark;
    char *words; /* of the one under way; owned */
};

static void end(struct reporter *r)
{
    free(r->words);
    r->words = NULL;
    r->busy = false;
}

/* Not sent: again in a minute, as long as it is due. */
static void fail(struct reporter *r)
{
    r->again_ms = clock_mono_ms() + AGAIN_MS;
    end(r);
}

static void on_written_down(void *ctx, const char *value, const struct err *err)
{
    struct reporter *r = ctx;
    (void)value;
    if (err)
        log_warn("the report was sent, but that is not written down: it may come again",
                 LOG_S("error", err->text), LOG_END);
    end(r);
}

static void on_sent(void *ctx, const struct chat_result *result)
{
    struct reporter *r = ctx;
    if (result->outcome != TG_OK && result->outcome != TG_UNCERTAIN) {
        log_warn("the report was not sent: it is tried again", LOG_S("error", result->text),
                 LOG_END);
        fail(r);
        return;
    }
    snprintf(r->done, sizeof r->done, "%s", r->day);
    r->has_chart = false;
    store_setting_put(r->pg, SETTING_REPORT_DAY, r->day, on_written_down, r);
}

static struct chat_message message_of(const struct reporter *r, const char *html)
{
    return (struct chat_message){
        .chat_id = r->bot->alert_chat_id, .thread_id = r->thread_id, .html = html, .patient = true};
}

static void send_words(struct reporter *r)
{
    struct chat_message message = message_of(r, r->words);
    r->bot->chat->send(r->bot->chat, &message, on_sent, r);
}

/* The words matter; they go without the picture, too. */
static void on_photo(void *ctx, const struct chat_result *result)
{
    struct reporter *r = ctx;
    r->has_chart = result->outcome == TG_OK || result->outcome == TG_UNCERTAIN;
    if (result->outcome != TG_OK)
        log_warn("picture not sent", LOG_S("error", result->text), LOG_END);
    send_words(r);
}

static void on_drawn(void *ctx, const char *data, size_t len)
{
    struct reporter *r = ctx;
    struct chat_message message = message_of(r, "");
    if (data)
        r->bot->chat->photo(r->bot->chat, &message, data, len, on_photo, r);
    else
        send_words(r);
}

static void on_report(void *ctx, const struct report *report, const struct err *err)
{
    struct reporter *r = ctx;
    struct buf html;
    if (err) {
        fail(r); /* the database is away: it is asked again */
        return;
    }
    buf_init(&html, TG_TEXT_BYTES_MAX);
    report_words(report, &html);
    r->words = buf_take(&html);
    if (report->view.period == PERIOD_WEEK && !r->has_chart)
        stats_draw(r->bot->loop, stats_chart(&report->view), "--png", on_drawn, r);
    else
        send_words(r);
}

static void on_setting(void *ctx, const struct chat_setting *setting, const struct err *err)
{
    struct reporter *r = ctx;
    if (err || !setting) {
        fail(r);
        return;
    }
    const char *language = setting->language ? setting->language : r->bot->language;
    r->look = (struct look){.language = language_of_code(language), .now_ms = clock_wall_ms()};
    snprintf(r->look.zone, sizeof r->look.zone, "%s",
             setting->time_zone ? setting->time_zone : r->at.zone);
    r->is_dark = setting->dark_charts;
    stats_report(r->pg, daily_is_monday(&r->at, r->look.now_ms) ? PERIOD_WEEK : PERIOD_DAY,
                 &r->look, SPAN_WHOLE, r->is_dark, on_report, r);
}

static void on_last_day(void *ctx, const char *value, const struct err *err)
{
    struct reporter *r = ctx;
    bool due = !err && daily_is_due(&r->at, clock_wall_ms(), value, r->day);
    if (!err && value)
        snprintf(r->done, sizeof r->done, "%s", value);
    if (!due)
        fail(r);
    else
        store_chat_setting_get(r->pg, r->bot->alert_chat_id, on_setting, r);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct reporter *r = timer->data;
    char day[DAILY_DAY_BYTES];
    if (r->busy || !r->bot->alert_chat_id || !store_lease_is_held(r->lease) || !pg_is_up(r->pg) ||
        clock_mono_ms() < r->again_ms ||
        !daily_is_due(&r->at, clock_wall_ms(), r->done[0] ? r->done : NULL, day))
        return;
    r->busy = true;
    store_setting_get(r->pg, SETTING_REPORT_DAY, on_last_day, r);
}

struct reporter *reporter_new(struct bot *bot, struct pg *pg, struct lease *lease,
                              const struct daily *at, int64_t thread_id)
{
    struct reporter *r = mem_alloc(sizeof *r);
    *r = (struct reporter){.bot = bot, .pg = pg, .lease = lease, .at = *at, .thread_id = thread_id};
    ev_timer_init(&r->timer, on_look, 1.0, LOOK_SECONDS);
    r->timer.data = r;
    ev_timer_start(bot->loop, &r->timer);
    return r;
}

void reporter_free(struct reporter *r)
{
    if (!r)
        return;
    ev_timer_stop(r->bot->loop, &r->timer);
    free(r->words);
    free(r);
}
