/* service_chat.c -- which chat alerts go to: set, chosen by an owner, moved by Telegram, refused, back.
 *
 * Whoever learns of a change tells everybody else here; what must outlive a restart is kept in
 * service_setting. */
#include "bot/service_internal.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/setting.h"

#include <stdio.h>
#include <stdlib.h>

/* Everybody who needs to know which chat alerts go to. */
static void set_chat(struct service *s, int64_t chat_id)
{
    s->bot.alert_chat_id = chat_id;
    decider_set_chat(s->decider, chat_id);
    roles_set_chat(s->roles, chat_id);
}

static void on_moved_kept(void *ctx, const char *value, const struct err *err)
{
    (void)ctx;
    (void)value;
    if (err)
        log_error("the alert chat's new id is not stored", LOG_S("error", err->text), LOG_END);
}

/* Remembered under the old id: the settings may name that for years. */
static void keep_move(struct service *s, int64_t from, int64_t to)
{
    char name[64];
    char value[TALK_NUMBER_BYTES];
    snprintf(name, sizeof name, SETTING_CHAT_MOVED "%lld", (long long)from);
    store_setting_put(s->pg_work, name, talk_number(to, value), on_moved_kept, s);
}

/* By an answer to a send. */
void service_chat_moved(void *ctx, int64_t chat_id)
{
    struct service *s = ctx;
    keep_move(s, s->bot.alert_chat_id, chat_id);
    set_chat(s, chat_id);
}

/* By Telegram's own message about it, which may come first. */
void service_chat_said_moved(void *ctx, int64_t from, int64_t to)
{
    struct service *s = ctx;
    if (from == s->bot.alert_chat_id)
        delivery_move_chat(s->delivery, from, to);
}

void service_chat_refused(void *ctx, const char *trouble)
{
    struct service *s = ctx;
    alarm_ring(&s->alarm, trouble);
}

void service_chat_back(void *ctx, int64_t chat_id)
{
    struct service *s = ctx;
    log_info("the bot may write to the alert chat again", LOG_I("chat", chat_id), LOG_END);
    s->alarm.told_ms = 0;
    delivery_chat_is_back(s->delivery, chat_id);
}

void service_chat_chosen(void *ctx, int64_t chat_id)
{
    struct service *s = ctx;
    set_chat(s, chat_id);
    delivery_set_chat(s->delivery, chat_id);
}

/* It and all above it are switched on. */
static bool is_on(const struct rules *rules, const struct rule *rule, int depth)
{
    if (!rule->enabled || rule->nowhere || depth > RULE_DEPTH_MAX)
        return false;
    for (size_t i = 0; rule->parent_id && i < rules->rules_count; i++)
        if (rules->rules[i].id == rule->parent_id)
            return is_on(rules, &rules->rules[i], depth + 1);
    return rule->parent_id == 0;
}

void service_set_places(struct service *s, const struct rules *rules)
{
    int64_t ids[ALERT_RULES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < rules->chats_count; i++)
        ids[count++] = rules->chats[i];
    for (size_t i = 0; i < rules->rules_count && count < ALERT_RULES_MAX; i++)
        if (rules->rules[i].chat_id && is_on(rules, &rules->rules[i], 0))
            ids[count++] = rules->rules[i].chat_id;
    roles_set_places(s->roles, ids, count);
}

/* -------------------------------------------------------------------------- cards kept elsewhere */

struct showing {
    void (*done)(void *ctx, bool may);
    void *ctx;
};

static void on_role(void *ctx, enum role role)
{
    struct showing *showing = ctx;
    showing->done(showing->ctx, role > ROLE_NONE);
    free(showing);
}

/* In private a chat is its person; a group that is not the alert chat (any more) is shown nothing. */
void service_chat_may_show(void *ctx, int64_t chat_id, void (*done)(void *ctx, bool may),
                           void *done_ctx)
{
    struct service *s = ctx;
    struct showing *showing = mem_alloc(sizeof *showing);
    *showing = (struct showing){done, done_ctx};
    if (roles_is_place(s->roles, chat_id))
        on_role(showing, ROLE_TRIAGE);
    else if (chat_id > 0)
        roles_check(s->roles, chat_id, chat_id, on_role, showing);
    else
        on_role(showing, ROLE_NONE);
}

/* ------------------------------------------------------------------------------ before we listened */

static const double LOOK_AGAIN_SECONDS = 1.0;

static void look_again(struct service *s)
{
    ev_timer_stop(s->loop, &s->chat_again);
    ev_timer_set(&s->chat_again, LOOK_AGAIN_SECONDS, 0);
    ev_timer_start(s->loop, &s->chat_again);
}

static void hold(struct service *s, bool held)
{
    decider_hold(s->decider, held);
    delivery_hold(s->delivery, held);
}

static void on_moved_to(void *ctx, const char *value, const struct err *err)
{
    struct service *s = ctx;
    if (err) {
        look_again(s);
        return;
    }
    if (value) {
        log_info("the alert chat has moved since it was set", LOG_S("new", value), LOG_END);
        set_chat(s, strtoll(value, NULL, 10));
    }
    if (s->bot.alert_chat_id)
        delivery_set_chat(s->delivery, s->bot.alert_chat_id);
    hold(s, false);
}

static void on_chosen_before(void *ctx, const char *value, const struct err *err)
{
    struct service *s = ctx;
    char name[64];
    if (err) {
        look_again(s);
        return;
    }
    if (value && !s->settings->alert_chat_id)
        set_chat(s, strtoll(value, NULL, 10));
    snprintf(name, sizeof name, SETTING_CHAT_MOVED "%lld", (long long)s->bot.alert_chat_id);
    store_setting_get(s->pg_work, name, on_moved_to, s);
}

static void on_chat_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    service_chat_look_up(timer->data);
}

/* What was chosen or moved, by this instance or another: until it is known nothing is decided, or a ring
 * would go nowhere. */
void service_chat_look_up(struct service *s)
{
    ev_set_cb(&s->chat_again, on_chat_again);
    s->chat_again.data = s;
    if (!store_lease_is_held(s->lease))
        return; /* whoever holds it looks */
    hold(s, true);
    store_setting_get(s->pg_work, SETTING_ALERT_CHAT, on_chosen_before, s);
}
