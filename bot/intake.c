/* intake.c -- updates are stored; presses that would wait too long for it are answered.
 *
 *     add --insert--> stored --> done
 *         \--800 ms--> presses among them are told that it takes a while
 *         \--refused--> presses among them are told "away", remembered, and not carried out later
 *         \--20 s--> done with an error; what the database does later is found in the table
 *
 * The hard thing: one poison update must not stop the rest. When a batch is refused for what it holds,
 * its updates are tried one by one, and the one that is refused again is dropped, with a line in the
 * log. */
#include "bot/intake.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/update.h"

#include <stdlib.h>
#include <string.h>

enum { TOLD_MAX = 256 };

struct intake {
    struct ev_loop *loop;
    struct pg *pg;
    struct bot *bot;
    int64_t bot_id;
    void (*stored)(void *ctx);
    void *ctx;
    int64_t told[TOLD_MAX]; /* a ring: the oldest makes room */
    size_t next_told;
    int64_t noted[TOLD_MAX]; /* commands whose authors were told that they wait */
    size_t next_noted;
    struct adding *addings;
};

struct adding {
    struct intake *intake;
    struct adding *next;
    struct update_row rows[TG_UPDATES_MAX]; /* bodies are owned */
    size_t count;
    size_t at; /* one by one: which is tried */
    bool one_by_one;
    bool slow_said; /* presses were told that it takes a while: they may still be carried out */
    ev_timer slow;
    ev_timer limit;
    intake_done_fn *done;
    void *done_ctx;
};

static void adding_unlink(struct adding *a)
{
    struct adding **slot = &a->intake->addings;
    while (*slot != a)
        slot = &(*slot)->next;
    *slot = a->next;
}

static void adding_free(struct adding *a)
{
    ev_timer_stop(a->intake->loop, &a->slow);
    ev_timer_stop(a->intake->loop, &a->limit);
    for (size_t i = 0; i < a->count; i++)
        free((char *)(uintptr_t)a->rows[i].body);
    free(a);
}

bool intake_was_told(const struct intake *in, int64_t update_id)
{
    for (size_t i = 0; i < TOLD_MAX; i++)
        if (in->told[i] == update_id)
            return true;
    return false;
}

static void answer_press(struct intake *in, const char *body, enum text text)
{
    struct update update;
    if (!update_decode(body, &update))
        return;
    if (update.kind == UPDATE_PRESS && update.press_id)
        in->bot->chat->answer_press(in->bot->chat, update.press_id,
                                    bot_text(talk_language(in->bot->language, &update), text));
    update_fini(&update);
}

/* A command is kept by Telegram and carried out later: said once, to those who may be answered at all. */
static void say_command_waits(struct intake *in, const char *body, int64_t update_id)
{
    struct update u;
    for (size_t i = 0; i < TOLD_MAX; i++)
        if (in->noted[i] == update_id)
            return;
    if (!update_decode(body, &u))
        return;
    bool ours = u.is_private || roles_is_place(in->bot->roles, u.chat_id);
    if (u.kind == UPDATE_MESSAGE && u.text && u.text[0] == '/' && ours && !u.from_bot) {
        in->noted[in->next_noted] = update_id;
        in->next_noted = (in->next_noted + 1) % TOLD_MAX;
        struct chat_message message = {
            .chat_id = u.chat_id,
            .thread_id = u.thread_id,
            .reply_to = u.is_private ? 0 : u.message_id,
            .html = bot_text(talk_chat_language(in->bot->language, &u), TEXT_COMMAND_WAITS),
            .patient = true,
        };
        in->bot->chat->send(in->bot->chat, &message, NULL, NULL);
    }
    update_fini(&u);
}

static void tell_away(struct intake *in, const char *body, int64_t update_id)
{
    say_command_waits(in, body, update_id);
    if (!strstr(body, "\"callback_query\"") || intake_was_told(in, update_id))
        return;
    in->told[in->next_told] = update_id;
    in->next_told = (in->next_told + 1) % TOLD_MAX;
    answer_press(in, body, TEXT_DATABASE_AWAY);
}

static void on_slow(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct adding *a = timer->data;
    a->slow_said = true;
    for (size_t i = a->at; i < a->count; i++)
        answer_press(a->intake, a->rows[i].body, TEXT_DATABASE_SLOW);
}

/* Telegram waits no longer than a minute: it sends them again, and repeats are dropped. */
static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct adding *a = timer->data;
    struct err err = {.kind = ERR_RETRY, .text = "the database takes too long"};
    intake_done_fn *done = a->done;
    a->done = NULL;
    done(a->done_ctx, &err);
}

static void finish(struct adding *a, const struct err *err)
{
    struct intake *in = a->intake;
    intake_done_fn *done = a->done;
    void *ctx = a->done_ctx;
    adding_unlink(a);
    adding_free(a);
    if (!err)
        in->stored(in->ctx);
    if (done)
        done(ctx, err);
}

static void on_added(void *ctx, const struct err *err)
{
    struct adding *a = ctx;
    bool refused = err && err->kind != ERR_RETRY;
    if (err && !refused) {
        for (size_t i = a->at; i < a->count && !a->slow_said; i++)
            tell_away(a->intake, a->rows[i].body, a->rows[i].update_id);
        finish(a, err);
        return;
    }
    if (refused && a->one_by_one)
        log_error("an update can't be stored and is dropped",
                  LOG_I("update", a->rows[a->at].update_id), LOG_S("error", err->text), LOG_END);
    if (refused && !a->one_by_one)
        a->one_by_one = true;
    else
        a->at += a->one_by_one ? 1 : a->count;
    if (a->at >= a->count)
        finish(a, NULL);
    else
        store_updates_add(a->intake->pg, a->intake->bot_id, a->rows + a->at, 1, on_added, a);
}

static char *body_of(const json_t *update)
{
    char *body = json_dumps(update, JSON_COMPACT);
    if (body)
        update_json_clean(body);
    return body;
}

static int64_t id_of(const json_t *update)
{
    return (int64_t)json_integer_value(json_object_get(update, "update_id"));
}

void intake_add(struct intake *in, const json_t *updates, intake_done_fn *done, void *ctx)
{
    struct adding *a = mem_alloc(sizeof *a);
    size_t i = 0;
    const json_t *update = NULL;
    a->intake = in;
    a->done = done;
    a->done_ctx = ctx;
    a->next = in->addings;
    in->addings = a;
    json_array_foreach(updates, i, update)
    {
        char *body = a->count < TG_UPDATES_MAX ? body_of(update) : NULL;
        if (body)
            a->rows[a->count++] = (struct update_row){id_of(update), body};
    }
    ev_timer_init(&a->slow, on_slow, PRESS_ANSWER_MS_MAX / 1000.0, 0);
    ev_timer_init(&a->limit, on_limit, WEBHOOK_STORE_SECONDS_MAX, 0);
    a->slow.data = a->limit.data = a;
    ev_timer_start(in->loop, &a->slow);
    ev_timer_start(in->loop, &a->limit);
    store_updates_add(in->pg, in->bot_id, a->rows, a->count, on_added, a);
}

void intake_tell_away(struct intake *in, const json_t *updates)
{
    size_t i = 0;
    const json_t *update = NULL;
    json_array_foreach(updates, i, update)
    {
        char *body = body_of(update);
        if (body)
            tell_away(in, body, id_of(update));
        free(body);
    }
}

struct intake *intake_new(struct ev_loop *loop, struct pg *pg, struct bot *bot, int64_t bot_id,
                          void (*stored)(void *ctx), void *ctx)
{
    struct intake *in = mem_alloc(sizeof *in);
    in->loop = loop;
    in->pg = pg;
    in->bot = bot;
    in->bot_id = bot_id;
    in->stored = stored;
    in->ctx = ctx;
    for (size_t i = 0; i < TOLD_MAX; i++)
        in->told[i] = in->noted[i] = -1;
    return in;
}

/* What is under way ends with its connection, before this. */
void intake_free(struct intake *in)
{
    if (!in)
        return;
    for (struct adding *a = in->addings; a;) {
        struct adding *next = a->next;
        adding_free(a);
        a = next;
    }
    free(in);
}
