/* service_health.c -- the route table, and how each part of the service is, in words. */
#include "bot/service_internal.h"

#include "api/alertmanager.h"
#include "api/sentry_path.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/metric.h"

#include <stdio.h>

static enum health_grade database_health(void *ctx, char *detail, size_t size)
{
    const struct service *s = ctx;
    if (!s->pg_write) {
        snprintf(detail, size, "%s", s->trouble[0] ? s->trouble : "connecting");
        return HEALTH_UNHEALTHY;
    }
    if (!pg_is_up(s->pg_write)) {
        snprintf(detail, size, "%s", pg_trouble(s->pg_write));
        return HEALTH_UNHEALTHY;
    }
    const struct pg *const others[] = {s->pg_work, s->pg_decide, s->pg_chat};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!pg_is_up(others[i])) {
            snprintf(detail, size, "events are taken; a connection is being made again: %s",
                     pg_trouble(others[i]));
            return HEALTH_DEGRADED;
        }
    return HEALTH_OK;
}

static enum health_grade telegram_health(void *ctx, char *detail, size_t size)
{
    const struct service *s = ctx;
    if (!s->telegram) {
        snprintf(detail, size, "console chat: TELEGRAM_BOT_TOKEN is not set");
        return HEALTH_OK;
    }
    if (!s->settings->alert_chat_id && !s->bot.alert_chat_id) {
        snprintf(detail, size, "ERROR_ALERT_CHAT_ID is not set: nothing can ring");
        return HEALTH_DEGRADED;
    }
    const struct delivery_state *state = s->delivery ? delivery_state(s->delivery) : NULL;
    if (state && state->is_out) {
        snprintf(detail, size,
                 "the alert chat can't be reached, critical alerts go to the next "
                 "channel: %s",
                 state->trouble[0] ? state->trouble : "nothing was answered for a minute");
        return HEALTH_DEGRADED;
    }
    if (state && state->waiting_for_chat) {
        snprintf(detail, size, "alerts can't be delivered: %s", state->trouble);
        return HEALTH_DEGRADED;
    }
    if (s->listen && listen_trouble(s->listen)[0]) {
        snprintf(detail, size, "%s: %s",
                 listen_state(s->listen) == LISTEN_SEND_ONLY ? "send-only" : "no updates",
                 listen_trouble(s->listen));
        return HEALTH_DEGRADED;
    }
    if (state && state->topics_trouble[0]) {
        snprintf(detail, size, "no topics (TOPICS): %s", state->topics_trouble);
        return HEALTH_DEGRADED;
    }
    return HEALTH_OK;
}

static enum health_grade outbox_health(void *ctx, char *detail, size_t size)
{
    const struct service *s = ctx;
    const struct delivery_state *state = s->delivery ? delivery_state(s->delivery) : NULL;
    if (s->decider && decider_trouble(s->decider)[0]) {
        snprintf(detail, size, "alert rules can't be read: %s", decider_trouble(s->decider));
        return HEALTH_DEGRADED;
    }
    if (!state || !store_lease_is_held(s->lease) || state->waiting == 0)
        return HEALTH_OK;
    snprintf(detail, size, "%lld alerts wait, the oldest for %lld s", (long long)state->waiting,
             (long long)state->oldest_s);
    return state->oldest_s > OUTBOX_SECONDS_MAX ? HEALTH_DEGRADED : HEALTH_OK;
}

static enum health_grade lease_health(void *ctx, char *detail, size_t size)
{
    const struct service *s = ctx;
    if (s->lease && store_lease_is_held(s->lease))
        return HEALTH_OK;
    snprintf(detail, size, "another instance decides and delivers, or none yet");
    return HEALTH_OK;
}

static enum health_grade queue_health(void *ctx, char *detail, size_t size)
{
    (void)ctx;
    int64_t bytes = metric_get(METRIC_WRITER_QUEUE_BYTES);
    if (bytes < WRITER_QUEUE_BYTES_MAX / 2)
        return HEALTH_OK;
    snprintf(detail, size, "%lld events wait for the database",
             (long long)metric_get(METRIC_WRITER_QUEUE_EVENTS));
    return HEALTH_DEGRADED;
}

/* Errors that SDKs lost in the last hour: a client report is the only sign of them. */
static enum health_grade sdks_health(void *ctx, char *detail, size_t size)
{
    struct service *s = (struct service *)(uintptr_t)ctx;
    int64_t lost = metric_get(METRIC_SDK_ERRORS_DROPPED);
    int64_t now = clock_mono_ms();
    if (lost > s->sdk_errors_lost) {
        s->sdk_errors_lost = lost;
        s->sdk_errors_lost_ms = now;
    }
    if (lost == 0 || now - s->sdk_errors_lost_ms > SDK_LOSS_SHOWN_MS)
        return HEALTH_OK;
    snprintf(detail, size, "SDKs say that they lost %lld errors before they were sent",
             (long long)lost);
    return HEALTH_DEGRADED;
}

static enum health_grade watch_health(void *ctx, char *detail, size_t size)
{
    const struct service *s = ctx;
    if (!s->watch || watch_troubles(s->watch, NULL, 0) == 0)
        return HEALTH_OK;
    watch_troubles(s->watch, detail, size);
    return HEALTH_DEGRADED;
}

static enum health_grade forward_health(void *ctx, char *detail, size_t size)
{
    const struct service *s = ctx;
    if (!s->forward || !forward_trouble(s->forward)[0])
        return HEALTH_OK;
    snprintf(detail, size, "%s", forward_trouble(s->forward));
    return HEALTH_DEGRADED;
}

static struct http_route json_route(const char *path, http_handler_fn *handler, void *ctx)
{
    return (struct http_route){.methods = HTTP_POST,
                               .path = path,
                               .body_bytes_max = SMALL_BODY_BYTES_MAX,
                               .body_limit_name = "1 MiB a request",
                               .handler = handler,
                               .ctx = ctx};
}

void service_set_routes(struct service *s)
{
    s->parts[0] = (struct health_part){"database", database_health, s, false};
    s->parts[1] = (struct health_part){"telegram", telegram_health, s, false};
    s->parts[2] = (struct health_part){"lease", lease_health, s, false};
    s->parts[3] = (struct health_part){"queue", queue_health, s, false};
    s->parts[4] = (struct health_part){"outbox", outbox_health, s, false};
    s->parts[5] = (struct health_part){"sdks", sdks_health, s, false};
    s->parts[6] = (struct health_part){"watched_bots", watch_health, s, false};
    s->parts[7] = (struct health_part){"spool", service_spool_health, s, true};
    s->parts[8] = (struct health_part){"forward", forward_health, s, false};
    /* the last one is of those alone who forward */
    size_t parts = s->settings->sentry_dsn ? HEALTH_PARTS : HEALTH_PARTS - 1;
    s->health = (struct health){s->parts, parts, s->settings->metrics_token};
    s->routes[0] = (struct http_route){.methods = HTTP_POST,
                                       .path = "/api/events",
                                       .any_origin = true,
                                       .body_bytes_max = INGEST_REQUEST_BYTES_MAX,
                                       .body_limit_name = "20 MiB a request",
                                       .handler = api_events,
                                       .ctx = &s->ingest};
    s->routes[7] = (struct http_route){.methods = HTTP_POST,
                                       .path = "/api/alertmanager",
                                       .body_bytes_max = INGEST_REQUEST_BYTES_MAX,
                                       .body_limit_name = "20 MiB a request",
                                       .handler = api_alertmanager,
                                       .ctx = &s->ingest};
    s->routes[5] = (struct http_route){.methods = HTTP_POST | HTTP_GET,
                                       .match = sentry_path_matches,
                                       .any_origin = true,
                                       .body_optional = true,
                                       .body_bytes_max = INGEST_REQUEST_BYTES_MAX,
                                       .body_limit_name = "20 MiB a request",
                                       .handler = api_sentry,
                                       .ctx = &s->ingest};
    s->routes[6] = (struct http_route){.methods = HTTP_POST,
                                       .path = "/telegram/webhook",
                                       .body_bytes_max = WEBHOOK_BODY_BYTES_MAX,
                                       .body_limit_name = "1 MiB an update",
                                       .handler = bot_webhook,
                                       .ctx = &s->webhook};
    s->routes[1] = (struct http_route){
        .methods = HTTP_GET, .path = "/health/live", .handler = api_health_live, .ctx = &s->health};
    s->routes[2] = (struct http_route){.methods = HTTP_GET,
                                       .path = "/health/ready",
                                       .handler = api_health_ready,
                                       .ctx = &s->health};
    s->routes[3] = (struct http_route){
        .methods = HTTP_GET, .path = "/health", .handler = api_health, .ctx = &s->health};
    s->stats_api = (struct stats_api){.loop = s->loop, .health = &s->health};
    s->routes[8] = (struct http_route){
        .methods = HTTP_GET, .path = "/api/stats", .handler = api_stats, .ctx = &s->stats_api};
    s->github_api = (struct github_api){&s->ingest, s->settings->github_webhook_secret};
    s->routes[12] = (struct http_route){
        .methods = HTTP_GET, .path = "/api/report", .handler = api_report, .ctx = &s->stats_api};
    s->routes[13] = (struct http_route){.methods = HTTP_POST | HTTP_GET,
                                        .match = beat_path_matches,
                                        .body_optional = true,
                                        .body_bytes_max = BEAT_BODY_BYTES_MAX,
                                        .body_limit_name = "64 KiB a beat",
                                        .handler = api_beat,
                                        .ctx = &s->ingest};
    s->routes[14] = json_route("/api/reports", api_reports, &s->ingest);
    s->routes[14].methods |= HTTP_GET;
    s->routes[14].any_origin = true; /* a form is on a page */
    s->routes[9] = json_route("/api/deploys", api_deploys, &s->ingest);
    s->routes[10] = json_route("/api/railway", api_railway, &s->ingest);
    s->routes[11] = json_route("/api/github", api_github, &s->github_api);
    s->routes[4] = (struct http_route){
        .methods = HTTP_GET, .path = "/metrics", .handler = api_metrics, .ctx = &s->health};
}
