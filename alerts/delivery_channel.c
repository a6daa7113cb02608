/* delivery_channel.c -- the lane of a channel: the same outbox, the same bounds, another way out. */
#include "alerts/delivery_internal.h"

#include "alerts/note.h"
#include "core/clock.h"

bool lane_is_channel(const struct lane *lane)
{
    return lane->chat_id >= CHANNEL_ID_MIN;
}

static struct look look_of(const struct lane *lane, const char *language)
{
    const struct delivery *d = lane->delivery;
    const struct channel *channel = channels_find(d->channels, lane->chat_id);
    const char *own = channel ? channel->language : NULL;
    struct look look = {.language = d->config.language, .now_ms = clock_wall_ms()};
    if (language || own)
        look.language = language_of_code(language ? language : own);
    return look;
}

/* What could not be started is judged like an answer. */
static void post(struct lane *lane, const struct channel_alert *alert, chat_done_fn *done)
{
    const char *why = "";
    struct chat_result result = {.chat_id = lane->chat_id, .message_id = alert->delivery_id};
    if (channels_post(lane->delivery->channels, lane->chat_id, alert, done, lane, &why))
        return;
    result.outcome = *why ? TG_CHAT_GONE : TG_OK; /* nothing to tell this kind */
    result.text = why;
    done(lane, &result);
}

void lane_channel_alert(struct lane *lane, const struct outbox_row *row, chat_done_fn *done)
{
    struct look look = look_of(lane, row->language);
    struct buf note;
    struct card card = lane_card(lane, row, &look);
    buf_init(&note, TG_TEXT_BYTES_MAX);
    if (row->note)
        note_render(row, look.language, &note);
    struct channel_alert alert = {
        .what = row->note ? CHANNEL_NOTE : CHANNEL_RING,
        .delivery_id = row->id,
        .reason = row->reason,
        .card = row->note ? NULL : &card,
        .note_html = row->note ? buf_text(&note) : NULL,
        .look = &look,
        .is_fallback = row->is_fallback,
        .now_ms = look.now_ms,
    };
    post(lane, &alert, done);
    buf_fini(&note);
}

void lane_channel_digest(struct lane *lane, const struct digest_message *message,
                         chat_done_fn *done)
{
    struct look look = look_of(lane, NULL);
    struct digest_message own = *message;
    own.look = &look;
    struct channel_alert alert = {
        .what = CHANNEL_DIGEST,
        .delivery_id = message->digest->id * 100000 + message->digest->rows % 100000,
        .reason = digest_reason_name(message->digest->reason),
        .digest = &own,
        .look = &look,
        .now_ms = look.now_ms,
    };
    post(lane, &alert, done);
}

bool lane_channel_status(struct lane *lane, const struct card_row *row, chat_done_fn *done)
{
    const struct channel *channel = channels_find(lane->delivery->channels, lane->chat_id);
    const struct channel_kind *kind = channel ? channel_kind_of(channel->kind) : NULL;
    struct look look = look_of(lane, NULL);
    struct card card = {.group = &row->group, .look = &look, .links = lane->delivery->config.links};
    struct channel_alert alert = {
        .what = CHANNEL_STATUS,
        .delivery_id = row->message_id * 1000 + row->edit_seq % 1000,
        .reason = "status",
        .card = &card,
        .look = &look,
        .now_ms = look.now_ms,
    };
    if (!kind || !kind->follows_status || row->edit != EDIT_CHANGE ||
        row->told_status == row->group.status)
        return false;
    lane->phase = PHASE_SENDING;
    post(lane, &alert, done);
    return true;
}
