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
#include "bot/listen.h"

#include "bot/menu.h"
#include "bot/webhook_info.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"
#include "store/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum listen_step {
    STEP_SECRET,
    STEP_WHO,
    STEP_OURS,
    STEP_HOOK,
    STEP_SET,
    STEP_DELETE,
    STEP_ASK,
    STEP_WATCH
};
enum {
    CONFLICT_MS_MAX = 60 * 1000,
    SEND_ONLY_SECONDS = 300,
    RETRY_SECONDS = 3,
    BACKOFF_SECONDS_MAX = 30,
    WATCH_SECONDS = 30,
    FIRST_POLL_SECONDS = 1,
    WEBHOOK_CONNECTIONS = 10
};
static const double AWAY_SECONDS =
    0.4; /* a press waits for its answer while the database is away */
static const char WEBHOOK_PATH[] = "/telegram/webhook";

struct listen {
    struct ev_loop *loop;
    struct pg *pg;
    struct telegram *telegram;
    struct lease *lease;
    struct bot *bot;
    struct intake *intake;
    struct webhook *webhook;
    struct listen_config config;
    char url[600];     /* of our webhook; "" when none is wanted */
    char our_url[600]; /* the one that we set last, as the database remembers it */
    enum listen_state state;
    enum listen_step step;
    bool busy; /* a call is under way */
    bool stopped;
    bool was_holder; /* when the database was last there */
    bool gave_way;   /* a 409 while the database is away: another instance serves */
    bool menu_is_set;
    int64_t menu_chat_id;
    ev_timer timer;
    int64_t offset;
    int64_t next_offset;       /* becomes `offset` once the updates are in the database */
    int64_t last_news_ms;      /* an update came */
    int64_t conflict_since_ms; /* 0: none */
    int failures;
    struct webhook_memory memory;
    char trouble[ERR_TEXT_BYTES_MAX];
};

static void next(struct listen *l);

static void wake_in(struct listen *l, double seconds)
{
    ev_timer_stop(l->loop, &l->timer);
    ev_timer_set(&l->timer, seconds, 0);
    ev_timer_start(l->loop, &l->timer);
}

static void set_state(struct listen *l, enum listen_state state, const char *trouble)
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
            set_state(l, LISTEN_FAILING, why);
            return RETRY_SECONDS;
        }
        set_state(l, LISTEN_SEND_ONLY, why);
        l->conflict_since_ms = 0;
        l->step = STEP_HOOK;
        return SEND_ONLY_SECONDS;
    }
    if (answer->outcome == TG_TOO_MANY)
        return answer->retry_after_s;
    set_state(l, LISTEN_FAILING, answer->text);
    l->failures += l->failures < BACKOFF_SECONDS_MAX;
    return l->failures;
}

/* True: the answer is good; else it is tried again later. */
static bool is_good(struct listen *l, const struct tg_answer *answer)
{
    l->busy = false;
    if (answer->outcome == TG_OK) {
        l->failures = 0;
        return true;
    }
    wake_in(l, fail(l, answer));
    return false;
}

/* --------------------------------------------------------------------------------------- polling */

static void on_stored(void *ctx, const struct err *err)
{
    struct listen *l = ctx;
    l->busy = false;
    if (err) { /* not acknowledged: Telegram gives them again */
        wake_in(l, AWAY_SECONDS);
        return;
    }
    l->offset = l->next_offset; /* repeats are acknowledged too */
    next(l);
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
        wake_in(l, 1);
        return;
    }
    if (!is_good(l, answer))
        return;
    l->conflict_since_ms = 0;
    set_state(l, LISTEN_RUNNING, "");
    if (away) {
        intake_tell_away(l->intake, answer->result);
        wake_in(l, AWAY_SECONDS);
    } else if (json_array_size(answer->result) > 0) {
        take(l, answer->result);
    } else {
        next(l);
    }
}

static json_t *allowed_updates(void)
{
    return json_pack("[s,s,s,s]", "message", "callback_query", "my_chat_member",
                     "message_reaction");
}

static void ask_updates(struct listen *l)
{
    /* after a quiet week ids restart at random: an old high offset would confirm them unread */
    if (clock_mono_ms() - l->last_news_ms > (int64_t)UPDATE_KEEP_HOURS * 3600 * 1000)
        l->offset = 0;
    /* after trouble a short question first, so that its end is known at once */
    int seconds = l->state == LISTEN_RUNNING ? TG_POLL_SECONDS : FIRST_POLL_SECONDS;
    json_t *params = json_pack("{s:i,s:i,s:o}", "timeout", seconds, "limit", TG_UPDATES_MAX,
                               "allowed_updates", allowed_updates());
    if (l->offset)
        json_object_set_new(params, "offset", json_integer((json_int_t)l->offset));
    telegram_call(l->telegram, "getUpdates", params, seconds + 15, on_updates, l);
}

/* --------------------------------------------------------------------------------------- webhook */

static void on_deleted(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!is_good(l, answer))
        return;
    log_info("our webhook was removed: long polling from now on", LOG_END);
    l->step = STEP_ASK;
    next(l);
}

static void on_set(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!is_good(l, answer))
        return;
    log_info("webhook set", LOG_S("url", l->url), LOG_END);
    l->memory = (struct webhook_memory){0};
    snprintf(l->our_url, sizeof l->our_url, "%s", l->url);
    l->step = STEP_WATCH;
    next(l);
}

/* Remembered before it is set: a crash between the two must not make our own webhook a stranger's. */
static void on_remembered(void *ctx, const char *value, const struct err *err)
{
    struct listen *l = ctx;
    if (err || !value) {
        l->busy = false;
        wake_in(l, 1);
        return;
    }
    telegram_call(l->telegram, "setWebhook",
                  json_pack("{s:s,s:s,s:i,s:o}", "url", l->url, "secret_token", l->webhook->secret,
                            "max_connections", WEBHOOK_CONNECTIONS, "allowed_updates",
                            allowed_updates()),
                  30, on_set, l);
}

static void not_ours(struct listen *l)
{
    l->step = STEP_HOOK;
    set_state(
        l, LISTEN_SEND_ONLY,
        "the bot has a webhook that is not Nabat's: give Nabat a bot of its own, or remove the "
        "webhook");
    wake_in(l, SEND_ONLY_SECONDS);
}

static bool is_ours(const struct listen *l, const char *url)
{
    return (l->url[0] && strcmp(url, l->url) == 0) || strcmp(url, l->our_url) == 0;
}

static void on_hook(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!is_good(l, answer))
        return;
    const char *url = json_string_value(json_object_get(answer->result, "url"));
    if (url && *url && !is_ours(l, url)) {
        not_ours(l);
        return;
    }
    l->step = l->url[0] ? STEP_SET : url && *url ? STEP_DELETE : STEP_ASK;
    next(l);
}

/* Once it is set: somebody may take it away, and Telegram may have trouble with it. */
static void on_watched(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!is_good(l, answer))
        return;
    const char *url = json_string_value(json_object_get(answer->result, "url"));
    if (!url || strcmp(url, l->url) != 0) {
        log_warn("our webhook is gone or was replaced", LOG_END);
        l->step = STEP_HOOK;
        wake_in(l, url && *url ? 0.1 : RETRY_SECONDS);
        return;
    }
    webhook_info_read(&l->memory, answer->result, clock_wall_ms() / 1000);
    char text[ERR_TEXT_BYTES_MAX + 40];
    snprintf(text, sizeof text, "webhook: %s", l->memory.trouble);
    set_state(l, l->memory.failing ? LISTEN_FAILING : LISTEN_RUNNING,
              l->memory.failing ? text : "");
    wake_in(l, WATCH_SECONDS);
}

/* ----------------------------------------------------------------------------------------- start */

static void on_our_url(void *ctx, const char *value, const struct err *err)
{
    struct listen *l = ctx;
    l->busy = false;
    if (err) {
        wake_in(l, 1);
        return;
    }
    snprintf(l->our_url, sizeof l->our_url, "%s", value ? value : "");
    l->step = STEP_HOOK;
    next(l);
}

static void on_secret(void *ctx, const char *value, const struct err *err)
{
    struct listen *l = ctx;
    l->busy = false;
    if (err || !value) {
        wake_in(l, 1);
        return;
    }
    snprintf(l->webhook->secret, sizeof l->webhook->secret, "%s", value);
    log_add_secret(l->webhook->secret);
    l->webhook->wanted = l->url[0] != '\0';
    l->step = STEP_WHO;
    next(l);
}

static void on_who(void *ctx, const struct tg_answer *answer)
{
    struct listen *l = ctx;
    if (!is_good(l, answer))
        return;
    const char *name = json_string_value(json_object_get(answer->result, "username"));
    snprintf(l->bot->username, sizeof l->bot->username, "%s", name ? name : "");
    l->step = STEP_OURS;
    next(l);
}

static void set_menu(struct listen *l)
{
    if (l->menu_is_set && l->menu_chat_id == l->bot->alert_chat_id)
        return;
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
        telegram_call(l->telegram, "getWebhookInfo", NULL, 15, on_hook, l);
        break;
    case STEP_SET:
        store_setting_put(l->pg, SETTING_WEBHOOK_URL, l->url, on_remembered, l);
        break;
    case STEP_DELETE:
        telegram_call(l->telegram, "deleteWebhook", NULL, 15, on_deleted, l);
        break;
    case STEP_ASK:
        set_menu(l);
        ask_updates(l);
        break;
    case STEP_WATCH:
        set_menu(l);
        telegram_call(l->telegram, "getWebhookInfo", NULL, 15, on_watched, l);
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

static void next(struct listen *l)
{
    if (l->busy || l->stopped)
        return;
    if (!may_go_on(l)) {
        if (pg_is_up(l->pg)) {
            l->state = LISTEN_RESTING;
            l->trouble[0] = '\0';
        }
        wake_in(l, 0.3);
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
        wake_in(l, 0.2);
    } else {
        next(l);
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
    wake_in(l, 0.05);
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
