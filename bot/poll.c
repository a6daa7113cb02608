/* poll.c -- getMe, getWebhookInfo, then getUpdates for ever.
 *
 *     WHO --getMe--> HOOK --no webhook--> ASKING --updates--> STORING --new ones--> handled in turn
 *                      \--a webhook--> send-only, again in 5 min        \--> ASKING (acknowledges)
 *
 * The hard thing: what Telegram forgets when. An update is acknowledged by the next getUpdates, and
 * that goes out only after the update is in the database; so a crash loses none, and a repeat is
 * known by its id. */
#include "bot/poll.h"

#include "bot/command.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/update.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum poll_step { STEP_WHO, STEP_HOOK, STEP_ASK };
enum {
    QUEUE_MAX = TG_UPDATES_MAX * 2,
    CONFLICT_MS_MAX = 60 * 1000,
    SEND_ONLY_SECONDS = 300,
    RETRY_SECONDS = 3,
    BACKOFF_SECONDS_MAX = 30
};

struct queued {
    int64_t update_id;
    char *body;
};

struct poll {
    struct ev_loop *loop;
    struct pg *pg;
    struct telegram *telegram;
    struct lease *lease;
    struct bot *bot;
    enum poll_state state;
    enum poll_step step;
    bool busy; /* a call is under way */
    bool stopped;
    bool recovered; /* updates of a crashed holder were looked for */
    ev_timer timer;
    int64_t bot_id;
    int64_t offset;
    int64_t next_offset;       /* becomes `offset` once the updates are in the database */
    int64_t last_news_ms;      /* an update came */
    int64_t conflict_since_ms; /* 0: none */
    int failures;
    char trouble[ERR_TEXT_BYTES_MAX];
    struct queued queue[QUEUE_MAX];
    size_t queue_first;
    size_t queue_count;
    int64_t handling_id; /* 0: none */
};

static void next(struct poll *p);

static void wake_in(struct poll *p, double seconds)
{
    ev_timer_stop(p->loop, &p->timer);
    ev_timer_set(&p->timer, seconds, 0);
    ev_timer_start(p->loop, &p->timer);
}

static void set_state(struct poll *p, enum poll_state state, const char *trouble)
{
    bool news = p->state != state;
    p->state = state;
    snprintf(p->trouble, sizeof p->trouble, "%s", trouble);
    if (!news)
        return;
    if (state == POLL_SEND_ONLY)
        log_warn("send-only: alerts ring, but commands and buttons do nothing",
                 LOG_S("why", trouble), LOG_END);
    else if (state == POLL_FAILING)
        log_warn("Telegram can't be asked for updates", LOG_S("why", trouble), LOG_END);
    else if (state == POLL_RUNNING)
        log_info("listening to the chat", LOG_S("bot", p->bot->username), LOG_END);
}

/* ------------------------------------------------------------------------------------- handling */

static void handle_next(struct poll *p);

static void on_handled(void *ctx)
{
    struct poll *p = ctx;
    store_update_handled(p->pg, p->bot_id, p->handling_id);
    p->handling_id = 0;
    handle_next(p);
}

static void handle_next(struct poll *p)
{
    while (!p->handling_id && p->queue_count > 0 && !p->stopped) {
        struct queued item = p->queue[p->queue_first];
        p->queue_first = (p->queue_first + 1) % QUEUE_MAX;
        p->queue_count--;
        struct update update;
        p->handling_id = item.update_id;
        bool ok = update_decode(item.body, &update);
        free(item.body);
        if (ok) {
            talk_start(p->bot, &update, on_handled, p);
        } else {
            store_update_handled(p->pg, p->bot_id, p->handling_id);
            p->handling_id = 0;
        }
    }
    if (p->queue_count < TG_UPDATES_MAX && !p->busy)
        next(p);
}

static void enqueue(struct poll *p, const struct update_row *rows, size_t count)
{
    for (size_t i = 0; i < count && p->queue_count < QUEUE_MAX; i++) {
        size_t at = (p->queue_first + p->queue_count) % QUEUE_MAX;
        p->queue[at] = (struct queued){rows[i].update_id, mem_str_dup(rows[i].body)};
        p->queue_count++;
    }
}

static void on_stored(void *ctx, const struct update_row *rows, size_t count, const struct err *err)
{
    struct poll *p = ctx;
    p->busy = false;
    if (err) { /* not acknowledged: Telegram gives them again */
        wake_in(p, 1);
        return;
    }
    p->offset = p->next_offset; /* repeats are acknowledged too */
    enqueue(p, rows, count);
    handle_next(p);
}

static void on_unhandled(void *ctx, const struct update_row *rows, size_t count,
                         const struct err *err)
{
    struct poll *p = ctx;
    p->busy = false;
    if (err) {
        wake_in(p, 1);
        return;
    }
    p->recovered = true;
    enqueue(p, rows, count);
    handle_next(p);
}

/* --------------------------------------------------------------------------------------- asking */

static void fail(struct poll *p, const struct tg_answer *answer)
{
    int64_t now = clock_mono_ms();
    double wait = RETRY_SECONDS;
    if (answer->outcome == TG_CONFLICT) {
        if (!p->conflict_since_ms)
            p->conflict_since_ms = now;
        if (now - p->conflict_since_ms >= CONFLICT_MS_MAX) {
            set_state(p, POLL_SEND_ONLY, answer->text);
            p->conflict_since_ms = 0;
            p->step = STEP_HOOK;
            wait = SEND_ONLY_SECONDS;
        } else {
            set_state(p, POLL_FAILING, answer->text);
        }
    } else if (answer->outcome == TG_TOO_MANY) {
        wait = answer->retry_after_s;
    } else {
        set_state(p, POLL_FAILING, answer->text);
        wait = p->failures < BACKOFF_SECONDS_MAX ? 1 + p->failures : BACKOFF_SECONDS_MAX;
        p->failures++;
    }
    wake_in(p, wait);
}

/* Updates as they came: each is kept whole, as text. */
static void store_updates(struct poll *p, const json_t *list)
{
    struct update_row rows[TG_UPDATES_MAX];
    size_t count = 0;
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        char *body = count < TG_UPDATES_MAX ? json_dumps(item, JSON_COMPACT) : NULL;
        if (body)
            rows[count++] = (struct update_row){
                (int64_t)json_integer_value(json_object_get(item, "update_id")), body};
    }
    p->next_offset = p->offset;
    for (i = 0; i < count; i++)
        if (rows[i].update_id >= p->next_offset)
            p->next_offset = rows[i].update_id + 1;
    p->last_news_ms = clock_mono_ms();
    p->busy = true;
    store_updates_add(p->pg, p->bot_id, rows, count, on_stored, p);
    for (i = 0; i < count; i++)
        free((char *)(uintptr_t)rows[i].body);
}

static void on_updates(void *ctx, const struct tg_answer *answer)
{
    struct poll *p = ctx;
    p->busy = false;
    if (p->stopped || !store_lease_is_held(p->lease)) {
        p->offset = 0; /* not acknowledged: they are the next holder's */
        wake_in(p, 1);
        return;
    }
    if (answer->outcome != TG_OK) {
        fail(p, answer);
        return;
    }
    p->failures = 0;
    p->conflict_since_ms = 0;
    set_state(p, POLL_RUNNING, "");
    if (json_array_size(answer->result) > 0)
        store_updates(p, answer->result);
    else
        next(p);
}

static void on_menu(void *ctx, const struct tg_answer *answer)
{
    (void)ctx;
    if (answer->outcome != TG_OK)
        log_debug("menu of commands not set", LOG_S("error", answer->text), LOG_END);
}

static void on_hook(void *ctx, const struct tg_answer *answer)
{
    struct poll *p = ctx;
    p->busy = false;
    if (answer->outcome != TG_OK) {
        fail(p, answer);
        return;
    }
    const char *url = json_string_value(json_object_get(answer->result, "url"));
    if (url && url[0]) {
        set_state(p, POLL_SEND_ONLY,
                  "the bot has a webhook that is not Nabat's: give Nabat a bot "
                  "of its own, or remove the webhook");
        wake_in(p, SEND_ONLY_SECONDS);
        return;
    }
    p->step = STEP_ASK;
    for (int language = 0; language < LANGUAGES; language++)
        telegram_call(p->telegram, "setMyCommands", command_menu((enum language)language), 15,
                      on_menu, p);
    next(p);
}

static void on_who(void *ctx, const struct tg_answer *answer)
{
    struct poll *p = ctx;
    p->busy = false;
    if (answer->outcome != TG_OK) {
        fail(p, answer);
        return;
    }
    const char *name = json_string_value(json_object_get(answer->result, "username"));
    p->bot_id = (int64_t)json_integer_value(json_object_get(answer->result, "id"));
    snprintf(p->bot->username, sizeof p->bot->username, "%s", name ? name : "");
    p->failures = 0;
    p->step = STEP_HOOK;
    next(p);
}

static void ask_updates(struct poll *p)
{
    /* after a quiet week ids restart at random: an old high offset would confirm them unread */
    if (clock_mono_ms() - p->last_news_ms > (int64_t)UPDATE_KEEP_HOURS * 3600 * 1000)
        p->offset = 0;
    json_t *params = json_pack("{s:i,s:i,s:[s,s]}", "timeout", TG_POLL_SECONDS, "limit",
                               TG_UPDATES_MAX, "allowed_updates", "message", "callback_query");
    if (p->offset)
        json_object_set_new(params, "offset", json_integer((json_int_t)p->offset));
    telegram_call(p->telegram, "getUpdates", params, TG_POLL_SECONDS + 15, on_updates, p);
}

static void next(struct poll *p)
{
    if (p->busy || p->stopped)
        return;
    if (!store_lease_is_held(p->lease) || !pg_is_up(p->pg)) {
        if (!store_lease_is_held(p->lease)) {
            p->state = POLL_RESTING;
            p->trouble[0] = '\0';
            p->recovered = false;
        }
        wake_in(p, 0.3);
        return;
    }
    p->busy = true;
    if (p->step == STEP_WHO)
        telegram_call(p->telegram, "getMe", NULL, 15, on_who, p);
    else if (p->step == STEP_HOOK)
        telegram_call(p->telegram, "getWebhookInfo", NULL, 15, on_hook, p);
    else if (!p->recovered)
        store_updates_unhandled(p->pg, p->bot_id, on_unhandled, p);
    else
        ask_updates(p);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    next(timer->data);
}

struct poll *poll_new(struct ev_loop *loop, struct pg *pg, struct telegram *telegram,
                      struct lease *lease, struct bot *bot)
{
    struct poll *p = mem_alloc(sizeof *p);
    p->loop = loop;
    p->pg = pg;
    p->telegram = telegram;
    p->lease = lease;
    p->bot = bot;
    ev_init(&p->timer, on_timer);
    p->timer.data = p;
    p->last_news_ms = clock_mono_ms();
    wake_in(p, 0.05);
    return p;
}

void poll_stop(struct poll *p)
{
    p->stopped = true;
    ev_timer_stop(p->loop, &p->timer);
}

void poll_free(struct poll *p)
{
    if (!p)
        return;
    ev_timer_stop(p->loop, &p->timer);
    while (p->queue_count > 0) {
        free(p->queue[p->queue_first].body);
        p->queue_first = (p->queue_first + 1) % QUEUE_MAX;
        p->queue_count--;
    }
    free(p);
}

enum poll_state poll_state(const struct poll *p)
{
    return p->state;
}

const char *poll_trouble(const struct poll *p)
{
    return p->trouble;
}
