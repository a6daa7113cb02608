/* listen_poll.c -- getUpdates: what came is stored, then acknowledged by the next question. */
#include "bot/listen_internal.h"

#include "core/clock.h"
#include "core/limits.h"

/* While the database is away. Bot API server: the same offset again within half a second is answered with
 * one update at most; presses wait for their answer. */
static const double AWAY_SECONDS = 0.6;

static void on_stored(void *ctx, const struct err *err)
{
    struct listen *l = ctx;
    l->busy = false;
    if (err) { /* not acknowledged: Telegram gives them again */
        listen_wake_in(l, AWAY_SECONDS);
        return;
    }
    l->offset = l->next_offset; /* repeats are acknowledged too */
    listen_next(l);
}

static void take(struct listen *l, const json_t *list)
{
    size_t i = 0;
    const json_t *item = NULL;
    l->next_offset = l->offset;
    json_array_foreach(list, i, item)
    {
        int64_t id = (int64_t)json_integer_value(json_object_get(item, "update_id"));
        if (id >= l->next_offset)
            l->next_offset = id + 1;
    }
    l->last_news_ms = clock_mono_ms();
    l->busy = true;
    intake_add(l->intake, list, on_stored, l);
}

static void on_updates(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    l->busy = false;
    bool away = !pg_is_up(l->pg) && l->was_holder;
    if (l->stopped || (!store_lease_is_held(l->lease) && !away)) {
        l->offset = 0; /* not acknowledged: they are the next holder's */
        listen_wake_in(l, 1);
        return;
    }
    if (!listen_is_good(l, answer))
        return;
    l->conflict_since_ms = 0;
    listen_set_state(l, LISTEN_RUNNING, "");
    if (away) {
        intake_tell_away(l->intake, answer->result);
        listen_wake_in(l, AWAY_SECONDS);
    } else if (json_array_size(answer->result) > 0) {
        take(l, answer->result);
    } else {
        listen_next(l);
    }
}

json_t *listen_allowed_updates(void)
{
    return json_pack("[s,s,s,s]", "message", "callback_query", "my_chat_member",
                     "message_reaction");
}

void listen_ask_updates(struct listen *l)
{
    /* after a quiet week ids restart at random: an old high offset would confirm them unread */
    if (clock_mono_ms() - l->last_news_ms > (int64_t)UPDATE_KEEP_HOURS * 3600 * 1000)
        l->offset = 0;
    /* after trouble a short question first, so that its end is known at once */
    int seconds = l->state == LISTEN_RUNNING ? TG_POLL_SECONDS : FIRST_POLL_SECONDS;
    json_t *params = json_pack("{s:i,s:i,s:o}", "timeout", seconds, "limit", TG_UPDATES_MAX,
                               "allowed_updates", listen_allowed_updates());
    if (l->offset)
        json_object_set_new(params, "offset", json_integer((json_int_t)l->offset));
    telegram_call(l->telegram, "getUpdates", params, seconds + 15, on_updates, l);
}
