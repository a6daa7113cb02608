/* reports.c -- see reports.h.
 *
 *     every 2 s: the next word --> a card, or a message --sent, or refused for good--> written down --> the next word */
#include "bot/reports.h"

#include "alerts/card.h"
#include "alerts/html.h"
#include "bot/command.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/chat.h"
#include "store/user_report.h"

#include <stdio.h>
#include <stdlib.h>

static const double LOOK_SECONDS = 2.0;
enum { AGAIN_MS = 30 * 1000 };

struct reports {
    struct bot *bot;
    struct pg *pg;
    struct lease *lease;
    int64_t thread_id;
    ev_timer timer;
    bool busy;
    int64_t again_ms;        /* not before (clock_mono_ms) */
    int64_t show_again_ms;   /* cards in the alert chat */
    struct report_word word; /* under way; its texts are gone */
    char state[24];
    struct look look;
    struct shown_card shown;
};

static void on_said(void *ctx, const struct err *err)
{
    struct reports *r = ctx;
    if (err)
        log_warn("a word about a report was said, but that is not written down: it may come again",
                 LOG_S("error", err->text), LOG_END);
    r->busy = false;
    r->again_ms = err ? clock_mono_ms() + AGAIN_MS : 0;
    if (!err)
        ev_feed_event(r->bot->loop, &r->timer, EV_TIMER);
}

static void on_card_kept(void *ctx, const struct err *err)
{
    (void)ctx;
    if (err)
        log_warn("a message with buttons is not written down: they will not work",
                 LOG_S("error", err->text), LOG_END);
}

static void on_sent(void *ctx, const struct chat_result *result)
{
    struct reports *r = ctx;
    bool may_come = result->outcome == TG_UNREACHABLE || result->outcome == TG_TOO_MANY ||
                    (r->word.what == NEWS_SHOW && result->outcome == TG_CHAT_GONE);
    if (result->outcome == TG_OK && r->word.what == NEWS_SHOW)
        store_card_put(r->pg, result->chat_id, result->message_id, result->thread_id, &r->shown,
                       on_card_kept, NULL);
    if (result->outcome != TG_OK)
        log_warn("a word about a report was not sent", LOG_S("error", result->text), LOG_END);
    if (may_come) {
        r->busy = false;
        if (r->word.what == NEWS_SHOW) /* a chat that is gone holds up nobody's word */
            r->show_again_ms = clock_mono_ms() + AGAIN_MS;
        else
            r->again_ms = clock_mono_ms() + AGAIN_MS;
        return;
    }
    /* who never spoke to the bot can't be written to: that is not tried again and again */
    r->word.state = r->state;
    store_user_report_said(r->pg, &r->word, on_said, r);
}

static void send(struct reports *r, int64_t chat_id, int64_t thread_id, const char *html,
                 const struct chat_keyboard *keyboard)
{
    struct chat_message message = {.chat_id = chat_id,
                                   .thread_id = thread_id,
                                   .html = html,
                                   .keyboard = keyboard,
                                   .silent = r->word.what == NEWS_SHOW,
                                   .patient = true};
    r->bot->chat->send(r->bot->chat, &message, on_sent, r);
}

static void on_group(void *ctx, const struct group *group, const struct err *err)
{
    struct reports *r = ctx;
    struct buf html;
    struct chat_keyboard keyboard;
    struct card card = {.group = group, .look = &r->look, .links = r->bot->links};
    if (err || !group) {
        r->busy = false;
        r->again_ms = clock_mono_ms() + AGAIN_MS;
        return;
    }
    buf_init(&html, TG_TEXT_BYTES_MAX);
    card_render(&card, &html, &keyboard);
    r->shown = (struct shown_card){group->id, group->occurrences, group->status,
                                   group->undo_until_ms, language_code(r->look.language)};
    send(r, r->bot->alert_chat_id, r->thread_id, buf_text(&html), &keyboard);
    buf_fini(&html);
}

static void on_setting(void *ctx, const struct chat_setting *setting, const struct err *err)
{
    struct reports *r = ctx;
    if (err || !setting) {
        r->busy = false;
        return;
    }
    const char *language = setting->language ? setting->language : r->bot->language;
    r->look = (struct look){.language = language_of_code(language),
                            .is_quiet = setting->is_quiet,
                            .now_ms = clock_wall_ms()};
    snprintf(r->look.zone, sizeof r->look.zone, "%s", setting->time_zone ? setting->time_zone : "");
    store_group_get(r->pg, r->word.group_id, on_group, r);
}

/* In private, in the language of whoever is told. */
static void tell(struct reports *r, const struct report_word *word)
{
    char number[TALK_NUMBER_BYTES];
    enum language l = language_of_code(word->language ? word->language : r->bot->language);
    const char *over[] = {word->title, bot_text(l, bot_state_text(word->state)), word->note};
    const char *yours[] = {talk_number(word->group_id, number), word->title};
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    if (word->what == NEWS_OVER)
        bot_text_fill(l, word->note ? TEXT_REPORT_OVER_NOTE : TEXT_REPORT_OVER, over, 3, &html);
    else
        bot_text_fill(l, TEXT_REPORT_YOURS, yours, 2, &html);
    send(r, word->chat_id, 0, buf_text(&html), NULL);
    buf_fini(&html);
}

static void on_word(void *ctx, const struct report_word *word, const struct err *err)
{
    struct reports *r = ctx;
    if (err || word->what == NEWS_NONE) {
        r->busy = false;
        return;
    }
    r->word = *word;
    snprintf(r->state, sizeof r->state, "%s", word->state);
    if (word->what == NEWS_SHOW)
        store_chat_setting_get(r->pg, r->bot->alert_chat_id, on_setting, r);
    else
        tell(r, word);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct reports *r = timer->data;
    if (r->busy || clock_mono_ms() < r->again_ms || !store_lease_is_held(r->lease) ||
        !pg_is_up(r->pg))
        return;
    r->busy = true;
    store_user_report_next(r->pg, r->bot->alert_chat_id && clock_mono_ms() >= r->show_again_ms,
                           on_word, r);
}

struct reports *reports_new(struct bot *bot, struct pg *pg, struct lease *lease, int64_t thread_id)
{
    struct reports *r = mem_alloc(sizeof *r);
    *r = (struct reports){.bot = bot, .pg = pg, .lease = lease, .thread_id = thread_id};
    ev_timer_init(&r->timer, on_look, LOOK_SECONDS, LOOK_SECONDS);
    r->timer.data = r;
    ev_timer_start(bot->loop, &r->timer);
    return r;
}

void reports_free(struct reports *r)
{
    if (!r)
        return;
    ev_timer_stop(r->bot->loop, &r->timer);
    free(r);
}
