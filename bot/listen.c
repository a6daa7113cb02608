/* listen.c -- getMe, the secret, getWebhookInfo, then getUpdates for ever or a webhook that is watched.
 *
 *     SECRET --> WHO --getMe--> OURS --which webhook did we set?--> HOOK
 *     HOOK --none wanted, none there--> ASK --updates--> stored --> ASK (acknowledges)
 *      |  \--ours, not wanted--> DELETE --> ASK
 *      |---wanted; none there, or ours--> SET --> WATCH --every 30 s--> WATCH
 *      \---not ours--> send-only, again in 5 min
 *
 * The hard thing: what Telegram forgets when. An update is acknowledged by the next getUpdates, and that
 * goes out only after the update is in the database; so a crash loses none, and a repeat is known by
 * its id. While the database is away it goes on asking, acknowledges nothing, and answers presses. */
#include "bot/listen_internal.h"

#include "bot/menu.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"
#include "store/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char WEBHOOK_PATH[] = "/telegram/webhook";

void listen_wake_in(struct listen *l, double seconds)
{
    ev_timer_stop(l->loop, &l->timer);
    ev_timer_set(&l->timer, seconds, 0);
    ev_timer_start(l->loop, &l->timer);
}

void listen_set_state(struct listen *l, enum listen_state state, const char *trouble)
{
    bool news = l->state != state || strcmp(l->trouble, trouble) != 0;
    l->state = state;
    snprintf(l->trouble, sizeof l->trouble, "%s", trouble);
    if (!news)
        return;
    if (state == LISTEN_SEND_ONLY)
        log_warn("send-only: alerts ring, but commands and buttons do nothing",
                 LOG_S("why", trouble), LOG_END);
    else if (state == LISTEN_FAILING)
        log_warn("updates do not come from Telegram", LOG_S("why", trouble), LOG_END);
    else if (state == LISTEN_RUNNING)
        log_info("listening to the chat", LOG_S("bot", l->bot->username),
                 LOG_S("by", l->url[0] ? "webhook" : "long polling"), LOG_END);
}

/* ----------------------------------------------------------------------------------- what went wrong */

/* Bot API: three conflicts share the number 409. */
static const char *conflict_in_words(const char *text)
{
    if (strstr(text, "terminated by other getUpdates"))
        return "409: a second program asks for this bot's updates (another Nabat with another "
               "database, or the bot's own code with the same token): give Nabat a bot of its own";
    if (strstr(text, "webhook"))
        return "409: somebody set a webhook for this bot while Nabat polls: give Nabat a bot of "
               "its "
               "own, or remove that webhook";
    return text;
}

static double fail(struct listen *l, const struct tg_answer *answer)
{
    int64_t now = clock_mono_ms();
    if (answer->outcome == TG_CONFLICT) {
        const char *why = conflict_in_words(answer->text);
        l->gave_way = !pg_is_up(l->pg);
        if (!l->conflict_since_ms)
            l->conflict_since_ms = now;
        if (now - l->conflict_since_ms < CONFLICT_MS_MAX) {
            listen_set_state(l, LISTEN_FAILING, why);
            return RETRY_SECONDS;
        }
        listen_set_state(l, LISTEN_SEND_ONLY, why);
        l->conflict_since_ms = 0;
        l->step = STEP_HOOK;
        return SEND_ONLY_SECONDS;
    }
    if (answer->outcome == TG_TOO_MANY)
        return answer->retry_after_s;
    listen_set_state(l, LISTEN_FAILING, answer->text);
    l->failures += l->failures < BACKOFF_SECONDS_MAX;
    return l->failures;
}

/* True: the answer is good; else it is tried again later. */
bool listen_is_good(struct listen *l, const struct tg_answer *answer)
{
    l->busy = false;
    if (answer->outcome == TG_OK) {
        l->failures = 0;
        return true;
    }
    listen_wake_in(l, fail(l, answer));
    return false;
}

/* ----------------------------------------------------------------------------------------- start */

static void on_our_url(void *ctx, const char *value, const struct err *err)
{
    struct listen *l = ctx;
    l->busy = false;
    if (err) {
        listen_wake_in(l, 1);
        return;
    }
    snprintf(l->our_urls, sizeof l->our_urls, "%s", value ? value : "");
    l->step = STEP_HOOK;
    listen_next(l);
}

static void on_secret(void *ctx, const char *value, const struct err *err)
{
    struct listen *l = ctx;
    l->busy = false;
    if (err || !value) {
        listen_wake_in(l, 1);
        return;
    }
    snprintf(l->webhook->secret, sizeof l->webhook->secret, "%s", value);
    log_add_secret(l->webhook->secret);
    l->webhook->wanted = l->url[0] != '\0';
    l->step = STEP_WHO;
    listen_next(l);
}

static void on_who(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!listen_is_good(l, answer))
        return;
    const char *name = json_string_value(json_object_get(answer->result, "username"));
    snprintf(l->bot->username, sizeof l->bot->username, "%s", name ? name : "");
    l->step = STEP_OURS;
    listen_next(l);
}

static void set_menu(struct listen *l)
{
    if (l->menu_is_set && l->menu_chat_id == l->bot->alert_chat_id)
        return;
    if (l->menu_is_set && l->menu_chat_id)
        menu_remove(l->telegram, l->menu_chat_id);
    l->menu_is_set = true;
    l->menu_chat_id = l->bot->alert_chat_id;
    menu_set(l->telegram, l->menu_chat_id, l->config.owners);
}

static void run_step(struct listen *l)
{
    switch (l->step) {
    case STEP_SECRET:
        break; /* begun by itself: every instance takes updates */
    case STEP_WHO:
        telegram_call(l->telegram, "getMe", NULL, 15, on_who, l);
        break;
    case STEP_OURS:
        store_setting_get(l->pg, SETTING_WEBHOOK_URL, on_our_url, l);
        break;
    case STEP_HOOK:
        telegram_call(l->telegram, "getWebhookInfo", NULL, 15, listen_on_hook, l);
        break;
    case STEP_SET:
        listen_set_hook(l);
        break;
    case STEP_DELETE:
        telegram_call(l->telegram, "deleteWebhook", NULL, 15, listen_on_deleted, l);
        break;
    case STEP_ASK:
        set_menu(l);
        listen_ask_updates(l);
        break;
    case STEP_WATCH:
        set_menu(l);
        telegram_call(l->telegram, "getWebhookInfo", NULL, 15, listen_on_watched, l);
        break;
    }
}

/* With the database away the last holder goes on polling, to answer presses; a 409 says that another
 * instance has taken over. */
static bool may_go_on(struct listen *l)
{
    bool up = pg_is_up(l->pg);
    bool held = store_lease_is_held(l->lease);
    if (up) {
        l->was_holder = held;
        l->gave_way = false;
        if (!held && (l->step == STEP_ASK || l->step == STEP_WATCH))
            l->step = STEP_OURS; /* who comes next may do it another way */
        return held;
    }
    return l->was_holder && !l->gave_way && l->step == STEP_ASK;
}

void listen_next(struct listen *l)
{
    if (l->busy || l->stopped)
        return;
    if (!may_go_on(l)) {
        if (pg_is_up(l->pg)) {
            l->state = LISTEN_RESTING;
            l->trouble[0] = '\0';
        }
        listen_wake_in(l, 0.3);
        return;
    }
    l->busy = true;
    run_step(l);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct listen *l = timer->data;
    if (l->step == STEP_SECRET && !l->busy && pg_is_up(l->pg)) {
        char random[RANDOM_HEX_BYTES];
        random_hex32(random);
        l->busy = true;
        if (l->config.webhook_secret)
            store_setting_put(l->pg, SETTING_WEBHOOK_SECRET, l->config.webhook_secret, on_secret,
                              l);
        else
            store_setting_ensure(l->pg, SETTING_WEBHOOK_SECRET, random, on_secret, l);
    } else if (l->step == STEP_SECRET) {
        listen_wake_in(l, 0.2);
    } else {
        listen_next(l);
    }
}

struct listen *listen_new(struct ev_loop *loop, struct pg *pg, struct telegram *telegram,
                          struct lease *lease, struct bot *bot, struct intake *intake,
                          struct webhook *webhook, const struct listen_config *config)
{
    struct listen *l = mem_alloc(sizeof *l);
    l->loop = loop;
    l->pg = pg;
    l->telegram = telegram;
    l->lease = lease;
    l->bot = bot;
    l->intake = intake;
    l->webhook = webhook;
    l->config = *config;
    l->step = STEP_SECRET;
    if (config->webhook_url) {
        size_t len = strlen(config->webhook_url);
        while (len > 0 && config->webhook_url[len - 1] == '/')
            len--;
        snprintf(l->url, sizeof l->url, "%.*s%s", (int)len, config->webhook_url, WEBHOOK_PATH);
    }
    ev_init(&l->timer, on_timer);
    l->timer.data = l;
    l->last_news_ms = clock_mono_ms();
    listen_wake_in(l, 0.05);
    return l;
}

void listen_stop(struct listen *l)
{
    l->stopped = true;
    ev_timer_stop(l->loop, &l->timer);
}

void listen_free(struct listen *l)
{
    if (!l)
        return;
    ev_timer_stop(l->loop, &l->timer);
    free(l);
}

enum listen_state listen_state(const struct listen *l)
{
    return l->state;
}

const char *listen_trouble(const struct listen *l)
{
    return l->trouble;
}
