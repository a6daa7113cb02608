/* channel_test.c -- nabat --channel-test: one message through a channel, as an alert would go.
 *
 *     connected --channels read--> post --answer--> printed */
#include "bot/tools.h"

#include "alerts/channel_send.h"
#include "core/clock.h"
#include "core/helper.h"
#include "core/limits.h"

#include <ev.h>
#include <stdio.h>
#include <string.h>

enum { TEST_SECONDS_MAX = 60 };

struct testing {
    struct ev_loop *loop;
    struct pg *pg;
    struct http_client *http;
    struct channels *channels;
    const char *name;
    enum language language;
    ev_timer limit;
    bool asked;
    int code;
};

static void end(struct testing *t, int code, const char *format, const char *value)
{
    fprintf(code ? stderr : stdout, format, t->name, value);
    t->code = code;
    ev_break(t->loop, EVBREAK_ALL);
}

static void on_answer(void *ctx, const struct chat_result *result)
{
    struct testing *t = ctx;
    if (result->outcome == TG_OK)
        end(t, 0, "channel %s took the test (%s)\n", result->text);
    else
        end(t, 1, "nabat: channel %s did not take it: %s\n", result->text);
}

static void on_list(void *ctx, struct channel_list *list, const struct err *err)
{
    struct testing *t = ctx;
    int64_t id = 0;
    for (size_t i = 0; list && i < list->count; i++)
        if (strcmp(list->channels[i].name, t->name) == 0)
            id = list->channels[i].id;
    store_channels_free(list);
    if (err || !id) {
        end(t, err ? 1 : 2, "nabat: channel %s: %s\n",
            err ? err->text : "there is no such channel");
        return;
    }
    struct look look = {.language = t->language, .now_ms = clock_wall_ms()};
    struct channel_alert alert = {.what = CHANNEL_TEST,
                                  .delivery_id = look.now_ms,
                                  .reason = "test",
                                  .look = &look,
                                  .now_ms = look.now_ms};
    const char *why = "";
    if (!channels_post(t->channels, id, &alert, on_answer, t, &why))
        end(t, 1, "nabat: channel %s: %s\n", *why ? why : "its kind is told of alerts alone");
}

/* The channels themselves are read by then: both reads go over one connection, in order. */
static void on_connection(void *ctx, bool up)
{
    struct testing *t = ctx;
    if (!up || t->asked)
        return;
    t->asked = true;
    channels_reload(t->channels);
    store_channels_load(t->pg, on_list, t);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct testing *t = timer->data;
    end(t, 1, "nabat: channel %s: no answer in time: %s\n", pg_trouble(t->pg));
}

int tool_channel_test(const struct settings *settings, const char *name)
{
    struct testing t = {.loop = ev_loop_new(EVFLAG_AUTO), .name = name, .code = 1};
    struct helper *helper = helper_new(t.loop);
    struct pg_config config = {settings->database_url, settings->database_schema, "channel test"};
    t.language = language_of_code(settings->bot_language);
    t.pg = pg_new(t.loop, helper, &config);
    t.http = http_client_new(t.loop, HTTP_CLIENT_CONNECTIONS_MAX);
    t.channels = channels_new(t.http, t.pg);
    pg_watch(t.pg, on_connection, &t);
    ev_timer_init(&t.limit, on_limit, TEST_SECONDS_MAX, 0);
    t.limit.data = &t;
    ev_timer_start(t.loop, &t.limit);
    ev_run(t.loop, 0);
    ev_timer_stop(t.loop, &t.limit);
    http_client_free(t.http);
    pg_free(t.pg);
    channels_free(t.channels);
    helper_free(helper);
    ev_loop_destroy(t.loop);
    return t.code;
}
