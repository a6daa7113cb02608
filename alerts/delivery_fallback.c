/* delivery_fallback.c -- the chain: the alert chat, then the channels with a fallback number.
 *
 *     tick --out of reach? (pure)--> its critical alerts are copied to the next, once each
 *
 * The alerts stay with the chat as well: it catches up with one summary when it is back. */
#include "alerts/delivery_internal.h"

#include "alerts/outage.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metric.h"

bool lane_is_out(const struct lane *lane)
{
    const struct delivery *d = lane->delivery;
    struct outage_view view = {
        .is_channel = lane_is_channel(lane),
        .refuses = lane->gone_times > 0,
        .failures = lane->failures,
        .paused_ms = pacer_paused(d->pacer, lane->chat_id, clock_mono_ms()),
        .silent_ms = d->events.silent_ms(d->events.ctx),
    };
    return outage_is(&view);
}

static void on_fallen_back(void *ctx, int64_t n, const struct err *err)
{
    struct delivery *d = ctx;
    d->falling_back = false;
    if (err)
        log_warn("the next channel is not asked yet", LOG_S("error", err->text), LOG_END);
    if (n == 0)
        return;
    metric_add(METRIC_ALERTS_FALLEN_BACK, n);
    log_warn("a chat can't be reached: critical alerts go to the next channel", LOG_I("alerts", n),
             LOG_END);
    delivery_poke(d);
}

void delivery_fall_back(struct delivery *d)
{
    if (d->falling_back || d->held || d->stopped || !store_lease_is_held(d->lease) ||
        !pg_is_up(d->pg))
        return;
    if (!channels_are_known(d->channels))
        channels_reload(d->channels);
    d->health.is_out = false;
    size_t first = ++d->fallback_turn; /* each of the chain has its turn */
    for (size_t i = 0; i < d->lanes_count; i++) {
        const struct lane *lane = d->lanes[(first + i) % d->lanes_count];
        bool in_chain = lane->chat_id == d->config.chat_id || lane_is_channel(lane) ||
                        channels_has_chat(d->channels, lane->chat_id);
        if (!in_chain || !lane_is_out(lane))
            continue;
        d->health.is_out = d->health.is_out || lane->chat_id == d->config.chat_id;
        if (!d->falling_back)
            store_fall_back(d->pg, lane->chat_id, store_lease_holder(d->lease),
                            store_lease_epoch(d->lease), on_fallen_back, d);
        d->falling_back = true;
    }
}
