/* emergency.c -- what waits for each chat, one message at a time, and what went out written down.
 *
 * A few errors are cards; more than that, or more while the chat's pace does not allow, become one list.
 * The hard thing is the end: the database comes back while a message is on its way. Replay waits a moment
 * for the answer, since without it the same error would ring again, and what was replayed is not sent. */
#include "alerts/emergency.h"

#include "alerts/html.h"
#include "alerts/waiting.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TICK_SECONDS = 0.1;
enum {
    LIST_ROWS = 20,
    LIST_AGAIN_MS = 30 * 1000,
    RETRY_MS = 5000,
    SETTLE_MS = 3000,
    FORGET_MS = 600 * 1000
};

struct place {
    struct emergency *emergency;
    int64_t chat_id; /* or a channel's id */
    int64_t thread_id;
    struct waiting_line line;
    int64_t more;      /* that did not fit: their number is said */
    int64_t more_said; /* by the list on its way */
    bool is_list;      /* those on their way are one message about several */
    int64_t again_ms;  /* not before */
    int64_t listed_ms;
    bool silent;
};

struct emergency {
    struct emergency_parts parts;
    struct emergency_config config;
    struct channels *channels;
    struct causes *causes;
    struct place *places[EMERGENCY_PLACES_MAX];
    size_t places_count;
    ev_timer tick;
    bool was_away;
    int64_t back_ms;      /* since when the database is there */
    int64_t unsettled_ms; /* since when somebody waits for an answer of the chat; 0: nobody */
};

/* ----------------------------------------------------------------------------------------- waiting */

static struct place *place_of(struct emergency *e, int64_t chat_id)
{
    for (size_t i = 0; i < e->places_count; i++)
        if (e->places[i]->chat_id == chat_id)
            return e->places[i];
    if (e->places_count == EMERGENCY_PLACES_MAX)
        return NULL;
    struct place *p = mem_alloc(sizeof *p);
    p->emergency = e;
    p->chat_id = chat_id;
    e->places[e->places_count++] = p;
    return p;
}

static void add_waiting(struct emergency *e, struct cause *cause, const struct ring *ring,
                        int64_t received_ms)
{
    struct place *p = place_of(e, ring->chat_id);
    if (!p) {
        log_error("an emergency alert has no place left: it rings when the database is back",
                  LOG_I("chat", ring->chat_id), LOG_END);
        return;
    }
    if (!waiting_add(&p->line, cause, received_ms, clock_mono_ms())) {
        p->more++;
        return;
    }
    p->thread_id = ring->thread_id;
    p->silent = ring->silent;
}

static void note_event(struct emergency *e, const struct event *event)
{
    struct rings rings = {0};
    struct causes_known known = {
        .root = e->config.root,
        .rules = store_known_rules(e->parts.known),
        .group = store_known_group(e->parts.known, event->project_id, event->fingerprint),
        .project = store_project_slug(e->parts.projects, event->project_id),
        .now_ms = clock_wall_ms()};
    known.root.chat_id = store_known_chat(e->parts.known, e->config.root.chat_id);
    known.rangs = spool_rangs(e->parts.spool, &known.rangs_count);
    struct cause *cause = causes_note(e->causes, event, &known, &rings);
    for (size_t i = 0; cause && i < rings.count; i++) {
        if (causes_rings(&rings.rings[i]))
            add_waiting(e, cause, &rings.rings[i], event->received_ms);
    }
    store_rings_fini(&rings);
}

void emergency_note(struct emergency *e, const struct event *events, size_t count)
{
    if (!e->parts.is_away(e->parts.ctx))
        return; /* replayed in a moment */
    for (size_t i = 0; i < count; i++)
        note_event(e, &events[i]);
}

/* ----------------------------------------------------------------------------------------- sending */

/* They rang, or may have (no message_id): the database is told when it is back. */
static void write_down(struct place *p, const struct chat_result *result)
{
    struct rang rangs[LIST_ROWS];
    for (size_t i = 0; i < p->line.sending; i++) {
        const struct cause *cause = p->line.items[i].cause;
        rangs[i] = (struct rang){.project_id = cause->project_id,
                                 .chat_id = result->chat_id ? result->chat_id : p->chat_id,
                                 .thread_id = result->thread_id,
                                 .message_id = result->message_id,
                                 .at_ms = clock_wall_ms(),
                                 .is_card = !p->is_list};
        memcpy(rangs[i].fingerprint, cause->fingerprint, sizeof rangs[i].fingerprint);
    }
    spool_add_rangs(p->emergency->parts.spool, rangs, p->line.sending);
}

/* In a chat the database sends it once more, marked, unless it arrives yet; a channel is told in the ordinary way. */
static void lose(struct place *p, const struct chat_result *result, int64_t now)
{
    struct emergency *e = p->emergency;
    log_warn("an emergency alert may not have arrived", LOG_S("error", result->text), LOG_END);
    if (p->chat_id < CHANNEL_ID_MIN)
        write_down(p, result);
    if (e->parts.is_away(e->parts.ctx))
        waiting_lost(&p->line, now);
    else
        waiting_told(&p->line);
}

/* It goes again, unless the database is back: then it rings in the ordinary way. */
static void keep(struct place *p, int64_t again_ms)
{
    struct emergency *e = p->emergency;
    p->again_ms = again_ms;
    if (e->parts.is_away(e->parts.ctx))
        p->line.sending = 0;
    else
        waiting_told(&p->line);
}

static void on_sent(void *ctx, const struct chat_result *result)
{
    struct place *p = ctx;
    struct emergency *e = p->emergency;
    int64_t now = clock_mono_ms();
    int64_t wait_ms = result->retry_after_s ? (int64_t)result->retry_after_s * 1000 : RETRY_MS;
    p->more += result->outcome == TG_OK ? 0 : p->more_said;
    p->more_said = 0;
    switch (result->outcome) {
    case TG_OK:
        write_down(p, result);
        metric_add(METRIC_EMERGENCY_RUNG, (int64_t)p->line.sending);
        waiting_told(&p->line);
        break;
    case TG_UNCERTAIN:
        lose(p, result, now);
        break;
    case TG_CHAT_MOVED:
        p->chat_id = result->migrate_to;
        keep(p, now);
        break;
    case TG_TOO_MANY:
        pacer_refused(e->parts.pacer, p->chat_id, wait_ms / 1000, now);
        keep(p, now);
        break;
    default: /* tried again until the database is back: then it goes the ordinary way */
        log_warn("an emergency alert is not sent", LOG_S("error", result->text), LOG_END);
        keep(p, now + wait_ms);
        break;
    }
}

static struct look look_of(const struct place *p)
{
    const struct emergency *e = p->emergency;
    struct known_look chosen;
    struct look look = {.language = e->config.language, .now_ms = clock_wall_ms()};
    store_known_look(e->parts.known, p->chat_id, &chosen);
    if (chosen.language[0])
        look.language = language_of_code(chosen.language);
    memcpy(look.zone, chosen.time_zone, sizeof look.zone);
    return look;
}

static void render_card(const struct place *p, const struct look *look, struct buf *html)
{
    struct chat_keyboard none = {.count = 0};
    struct card card = {.group = &p->line.items[0].cause->group,
                        .look = look,
                        .possible_repeat = waiting_is_repeat(&p->line),
                        .is_emergency = true,
                        .links = p->emergency->config.links};
    card_render(&card, html, &none);
}

static void render_list(const struct place *p, const struct look *look, struct buf *html)
{
    char number[WORDS_COUNT_BYTES];
    int64_t total = (int64_t)p->line.count + p->more;
    words_count(look->language, COUNT_ERRORS, total, number);
    buf_addf(html, "🔴 <b>%s</b>\n<i>%s</i>\n", number, word(look->language, WORD_EMERGENCY_LIST));
    if (waiting_is_repeat(&p->line))
        buf_addf(html, "<i>%s</i>\n", word(look->language, WORD_POSSIBLE_REPEAT));
    for (size_t i = 0; i < p->line.sending; i++) {
        buf_add_char(html, '\n');
        card_render_line(&p->line.items[i].cause->group, look, html);
    }
    if (total >
        (int64_t)p->line.sending) { /* they come in the next list, or when the database is back */
        words_count(look->language, COUNT_ERRORS, total - (int64_t)p->line.sending, number);
        buf_addf(html, "\n… +%s", number);
    }
}

static void post(struct place *p, const char *html, const struct look *look)
{
    struct emergency *e = p->emergency;
    const char *why = "";
    struct channel_alert alert = {.what = CHANNEL_NOTE,
                                  .delivery_id = look->now_ms,
                                  .reason = "emergency",
                                  .note_html = html,
                                  .look = look,
                                  .now_ms = look->now_ms};
    if (e->channels && channels_post(e->channels, p->chat_id, &alert, on_sent, p, &why))
        return;
    p->line.sending = p->line.count;
    waiting_told(&p->line); /* it is told there when the database is back */
    log_warn("a channel is not told while the database is away", LOG_S("why", why), LOG_END);
}

/* A few are cards, one by one; more are a list, and lists keep their distance. */
static void send_next(struct place *p)
{
    struct emergency *e = p->emergency;
    int64_t now = clock_mono_ms();
    bool is_channel = p->chat_id >= CHANNEL_ID_MIN;
    size_t ready = waiting_ready(&p->line, now);
    bool storm = ready >= STORM_ALERTS_MIN || (p->listed_ms && now - p->listed_ms < LIST_AGAIN_MS);
    if (p->line.sending || ready == 0 || now < p->again_ms || now < p->line.items[0].due_ms ||
        (storm && p->listed_ms && now - p->listed_ms < LIST_AGAIN_MS) ||
        (!is_channel && pacer_wait(e->parts.pacer, p->chat_id, PACE_ALERT, now) > 0))
        return;
    struct look look = look_of(p);
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    p->is_list = storm;
    p->line.sending = !storm ? 1 : ready < LIST_ROWS ? ready : LIST_ROWS;
    if (storm) {
        p->more += causes_take_overflow(e->causes);
        render_list(p, &look, &html);
        p->listed_ms = now;
        p->more_said = p->more;
        p->more = 0;
    } else {
        render_card(p, &look, &html);
    }
    struct chat_message message = {.chat_id = p->chat_id,
                                   .thread_id = p->thread_id,
                                   .html = buf_text(&html),
                                   .silent = p->silent};
    if (is_channel) {
        post(p, buf_text(&html), &look);
    } else {
        pacer_take(e->parts.pacer, p->chat_id, PACE_ALERT, now);
        e->parts.chat->send(e->parts.chat, &message, on_sent, p);
    }
    buf_fini(&html);
}

/* -------------------------------------------------------------------------------------------- life */

/* What the database has by now, `until` (Unix milliseconds), rings in the ordinary way. */
static void drop_waiting(struct place *p, int64_t until_ms)
{
    waiting_drop(&p->line, until_ms);
    p->more = p->line.count ? p->more : 0;
}

/* Nobody needs them when the database was there for a while. */
static void forget_causes(struct emergency *e)
{
    for (size_t i = 0; i < e->places_count; i++)
        if (e->places[i]->line.count)
            return;
    causes_free(e->causes);
    e->causes = causes_new();
    e->back_ms = 0;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct emergency *e = timer->data;
    bool away = e->parts.is_away(e->parts.ctx);
    if (e->was_away && !away) {
        e->back_ms = clock_mono_ms();
        causes_expire(e->causes);
    }
    e->was_away = away;
    int64_t until_ms = away ? e->parts.replayed_ms(e->parts.ctx) : INT64_MAX;
    for (size_t i = 0; i < e->places_count; i++)
        drop_waiting(e->places[i], until_ms);
    if (!away && e->back_ms && clock_mono_ms() - e->back_ms > FORGET_MS)
        forget_causes(e);
    for (size_t i = 0; away && i < e->places_count; i++)
        send_next(e->places[i]);
}

bool emergency_is_settled(struct emergency *e)
{
    bool busy = false;
    for (size_t i = 0; i < e->places_count; i++)
        busy = busy || e->places[i]->line.sending;
    if (!busy)
        e->unsettled_ms = 0;
    else if (!e->unsettled_ms)
        e->unsettled_ms = clock_mono_ms();
    return !busy || clock_mono_ms() - e->unsettled_ms > SETTLE_MS;
}

struct emergency *emergency_new(const struct emergency_parts *parts,
                                const struct emergency_config *config)
{
    struct emergency *e = mem_alloc(sizeof *e);
    e->parts = *parts;
    e->config = *config;
    e->causes = causes_new();
    ev_timer_init(&e->tick, on_tick, TICK_SECONDS, TICK_SECONDS);
    e->tick.data = e;
    ev_timer_start(parts->loop, &e->tick);
    return e;
}

void emergency_free(struct emergency *e)
{
    if (!e)
        return;
    ev_timer_stop(e->parts.loop, &e->tick);
    for (size_t i = 0; i < e->places_count; i++)
        free(e->places[i]);
    causes_free(e->causes);
    free(e);
}

void emergency_set_channels(struct emergency *e, struct channels *channels)
{
    e->channels = channels;
}
