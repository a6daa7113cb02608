/* delivery_digest.c -- many alerts as one message: folded, sent, edited, listed in a file, closed.
 *
 *     fold --> (look again) --> claim --> send --answer--> outcome
 *                               get   --> edit, or a file below it                                */
#include "alerts/delivery_internal.h"

#include "alerts/digest.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metric.h"

static void on_folded(void *ctx, int64_t folded, const struct err *err)
{
    struct lane *lane = ctx;
    metric_add(METRIC_ALERTS_FOLDED, folded);
    if (err)
        log_warn("alerts not folded yet", LOG_S("error", err->text), LOG_END);
    lane_idle(lane);
    if (folded)
        delivery_poke(lane->delivery);
}

void lane_fold(struct lane *lane, enum digest_reason reason)
{
    struct outbox_claim claim = lane_claim(lane);
    store_digest_fold(lane->delivery->pg, &claim, reason, on_folded, lane);
}

static void on_answered(void *ctx, const struct chat_result *result)
{
    struct lane *lane = ctx;
    if (lane->phase != PHASE_SENDING)
        return;
    lane_judge_digest(lane, result);
    lane_record(lane);
}

static void show(struct lane *lane, const struct digest *digest, const struct group *groups,
                 size_t count)
{
    struct delivery *d = lane->delivery;
    struct look look = lane_look(lane, &digest->look);
    struct digest_message message = {.digest = digest,
                                     .groups = groups,
                                     .count = count,
                                     .look = &look,
                                     .is_over =
                                         lane->digest_act == LANE_CLOSE || digest->closed_ms};
    struct buf html;
    struct chat_keyboard keyboard;
    if (lane_is_channel(lane)) {
        lane_channel_digest(lane, &message, on_answered);
        return;
    }
    buf_init(&html, TG_TEXT_BYTES_MAX);
    digest_render(&message, &html, &keyboard);
    struct chat_message out = {.chat_id = digest->chat_id,
                               .thread_id = digest->thread_id,
                               .message_id = digest->message_id,
                               .html = buf_text(&html),
                               .keyboard = &keyboard,
                               .silent = digest->silent};
    if (digest->message_id)
        d->chat->edit(d->chat, &out, on_answered, lane);
    else
        d->chat->send(d->chat, &out, on_answered, lane);
    buf_fini(&html);
}

static void send_list(struct lane *lane, const struct digest *digest, const struct group *groups,
                      size_t count)
{
    struct delivery *d = lane->delivery;
    struct look look = lane_look(lane, &digest->look);
    struct digest_message message = {
        .digest = digest, .groups = groups, .count = count, .look = &look};
    struct buf text;
    struct buf caption;
    buf_init(&text, DIGEST_LIST_BYTES_MAX);
    buf_init(&caption, 4 * KIB);
    digest_list(&message, &text, &caption);
    struct chat_message out = {.chat_id = digest->chat_id,
                               .thread_id = digest->thread_id,
                               .reply_to = digest->message_id,
                               .html = buf_text(&caption)};
    d->chat->document(d->chat, &out, "errors.txt", buf_text(&text), text.len, on_answered, lane);
    buf_fini(&text);
    buf_fini(&caption);
}

static void on_digest(void *ctx, const struct digest *digest, const struct group *groups,
                      size_t count, const struct err *err)
{
    struct lane *lane = ctx;
    struct delivery *d = lane->delivery;
    if (err || !digest || d->stopped || !store_lease_is_held(d->lease)) {
        lane_idle(lane);
        return;
    }
    lane->load = LOAD_DIGEST;
    lane->phase = PHASE_SENDING;
    lane->digest_tries = digest->tries;
    lane->digest_lost_answers = digest->lost_answers;
    lane->digest = (struct digest_result){.id = digest->id,
                                          .chat_id = digest->chat_id,
                                          .message_id = digest->message_id,
                                          .rows = digest->rows,
                                          .changes = digest->changes,
                                          .possible_repeat = digest->possible_repeat};
    pacer_take(d->pacer, lane->chat_id, lane_pace(lane->digest_act), clock_mono_ms());
    if (lane->digest_act == LANE_LIST)
        send_list(lane, digest, groups, count);
    else
        show(lane, digest, groups, count);
}

void lane_work_digest(struct lane *lane, const struct digest_view *digest, enum lane_act act)
{
    struct outbox_claim claim = lane_claim(lane);
    bool whole = act == LANE_LIST;
    int64_t limit = whole                   ? DIGEST_GROUPS_MAX
                    : lane_is_channel(lane) ? CHANNEL_DIGEST_ROWS
                                            : DIGEST_ROWS;
    lane->digest_act = act;
    bool complete = digest->reason != DIGEST_STORM || lane_is_channel(lane);
    if (complete && act != LANE_DIGEST && (act == LANE_CLOSE || lane_is_channel(lane))) {
        /* its message is complete; a channel has it all in one */
        lane->load = LOAD_DIGEST;
        lane->digest = (struct digest_result){
            .id = digest->id,
            .rows = digest->rows,
            .outcome = act == LANE_CLOSE ? DIGEST_CLOSED : DIGEST_LISTED,
        };
        lane_record(lane);
    } else if (digest->is_sent)
        store_digest_get(lane->delivery->pg, digest->id, act == LANE_LIST ? 1 : 0, limit, on_digest,
                         lane);
    else
        store_digest_claim(lane->delivery->pg, &claim, digest->id, limit, on_digest, lane);
}
