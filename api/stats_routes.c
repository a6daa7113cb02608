/* stats_routes.c -- see stats_routes.h.
 *
 *     may see? --> what is asked --> numbers --> JSON, or a description --nabat-chart--> a picture, a document */
#include "api/stats_routes.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "core/zone.h"
#include "stats/ask.h"
#include "stats/draw.h"
#include "stats/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_BYTES = 256 };

struct asking {
    struct stats_api *api;
    struct http_reply *reply;
    char words[WORDS_BYTES]; /* what the request borrows from */
    struct stats_request request;
    struct stats_ask ask;
    struct look look;
    const char *drawn_as;
    bool wants_drawing; /* image/png, application/pdf */
};

static void on_drawn(void *ctx, const char *data, size_t len)
{
    struct asking *a = ctx;
    if (data)
        http_reply_send(a->reply, 200, a->drawn_as, "Cache-Control: no-store\r\n", data, len);
    else
        http_reply_error(a->reply, 503, "it could not be drawn: the service's log says why");
    free(a);
}

/* STEALS `json`; ends the asking. */
static void reply_json(struct asking *a, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    http_reply_json(a->reply, 200, NULL, text);
    free(text);
    json_decref(json);
    free(a);
}

static void on_stats(void *ctx, const struct stats *stats, const struct err *err)
{
    struct asking *a = ctx;
    if (err) {
        http_reply_error(a->reply, 503, "the database is away");
        free(a);
        return;
    }
    struct stats_view view = {stats, &a->ask, a->request.period, &a->look,
                              a->request.theme == THEME_DARK};
    if (a->wants_drawing) {
        stats_draw(a->api->loop, stats_chart(&view), "--png", on_drawn, a);
        return;
    }
    reply_json(a, stats_numbers(&view));
}

/* False: answered. */
static bool may_ask(const struct stats_api *api, const struct http_request *request,
                    struct http_reply *reply)
{
    if (!health_may_see(api->health, request))
        http_reply_error(reply, 401, "send Authorization: Bearer METRICS_TOKEN");
    else if (!api->pg || !pg_is_up(api->pg))
        http_reply_error(reply, 503, "the database is away");
    else
        return true;
    return false;
}

/* What both routes take. NULL: answered. `form` is the format beside json. */
static struct asking *ask(struct stats_api *api, const struct http_request *request,
                          struct http_reply *reply, const char *form)
{
    char period[16] = "24h";
    char language[8] = "";
    char format[8] = "json";
    char wrong[96] = "";
    struct slice query = request->head->query;
    if (!may_ask(api, request, reply))
        return NULL;
    struct asking *a = mem_alloc(sizeof *a);
    *a = (struct asking){.api = api, .reply = reply};
    bool words = http_query_find(query, "words", a->words, sizeof a->words) ||
                 !memmem(query.at, query.len, "words=", 6);
    http_query_find(query, "period", period, sizeof period);
    http_query_find(query, "language", language, sizeof language);
    http_query_find(query, "format", format, sizeof format);
    http_query_find(query, "zone", a->look.zone, sizeof a->look.zone);
    stats_request_parse(a->words, false, &a->request);
    a->wants_drawing = strcmp(format, form) == 0;
    if (!stats_period_parse(period, &a->request.period))
        snprintf(wrong, sizeof wrong, "period takes 24h, 7d or 30d");
    else if (!words || !utf8_is_clean(a->words, strlen(a->words)))
        snprintf(wrong, sizeof wrong, "words are UTF-8, percent-encoded, of up to %d bytes",
                 WORDS_BYTES - 1);
    else if (a->request.surplus)
        snprintf(wrong, sizeof wrong, "words are three at most besides severities");
    else if (!a->wants_drawing && strcmp(format, "json") != 0)
        snprintf(wrong, sizeof wrong, "format takes json or %s", form);
    else if (a->look.zone[0] && !zone_is_known(a->look.zone))
        snprintf(wrong, sizeof wrong, "zone takes a name of the tz database, as Europe/Moscow");
    if (wrong[0]) {
        http_reply_error(reply, 400, wrong);
        free(a);
        return NULL;
    }
    a->look.language = language[0] ? language_of_code(language) : api->language;
    a->look.now_ms = clock_wall_ms();
    return a;
}

void api_stats(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct stats_api *api = ctx;
    struct asking *a = ask(api, request, reply, "png");
    if (!a)
        return;
    a->drawn_as = "image/png";
    stats_period_ask(a->request.period, a->look.now_ms, a->look.zone, &a->ask);
    a->ask.filter = a->request.filter;
    store_stats(api->pg, &a->ask, on_stats, a);
}

static void on_report(void *ctx, const struct report *report, const struct err *err)
{
    struct asking *a = ctx;
    if (err) {
        http_reply_error(a->reply, 503, "the database is away");
        free(a);
        return;
    }
    json_t *json = report_json(report);
    if (a->wants_drawing) {
        json_t *document = json_incref(json_object_get(json, "document"));
        json_decref(json);
        stats_draw(a->api->loop, document, "--pdf", on_drawn, a);
        return;
    }
    reply_json(a, json);
}

void api_report(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct stats_api *api = ctx;
    struct asking *a = ask(api, request, reply, "pdf");
    if (!a)
        return;
    a->drawn_as = "application/pdf";
    stats_report(api->pg, a->request.period, &a->look, SPAN_NOW, false, on_report, a);
}
