/* watch.c -- each bot by itself: remembered, looked at, judged, told.
 *
 *     begin --state read--> look: getMe --> getWebhookInfo --> judge (pure) --> written with its news
 *                            ^------------------- a minute later ---------------------/
 *
 * What can't be asked (Telegram silent, a 429) is judged not at all: that is not the bot's trouble. */
#include "watch/watch.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "net/telegram.h"
#include "store/setting.h"
#include "store/watch.h"
#include "watch/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_SECONDS_MAX = 20, STATE_BYTES_MAX = 1024, NEWS_BYTES_MAX = 8 * KIB };
static const double LOOK_SECONDS = 60.0;

struct watched {
    struct watch *watch;
    struct telegram *telegram;
    int64_t id;
    char name[80];
    struct watch_state state;
    bool loaded;
    bool busy;
    char detail[ERR_TEXT_BYTES_MAX];
};

struct watch {
    struct ev_loop *loop;
    struct pg *pg;
    struct lease *lease;
    bool is_russian;
    ev_timer tick;
    size_t count;
    struct watched bots[WATCHED_BOTS_MAX];
};

static const char *const TROUBLE_KEYS[TROUBLES] = {"revoked", "lost", "failing", "pending"};

/* ------------------------------------------------------------------------------------ its memory */

static void state_read(const char *text, struct watch_state *s)
{
    json_error_t why;
    json_t *root = json_loads(text, 0, &why);
    *s = (struct watch_state){.known = json_is_object(root)};
    s->had_webhook = json_is_true(json_object_get(root, "webhook"));
    s->last_error_date = (int64_t)json_integer_value(json_object_get(root, "last_error_date"));
    s->pending = (int64_t)json_integer_value(json_object_get(root, "pending_updates"));
    s->calm = (int)json_integer_value(json_object_get(root, "calm"));
    s->growing = (int)json_integer_value(json_object_get(root, "growing"));
    for (int i = 0; i < TROUBLES; i++) {
        s->since_ms[i] = (int64_t)json_integer_value(json_object_get(root, TROUBLE_KEYS[i]));
        s->troubles[i] = s->since_ms[i] != 0;
    }
    json_decref(root);
}

static char *state_write(const struct watch_state *s)
{
    json_t *root = json_pack("{s:b,s:I,s:I,s:i,s:i}", "webhook", s->had_webhook, "last_error_date",
                             (json_int_t)s->last_error_date, "pending_updates",
                             (json_int_t)s->pending, "calm", s->calm, "growing", s->growing);
    for (int i = 0; i < TROUBLES; i++)
        if (s->troubles[i])
            json_object_set_new(root, TROUBLE_KEYS[i], json_integer((json_int_t)s->since_ms[i]));
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

/* ------------------------------------------------------------------------------------- a look at it */

static void on_written(void *ctx, const struct err *err)
{
    struct watched *b = ctx;
    b->busy = false;
    if (!err)
        return;
    log_warn("what a watched bot is like is not written yet", LOG_S("error", err->text), LOG_END);
    b->loaded = false; /* read again, judged again: nothing that rose is forgotten */
}

static void judge(struct watched *b, const struct watch_seen *seen)
{
    int64_t now = clock_wall_ms();
    struct watch_state next = b->state;
    struct watch_verdict v = watch_judge(&next, seen, now);
    struct watch_bot bot = {b->name, b->id, b->watch->is_russian};
    struct watch_news news[WATCH_NEWS_MAX];
    struct buf bodies[TROUBLES];
    char ids[TROUBLES][RANDOM_HEX_BYTES];
    char fingerprints[TROUBLES][FINGERPRINT_BYTES];
    size_t count = 0;
    for (int i = 0; i < TROUBLES; i++) {
        buf_init(&bodies[i], NEWS_BYTES_MAX);
        watch_fingerprint(&bot, (enum trouble)i, fingerprints[i]);
        bool happens = v.risen[i] || v.again[i];
        if (happens)
            watch_word(&bot, (enum trouble)i, b->detail, now, ids[i], &bodies[i]);
        if (happens || v.over[i])
            news[count++] = (struct watch_news){happens ? ids[i] : NULL, buf_text(&bodies[i]),
                                                fingerprints[i], b->name, v.lasted_ms[i] / 60000};
    }
    b->state = next;
    char *state = state_write(&next);
    store_watch_write(b->watch->pg, b->id, state, news, count, on_written, b);
    free(state);
    for (int i = 0; i < TROUBLES; i++)
        buf_fini(&bodies[i]);
}

static void on_webhook(void *ctx, const struct tg_answer *answer)
{
    struct watched *b = ctx;
    if (answer->outcome != TG_OK) {
        b->busy = false;
        return;
    }
    const json_t *info = answer->result;
    const char *url = json_string_value(json_object_get(info, "url"));
    const char *message = json_string_value(json_object_get(info, "last_error_message"));
    struct watch_seen seen = {
        .has_webhook = url && *url,
        .last_error_date = (int64_t)json_integer_value(json_object_get(info, "last_error_date")),
        .pending = (int64_t)json_integer_value(json_object_get(info, "pending_update_count")),
    };
    snprintf(b->detail, sizeof b->detail, "%s%spending updates: %" PRId64,
             message && seen.last_error_date ? message : "",
             message && seen.last_error_date ? "\n" : "", seen.pending);
    judge(b, &seen);
}

static void on_me(void *ctx, const struct tg_answer *answer)
{
    struct watched *b = ctx;
    const char *name = json_string_value(json_object_get(answer->result, "username"));
    if (answer->outcome == TG_UNAUTHORIZED) {
        struct watch_seen seen = {.unauthorized = true};
        snprintf(b->detail, sizeof b->detail, "%s", answer->text);
        judge(b, &seen);
    } else if (answer->outcome == TG_OK) {
        if (name)
            snprintf(b->name, sizeof b->name, "@%s", name);
        telegram_call(b->telegram, "getWebhookInfo", NULL, ASK_SECONDS_MAX, on_webhook, b);
    } else {
        b->busy = false;
    }
}

static void look(struct watched *b)
{
    telegram_call(b->telegram, "getMe", NULL, ASK_SECONDS_MAX, on_me, b);
}

static void on_state(void *ctx, const char *value, const struct err *err)
{
    struct watched *b = ctx;
    if (err) {
        b->busy = false;
        return;
    }
    b->state = (struct watch_state){.known = false};
    if (value)
        state_read(value, &b->state);
    b->loaded = true;
    look(b);
}

static void begin(struct watched *b)
{
    char name[64];
    if (b->busy)
        return;
    b->busy = true;
    snprintf(name, sizeof name, "watched_bot:%" PRId64, b->id);
    if (b->loaded)
        look(b);
    else
        store_setting_get(b->watch->pg, name, on_state, b);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct watch *w = timer->data;
    if (!store_lease_is_held(w->lease) || !pg_is_up(w->pg))
        return;
    for (size_t i = 0; i < w->count; i++)
        begin(&w->bots[i]);
}

void watch_begin(struct watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->bots[i].loaded = false;
    ev_feed_event(w->loop, &w->tick, EV_TIMER);
}

/* ------------------------------------------------------------------------------------------- set up */

/* Bot API: <bot id>:<secret>. */
static int64_t id_of_token(const char *token)
{
    size_t digits = strspn(token, "0123456789");
    const char *rest = token + digits;
    if (digits == 0 || digits > 18 || *rest != ':' || !rest[1])
        return 0;
    for (rest++; *rest; rest++)
        if (!isalnum((unsigned char)*rest) && *rest != '_' && *rest != '-')
            return 0;
    return strtoll(token, NULL, 10);
}

static void add(struct watch *w, struct http_client *http, const char *api_url, const char *token)
{
    struct watched *b = &w->bots[w->count++];
    *b = (struct watched){.watch = w, .id = id_of_token(token)};
    b->telegram = telegram_new(http, api_url, token);
    snprintf(b->name, sizeof b->name, "%" PRId64, b->id);
}

/* Cut in pieces; the caller frees `copy`. */
static size_t split(char *copy, char *out[WATCHED_BOTS_MAX + 1])
{
    size_t n = 0;
    char *rest = NULL;
    for (char *one = strtok_r(copy, ", \t\n", &rest); one && n <= WATCHED_BOTS_MAX;
         one = strtok_r(NULL, ", \t\n", &rest))
        out[n++] = one;
    return n;
}

bool watch_check_tokens(const char *tokens, struct err *err)
{
    char *out[WATCHED_BOTS_MAX + 1];
    char *copy = mem_str_dup(tokens ? tokens : "");
    size_t n = split(copy, out);
    bool ok =
        n <= WATCHED_BOTS_MAX ||
        err_set(err, ERR_INPUT, "WATCH_BOT_TOKENS holds more than %d tokens", WATCHED_BOTS_MAX);
    for (size_t i = 0; ok && i < n; i++)
        if (!id_of_token(out[i]))
            ok = err_set(err, ERR_INPUT,
                         "WATCH_BOT_TOKENS: number %zu is no bot token: it takes tokens from "
                         "@BotFather, comma separated",
                         i + 1);
    free(copy);
    return ok;
}

struct watch *watch_new(struct ev_loop *loop, struct http_client *http, struct pg *pg,
                        struct lease *lease, const struct watch_config *config)
{
    struct watch *w = mem_alloc(sizeof *w);
    char *out[WATCHED_BOTS_MAX + 1];
    char *copy = mem_str_dup(config->tokens ? config->tokens : "");
    size_t n = split(copy, out);
    w->loop = loop;
    w->pg = pg;
    w->lease = lease;
    w->is_russian = config->is_russian;
    ev_timer_init(&w->tick, on_tick, LOOK_SECONDS, LOOK_SECONDS);
    w->tick.data = w;
    for (size_t i = 0; i < n && i < WATCHED_BOTS_MAX; i++)
        add(w, http, config->api_url, out[i]);
    free(copy);
    if (w->count)
        ev_timer_start(loop, &w->tick);
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    ev_timer_stop(w->loop, &w->tick);
    for (size_t i = 0; i < w->count; i++)
        telegram_free(w->bots[i].telegram);
    free(w);
}

size_t watch_troubles(const struct watch *w, char *names, size_t size)
{
    size_t n = 0;
    size_t at = 0;
    for (size_t i = 0; i < w->count; i++)
        for (int t = 0; t < TROUBLES; t++)
            if (w->bots[i].state.troubles[t]) {
                n++;
                if (names && at < size)
                    at += (size_t)snprintf(names + at, size - at, "%s%s %s", at ? ", " : "",
                                           w->bots[i].name, TROUBLE_KEYS[t]);
            }
    return n;
}
