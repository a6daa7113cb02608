/* health.c -- how the service is, for probes (short), people (by part) and Prometheus. */
#include "api/health.h"

#include "core/json_out.h"
#include "core/limits.h"
#include "core/metric.h"
#include "core/random.h"

#include <string.h>

static const char *const GRADES[] = {"healthy", "degraded", "unhealthy"};

bool health_may_see(const struct health *health, const struct http_request *request)
{
    static const char BEARER[] = "Bearer ";
    struct slice value = http_head_find(request->head, "authorization");
    char token[256];
    size_t skip = sizeof BEARER - 1;
    if (request->from_loopback)
        return true;
    if (!health->metrics_token || !value.at || value.len <= skip || value.len >= sizeof token ||
        memcmp(value.at, BEARER, skip) != 0)
        return false;
    memcpy(token, value.at + skip, value.len - skip);
    token[value.len - skip] = '\0';
    return secret_equal(token, health->metrics_token);
}

void api_health_live(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    (void)ctx;
    (void)request;
    http_reply_json(reply, 200, NULL, "{\"status\":\"alive\"}\n");
}

void api_health_ready(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    const struct health *health = ctx;
    (void)request;
    for (size_t i = 0; i < health->count; i++) {
        char detail[ERR_TEXT_BYTES_MAX];
        const struct health_part *part = &health->parts[i];
        detail[0] = '\0';
        if (part->decides_readiness &&
            part->check(part->ctx, detail, sizeof detail) == HEALTH_UNHEALTHY) {
            http_reply_error(reply, 503, "events can't be taken now: see /health");
            return;
        }
    }
    http_reply_json(reply, 200, NULL, "{\"status\":\"ready\"}\n");
}

void api_health(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    const struct health *health = ctx;
    bool details = health_may_see(health, request);
    enum health_grade worst = HEALTH_OK;
    struct buf parts;
    struct buf json;
    buf_init(&parts, 64 * KIB);
    buf_init(&json, 64 * KIB);
    for (size_t i = 0; i < health->count; i++) {
        char detail[ERR_TEXT_BYTES_MAX];
        detail[0] = '\0';
        enum health_grade grade =
            health->parts[i].check(health->parts[i].ctx, detail, sizeof detail);
        enum health_grade counts = grade;
        if (!health->parts[i].decides_readiness && counts == HEALTH_UNHEALTHY)
            counts = HEALTH_DEGRADED;
        worst = counts > worst ? counts : worst;
        buf_addf(&parts, "%s\"%s\":{\"status\":\"%s\"", i ? "," : "", health->parts[i].name,
                 GRADES[grade]);
        if (detail[0]) {
            buf_add_str(&parts, ",\"detail\":");
            json_add_str(&parts, detail);
        }
        buf_add_char(&parts, '}');
    }
    buf_addf(&json, "{\"status\":\"%s\",\"version\":\"%s\"", GRADES[worst], NABAT_VERSION);
    if (details)
        buf_addf(&json, ",\"parts\":{%s}", buf_text(&parts));
    buf_add_str(&json, "}\n");
    http_reply_json(reply, worst == HEALTH_UNHEALTHY ? 503 : 200, NULL, json.data);
    buf_fini(&parts);
    buf_fini(&json);
}

void api_metrics(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    if (!health_may_see(ctx, request)) {
        http_reply_error(reply, 401, "send Authorization: Bearer METRICS_TOKEN");
        return;
    }
    struct buf text;
    buf_init(&text, 256 * KIB);
    metric_write_all(&text);
    http_reply_send(reply, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, text.data,
                    text.len);
    buf_fini(&text);
}
