/* delivery_card.c -- a card that is in the chat becomes what the group is now.
 *
 *     claim --(elsewhere: may errors be shown there?)--> edit --> outcome                         */
#include "alerts/delivery_internal.h"

#include "core/clock.h"

enum { SHOWN_MS = 60 * 1000 };

static void on_edited(void *ctx, const struct chat_result *result)
{
    struct lane *lane = ctx;
    if (lane->phase != PHASE_SENDING)
        return;
    lane_judge_card(lane, result);
    lane_record(lane);
}

static void edit(struct lane *lane, const struct card_row *row)
{
    struct delivery *d = lane->delivery;
    struct buf html;
    struct chat_keyboard keyboard;
    struct look look = lane_look(lane, &row->look);
    struct card card = {.group = &row->group,
                        .look = &look,
                        .held = row->held,
                        .regression = row->regression,
                        .possible_repeat = row->possible_repeat,
                        .retired = row->edit == EDIT_RETIRE,
                        .links = d->config.links};
    buf_init(&html, TG_TEXT_BYTES_MAX);
    card_render(&card, &html, &keyboard);
    lane->phase = PHASE_SENDING;
    pacer_take(d->pacer, lane->chat_id, row->edit == EDIT_COUNT ? PACE_COUNT : PACE_EDIT,
               clock_mono_ms());
    struct chat_message message = {.chat_id = row->chat_id,
                                   .message_id = row->message_id,
                                   .html = buf_text(&html),
                                   .keyboard = &keyboard};
    d->chat->edit(d->chat, &message, on_edited, lane);
    buf_fini(&html);
}

/* A card that somebody asked for in private is edited for as long as they may see errors. */
static void on_whether(void *ctx, bool may)
{
    struct lane *lane = ctx;
    if (may) { /* claimed again, and edited then */
        lane->shown_until_ms = clock_mono_ms() + SHOWN_MS;
        lane_idle(lane);
        delivery_poke(lane->delivery);
        return;
    }
    lane->card_outcome = CARD_GONE;
    lane->delay_s = 0;
    lane_record(lane);
}

static void on_card(void *ctx, const struct card_row *row, const struct err *err)
{
    struct lane *lane = ctx;
    struct delivery *d = lane->delivery;
    if (err || !row || d->stopped || !store_lease_is_held(d->lease)) {
        if (err)
            lane_lost_claim(lane);
        else
            lane_idle(lane);
        return;
    }
    lane->load = LOAD_CARD;
    lane->card = *row;
    lane->card.group = (struct group){.id = row->group.id,
                                      .undo_until_ms = row->group.undo_until_ms,
                                      .status = row->group.status};
    if (lane_is_channel(lane)) {
        if (!lane_channel_status(lane, row, on_edited)) {
            lane->card_outcome = CARD_EDITED;
            lane->delay_s = 0;
            lane_record(lane);
        }
        return;
    }
    bool may_show = lane->chat_id == d->config.chat_id || clock_mono_ms() < lane->shown_until_ms;
    if (may_show)
        edit(lane, row);
    else
        d->events.may_show(d->events.ctx, lane->chat_id, on_whether, lane);
}

void lane_edit_card(struct lane *lane, bool counts_too)
{
    store_card_claim(lane->delivery->pg, lane->chat_id, counts_too, on_card, lane);
}
