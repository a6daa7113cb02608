/* service.c -- wiring: connections, writer, lease, decider, delivery, chat, routes.
 *
 *     migrate (helper thread) --ok--> projects, writer, lease --held--> decider, delivery, poll
 *                             --away--> again in a second        --refused--> failed
 *
 * HTTP listens from the first moment: probes see "not ready" instead of nothing. */
#include "bot/service_internal.h"

#include "core/child.h"
#include "core/helper.h"
#include "core/limits.h"
#include "core/mem.h"
#include "core/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double UPKEEP_SECONDS = 600.0;

static int64_t alert_chat(const struct service *s)
{
    return s->telegram ? s->settings->alert_chat_id : CONSOLE_CHAT_ID;
}

enum language service_language(const struct service *s)
{
    const char *code = s->settings->bot_language;
    const char *lang = s->telegram ? NULL : getenv("LANG");
    if (!code && lang && strncmp(lang, "ru", 2) == 0)
        return LANG_RU;
    return code && strcmp(code, "ru") == 0 ? LANG_RU : LANG_EN;
}

/* ------------------------------------------------------------------------------------- movements */

static void on_due(void *ctx)
{
    struct service *s = ctx;
    decider_poke(s->decider);
}

static void on_decided(void *ctx)
{
    struct service *s = ctx;
    delivery_poke(s->delivery);
}

static void on_rules_read(void *ctx, const struct rules *rules)
{
    struct service *s = ctx;
    service_set_places(s, rules);
    channels_reload(s->channels);
}

static void on_group_changed(void *ctx)
{
    struct service *s = ctx;
    decider_poke(s->decider);
}

/* Which chat it is may have been decided in the chat, by this instance or another. */
static void on_lease(void *ctx, bool held)
{
    struct service *s = ctx;
    /* with the database away nobody can hold the lease: whoever held it last speaks of that */
    if (held || pg_is_up(s->pg_work))
        s->was_holder = held;
    if (!held)
        return;
    if (s->telegram)
        service_chat_look_up(s);
    else
        delivery_set_chat(s->delivery, CONSOLE_CHAT_ID);
    delivery_recover(s->delivery);
    decider_begin_anew(s->decider);
    if (s->watch)
        watch_begin(s->watch);
    if (s->checks)
        checks_begin(s->checks);
    if (s->dispatch)
        dispatch_poke(s->dispatch);
}

static void on_updates_stored(void *ctx)
{
    struct service *s = ctx;
    dispatch_poke(s->dispatch);
}

static void on_talk_done(void *ctx)
{
    (void)ctx;
}

static void on_typed(void *ctx, struct update *update)
{
    struct service *s = ctx;
    if (s->roles) {
        talk_start(&s->bot, update, on_talk_done, s);
        return;
    }
    puts("» The database does not answer yet.");
    fflush(stdout);
    update_fini(update);
}

/* ---------------------------------------------------------------------------------------- start */

static struct pg *connection(struct service *s, const char *name)
{
    struct pg_config config = {s->settings->database_url, s->settings->database_schema, name};
    return pg_new(s->loop, s->helper, &config);
}

static void start_updates(struct service *s)
{
    const struct settings *set = s->settings;
    int64_t bot_id = strtoll(set->telegram_bot_token, NULL, 10); /* Bot API: <bot id>:<secret> */
    struct listen_config config = {set->telegram_webhook_url, set->telegram_webhook_secret,
                                   &set->admin_ids};
    s->intake = intake_new(s->loop, s->pg_work, &s->bot, bot_id, on_updates_stored, s);
    s->dispatch = dispatch_new(s->loop, s->pg_work, s->lease, &s->bot, s->intake, bot_id);
    s->webhook.intake = s->intake;
    s->listen = listen_new(s->loop, s->pg_work, s->telegram, s->lease, &s->bot, s->intake,
                           &s->webhook, &config);
}

static void start_watch(struct service *s)
{
    struct watch_config config = {s->settings->watch_bot_tokens, s->settings->telegram_api_url,
                                  service_language(s) == LANG_RU};
    s->watch = watch_new(s->loop, s->http, s->pg_work, s->lease, &config);
}

static void start_forward(struct service *s)
{
    struct forward_target target;
    if (s->settings->sentry_dsn && forward_target_parse(s->settings->sentry_dsn, &target))
        s->forward = forward_new(s->loop, s->http, s->pg_work, s->lease, s->projects, &target);
}

static struct route_root route_root(const struct service *s)
{
    const struct settings *set = s->settings;
    return (struct route_root){(enum severity)set->alert_min_severity, set->alert_cooldown_s * 1000,
                               alert_chat(s), set->alert_thread_id};
}

static void start_issues(struct service *s)
{
    const struct settings *set = s->settings;
    struct github_config config = {set->github_token, set->github_repository, set->github_api_url,
                                   set->github_assignees, set->public_url};
    if (!s->options.listen || !config.token || !config.repository)
        return;
    s->issues = issues_new(s->loop, s->http, s->pg_work, s->lease, &config);
    s->bot.issues = s->issues;
}

static void start_report(struct service *s)
{
    struct daily at;
    if (s->options.listen && s->settings->report_at && daily_parse(s->settings->report_at, &at))
        s->reporter =
            reporter_new(&s->bot, s->pg_work, s->lease, &at, s->settings->alert_thread_id);
}

static void start_alerts(struct service *s)
{
    const struct settings *set = s->settings;
    struct card_links links = {set->open_url, set->gen_request_url, set->user_url};
    struct decider_config decide = {.root = route_root(s)};
    struct decider_events decided = {on_decided, on_rules_read, s};
    struct delivery_config deliver = {alert_chat(s), set->alert_thread_id, service_language(s),
                                      s->telegram ? (enum topics)set->topics : TOPICS_NONE, links};
    struct delivery_events events = {service_chat_moved, service_chat_refused, service_silent_ms,
                                     service_chat_may_show, s};
    struct roles_config roles = {alert_chat(s), &set->admin_ids, s->telegram ? 0 : CONSOLE_USER_ID};
    s->lease = store_lease_new(s->loop, s->pg_work, on_lease, s);
    s->decider = decider_new(s->loop, s->pg_decide, s->lease, &decide, &decided);
    s->channels = channels_new(s->http, s->pg_work);
    s->delivery = delivery_new(s->loop, s->pg_work, s->lease, s->chat, &s->pacer, s->channels,
                               &deliver, &events);
    s->hours = store_hours_new(s->loop, s->pg_work, s->lease);
    s->monitors = monitors_new(s->loop, s->pg_work, s->lease);
    start_forward(s);
    s->ingest.monitors = s->monitors;
    start_watch(s);
    if (s->options.listen)
        s->checks =
            checks_new(s->loop, s->pg_work, s->lease, set->checks, service_language(s) == LANG_RU);
    s->drain = api_inbox_drain_new(s->loop, s->pg_work, s->lease, &s->ingest);
    s->roles = roles_new(s->pg_chat, s->telegram, &roles);
    s->bot = (struct bot){
        .loop = s->loop,
        .pg = s->pg_chat,
        .chat = s->chat,
        .telegram = s->telegram,
        .roles = s->roles,
        .health = &s->health,
        .alert_chat_id = alert_chat(s),
        .chat_is_fixed = set->alert_chat_id != 0 || !s->telegram,
        .language = set->bot_language,
        .scrub = s->scrub,
        .public_url = set->public_url,
        .links = links,
        .events = {on_group_changed, service_chat_said_moved, service_chat_back,
                   service_chat_chosen, s},
    };
    s->alarm = (struct alarm_bell){.bot = &s->bot, .owners = &set->admin_ids};
    start_report(s);
    start_issues(s);
    if (s->options.listen)
        s->reports = reports_new(&s->bot, s->pg_work, s->lease, set->alert_thread_id);
    if (s->telegram && s->options.listen)
        start_updates(s);
    service_self_know(s);
}

static void on_upkeep_done(void *ctx, const struct pg_reply *reply)
{
    (void)ctx;
    if (reply->err)
        log_warn("tables of the days ahead not made", LOG_S("error", reply->err->text), LOG_END);
}

/* Days ahead, so that midnight finds its leaf; nabat-prune makes them too. */
static void on_upkeep(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct service *s = timer->data;
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT nabat_make_day((now() AT TIME ZONE 'UTC')::date + n) "
                  "FROM generate_series(0, $1::int) AS n");
    char days[8];
    snprintf(days, sizeof days, "%d", PARTITION_DAYS_AHEAD);
    pg_text(batch, days);
    pg_run(s->pg_work, batch, on_upkeep_done, s);
}

void service_on_migrated(struct service *s)
{
    struct writer_config write = {(enum severity)s->settings->alert_min_severity,
                                  s->settings->group_rows_per_minute, s->spool != NULL,
                                  s->settings->sentry_dsn ? forward_render : NULL};
    s->pg_work = connection(s, "work");
    s->pg_chat = connection(s, "chat");
    s->pg_write = connection(s, "writer");
    s->pg_decide = connection(s, "decider");
    s->ingest.pg = s->pg_work;
    s->stats_api.pg = s->pg_chat;
    s->stats_api.language = service_language(s);
    s->ingest.writer = store_writer_new(s->loop, s->pg_write, &write);
    start_alerts(s);
    service_spool_open(s);
    store_writer_on_due(s->ingest.writer, on_due, s);
    store_writer_on_schema(s->ingest.writer, service_migrate_again, s);
    ev_timer_init(&s->upkeep, on_upkeep, 1.0, UPKEEP_SECONDS);
    s->upkeep.data = s;
    ev_timer_start(s->loop, &s->upkeep);
}

static bool start_http(struct service *s, struct err *err)
{
    struct http_config config = {
        .bind = s->settings->bind,
        .port = (int)s->settings->port,
        .connections_max = (size_t)s->settings->http_max_connections,
        .body_memory_max = (size_t)s->settings->http_body_memory,
        .routes = s->routes,
        .routes_count = ROUTES,
    };
    s->server = http_server_new(s->loop, &config, err);
    return s->server != NULL;
}

static bool check_assignees(const struct settings *settings, struct err *err)
{
    char login[64];
    return github_assignee(settings->github_assignees, NULL, login) ||
           err_set(err, ERR_INPUT,
                   "GITHUB_ISSUES_ASSIGNEES is \"%.60s\": it takes origins or severities with "
                   "logins, such as celery=ann,critical=bob,*=carl",
                   settings->github_assignees);
}

struct service *service_new(struct ev_loop *loop, const struct settings *settings,
                            const struct service_options *options,
                            void (*failed)(void *ctx, const struct err *err), void *ctx,
                            struct err *err)
{
    struct service *s = mem_alloc(sizeof *s);
    s->loop = loop;
    s->settings = settings;
    s->options = *options;
    s->failed = failed;
    s->ctx = ctx;
    ev_init(&s->upkeep, on_upkeep);
    ev_init(&s->chat_again, on_upkeep);
    ev_init(&s->self_timer, on_upkeep);
    s->helper = helper_new(loop);
    s->scrub = scrub_new(settings->scrub_fields, settings->scrub_off, err);
    if (!s->scrub || !check_assignees(settings, err) ||
        !watch_check_tokens(settings->watch_bot_tokens, err) ||
        !proxies_parse(settings->trusted_proxies, &s->ingest.proxies, err)) {
        service_free(s);
        return NULL;
    }
    s->ingest.scrub = s->scrub;
    s->ingest.rates = rate_table_new(RATE_BUCKETS);
    s->ingest.sessions = session_seen_new();
    s->ingest.rate_per_address = settings->rate_per_address;
    s->ingest.keeps_original = settings->sentry_dsn != NULL;
    s->ingest.unhandled = (enum severity)settings->unhandled_severity;
    s->ingest.attachment_bytes_max = (size_t)settings->attachment_bytes_max;
    service_set_routes(s);
    if (options->listen && !start_http(s, err)) {
        service_free(s);
        return NULL;
    }
    s->http = http_client_new(loop, HTTP_CLIENT_CONNECTIONS_MAX);
    if (settings->telegram_bot_token) {
        s->telegram =
            telegram_new(s->http, settings->telegram_api_url, settings->telegram_bot_token);
        s->chat = chat_telegram_new(loop, s->telegram, &s->pacer);
        if (!settings->alert_chat_id)
            log_warn(
                "ERROR_ALERT_CHAT_ID is not set: nothing can ring until an owner sends /start in "
                "a group",
                LOG_END);
    } else {
        s->console = console_new(loop, options->listen ? on_typed : NULL, s);
        s->chat = console_chat(s->console);
    }
    /* enough to speak of itself until the database is there */
    s->bot = (struct bot){.loop = loop,
                          .chat = s->chat,
                          .telegram = s->telegram,
                          .alert_chat_id = alert_chat(s),
                          .language = settings->bot_language};
    if (options->listen) {
        service_gauges_start(s);
        service_self_start(s);
    }
    struct route_root root = route_root(s);
    service_spool_start(s, &root, service_language(s));
    service_migrate(s);
    return s;
}

/* ----------------------------------------------------------------------------------------- stop */

static void part_stopped(void *ctx)
{
    struct service *s = ctx;
    if (--s->stopping == 0)
        s->stopped(s->stopped_ctx);
}

static void on_delivery_stopped(void *ctx)
{
    struct service *s = ctx;
    store_lease_release(s->lease, part_stopped, s);
}

void service_stop(struct service *s, void (*stopped)(void *ctx), void *ctx)
{
    s->stopped = stopped;
    s->stopped_ctx = ctx;
    s->stopping = 1 + (s->server != NULL) + (s->delivery != NULL);
    if (s->listen) {
        listen_stop(s->listen);
        dispatch_stop(s->dispatch);
    }
    if (s->server)
        http_server_stop(s->server, part_stopped, s);
    if (s->delivery) {
        delivery_stop(s->delivery, on_delivery_stopped, s);
    }
    part_stopped(s);
}

void service_free(struct service *s)
{
    if (!s)
        return;
    service_migrate_stop(s);
    ev_timer_stop(s->loop, &s->upkeep);
    ev_timer_stop(s->loop, &s->chat_again);
    service_gauges_stop(s);
    service_self_stop(s);
    /* answers and rows that are still under way end first: their owners are all alive */
    if (s->http)
        http_client_close(s->http);
    checks_close(s->checks);
    child_end_all();
    pg_free(s->pg_chat);
    pg_free(s->pg_work);
    pg_free(s->pg_decide);
    pg_free(s->pg_write);
    store_writer_free(s->ingest.writer);
    service_spool_close(s);
    http_server_free(s->server);
    dispatch_abandon(s->dispatch);
    talk_abandon_all(&s->bot);
    listen_free(s->listen);
    dispatch_free(s->dispatch);
    intake_free(s->intake);
    roles_free(s->roles);
    api_inbox_drain_free(s->drain);
    monitors_free(s->monitors);
    forward_free(s->forward);
    store_hours_free(s->hours);
    issues_free(s->issues);
    checks_free(s->checks);
    watch_free(s->watch);
    delivery_free(s->delivery);
    channels_free(s->channels);
    decider_free(s->decider);
    store_lease_free(s->lease);
    service_spool_free(s);
    if (s->telegram)
        chat_telegram_free(s->chat);
    /* what waited to be sent has told them so */
    reporter_free(s->reporter);
    reports_free(s->reports);
    console_free(s->console);
    http_client_free(s->http);
    telegram_free(s->telegram);
    helper_free(s->helper);
    rate_table_free(s->ingest.rates);
    session_seen_free(s->ingest.sessions);
    scrub_free(s->scrub);
    free(s);
}

int service_port(const struct service *s)
{
    return s->server ? http_server_port(s->server) : 0;
}

struct writer *service_writer(struct service *s)
{
    return s->ingest.writer;
}

struct pg *service_pg(struct service *s)
{
    return s->pg_work;
}

struct projects *service_projects(struct service *s)
{
    return s->projects;
}
