/* delivery_send.c -- an alert on its way: rendered, put into its topic (made if need be), sent. */
#include "alerts/delivery_internal.h"

#include "alerts/note.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "store/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPICS_AGAIN_MS = 10 * 60 * 1000 };

bool delivery_is_group(const struct delivery *d)
{
    return d->config.place == CARDS_OF_CHAT && d->config.chat_id < 0;
}

struct look delivery_look(const struct delivery *d, const struct outbox_look *wish)
{
    struct look look = {
        .language = d->config.language, .is_quiet = wish->is_quiet, .now_ms = clock_wall_ms()};
    if (wish->language)
        look.language = language_of_code(wish->language);
    if (wish->time_zone)
        snprintf(look.zone, sizeof look.zone, "%s", wish->time_zone);
    return look;
}

static void send_out(struct delivery *d)
{
    d->phase = DELIVERY_SENDING;
    d->message.html = d->out_html;
    d->message.keyboard = d->out_keyboard.count ? &d->out_keyboard : NULL;
    d->chat->send(d->chat, &d->message, delivery_on_sent, d);
}

static void on_topic(void *ctx, const struct chat_result *result)
{
    struct delivery *d = ctx;
    if (d->phase != DELIVERY_SENDING)
        return;
    if (result->outcome == TG_OK && result->thread_id) {
        store_topic_put(d->pg, d->message.chat_id, d->topic, result->thread_id);
        d->message.thread_id = d->sending.thread_id = result->thread_id;
        d->health.topics_trouble[0] = '\0';
    } else {
        log_warn("a forum topic can't be made: the alert goes to the chat itself",
                 LOG_S("topic", d->topic), LOG_S("error", result->text), LOG_END);
        snprintf(d->health.topics_trouble, sizeof d->health.topics_trouble, "%s",
                 result->text ? result->text : "");
        d->topics_off_until_ms = clock_mono_ms() + TOPICS_AGAIN_MS;
    }
    send_out(d);
}

/* Into the topic of its kind; one that is not there yet is made first. */
static void choose_topic(struct delivery *d, const struct outbox_row *row)
{
    bool make = row->topic && !row->topic_thread && row->topics < TOPICS_MAX &&
                clock_mono_ms() >= d->topics_off_until_ms;
    if (row->topic_thread)
        d->message.thread_id = d->sending.thread_id = row->topic_thread;
    if (!make) {
        send_out(d);
        return;
    }
    snprintf(d->topic, sizeof d->topic, "%s", row->topic);
    d->chat->make_topic(d->chat, d->message.chat_id, d->topic, on_topic, d);
}

void delivery_send_row(struct delivery *d, const struct outbox_row *row)
{
    struct buf html;
    struct look look = delivery_look(d, &row->look);
    d->out_keyboard.count = 0;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    struct card card = {
        .group = &row->group,
        .look = &look,
        .held = row->held,
        .regression = strcmp(row->reason, "regression") == 0,
        .possible_repeat = row->possible_repeat,
        .links = d->config.links,
    };
    if (row->note)
        note_render(row, look.language, &html);
    else
        card_render(&card, &html, &d->out_keyboard);
    d->is_edit = false;
    d->sending = (struct outbox_sent){.id = row->id,
                                      .chat_id = row->chat_id,
                                      .thread_id = row->thread_id,
                                      .occurrences = row->group.occurrences,
                                      .status = row->group.status};
    d->claim_epoch = store_lease_epoch(d->lease);
    d->attempts = row->attempts;
    d->was_uncertain = row->possible_repeat;
    d->phase = DELIVERY_SENDING;
    pacing_take(&d->pacing, delivery_is_group(d), PACE_ALERT, clock_mono_ms());
    d->message = (struct chat_message){.chat_id = row->chat_id,
                                       .thread_id = row->thread_id,
                                       .reply_to = row->note ? row->card_message_id : 0};
    free(d->out_html);
    d->out_html = buf_take(&html);
    choose_topic(d, row);
}
