/* delivery_send.c -- an alert on its way: claimed, rendered, put into its topic (made if need be), sent. */
#include "alerts/delivery_internal.h"

#include "alerts/note.h"
#include "core/clock.h"
#include "core/log.h"
#include "store/chat.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOPICS_AGAIN_MS = 10 * 60 * 1000 };

static void on_sent(void *ctx, const struct chat_result *result)
{
    struct lane *lane = ctx;
    if (lane->phase != PHASE_SENDING)
        return; /* given up at the end, and written down as uncertain already */
    lane_judge_alert(lane, result);
    lane_record(lane);
}

static void send_out(struct lane *lane)
{
    struct chat *chat = lane->delivery->chat;
    lane->message.html = lane->out_html;
    lane->message.keyboard = lane->out_keyboard.count ? &lane->out_keyboard : NULL;
    chat->send(chat, &lane->message, on_sent, lane);
}

static void on_topic(void *ctx, const struct chat_result *result)
{
    struct lane *lane = ctx;
    struct delivery *d = lane->delivery;
    if (lane->phase != PHASE_SENDING)
        return;
    if (result->outcome == TG_OK && result->thread_id) {
        store_topic_put(d->pg, lane->message.chat_id, lane->topic, result->thread_id);
        lane->message.thread_id = lane->sending.thread_id = result->thread_id;
        d->health.topics_trouble[0] = '\0';
    } else {
        log_warn("a forum topic can't be made: the alert goes to the chat itself",
                 LOG_S("topic", lane->topic), LOG_S("error", result->text), LOG_END);
        snprintf(d->health.topics_trouble, sizeof d->health.topics_trouble, "%s",
                 result->text ? result->text : "");
        lane->topics_off_until_ms = clock_mono_ms() + TOPICS_AGAIN_MS;
    }
    send_out(lane);
}

/* Into the topic of its kind; one that is not there yet is made first. */
static void choose_topic(struct lane *lane, const struct outbox_row *row)
{
    struct chat *chat = lane->delivery->chat;
    bool make = row->topic && !row->topic_thread && row->topics < TOPICS_MAX &&
                clock_mono_ms() >= lane->topics_off_until_ms;
    if (row->topic_thread)
        lane->message.thread_id = lane->sending.thread_id = row->topic_thread;
    if (!make) {
        send_out(lane);
        return;
    }
    snprintf(lane->topic, sizeof lane->topic, "%s", row->topic);
    chat->make_topic(chat, lane->message.chat_id, lane->topic, on_topic, lane);
}

static void render(struct lane *lane, const struct outbox_row *row)
{
    struct buf html;
    struct look look = lane_look(lane, &row->look);
    if (row->language)
        look.language = language_of_code(row->language);
    struct card card = lane_card(lane, row, &look);
    buf_init(&html, TG_TEXT_BYTES_MAX);
    lane->out_keyboard.count = 0;
    if (row->note)
        note_render(row, look.language, &html);
    else
        card_render(&card, &html, &lane->out_keyboard);
    free(lane->out_html);
    lane->out_html = buf_take(&html);
}

static void on_claimed(void *ctx, const struct outbox_row *row, const struct err *err)
{
    struct lane *lane = ctx;
    struct delivery *d = lane->delivery;
    if (err || !row) {
        if (err)
            lane_lost_claim(lane); /* it may have been claimed all the same */
        else
            lane_idle(lane);
        return;
    }
    /* claimed is promised: sent even when a stop came between */
    if (!lane_is_channel(lane))
        render(lane, row);
    lane->load = LOAD_ALERT;
    lane->sending = (struct outbox_sent){.id = row->id,
                                         .chat_id = row->chat_id,
                                         .thread_id = row->thread_id,
                                         .occurrences = row->group.occurrences,
                                         .status = row->group.status};
    lane->claim_epoch = store_lease_epoch(d->lease);
    lane->attempts = row->attempts;
    lane->due_ms = clock_mono_ms() - row->waited_ms;
    lane->lost_answers = row->lost_answers;
    lane->phase = PHASE_SENDING;
    pacer_take(d->pacer, lane->chat_id, PACE_ALERT, clock_mono_ms());
    lane->message = (struct chat_message){.chat_id = row->chat_id,
                                          .thread_id = row->thread_id,
                                          .reply_to = row->note ? row->card_message_id : 0,
                                          .silent = row->silent};
    if (lane_is_channel(lane))
        lane_channel_alert(lane, row, on_sent);
    else
        choose_topic(lane, row);
}

void lane_send_alert(struct lane *lane)
{
    struct outbox_claim claim = lane_claim(lane);
    store_outbox_claim(lane->delivery->pg, &claim, on_claimed, lane);
}
