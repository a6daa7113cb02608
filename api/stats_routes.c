/* stats_routes.c -- see stats_routes.h.
 *
 *     may see? --> words --> numbers --> JSON, or a description --nabat-chart--> image/png */
#include "api/stats_routes.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"
#include "core/zone.h"
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
    bool wants_picture;
};

static void on_drawn(void *ctx, const char *data, size_t len)
{
    struct asking *a = ctx;
    if (data)
        http_reply_send(a->reply, 200, "image/png", "Cache-Control: no-store\r\n", data, len);
    else
        http_reply_error(a->reply, 503,
                         "the picture could not be drawn: the service's log says why");
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
    if (a->wants_picture) {
        stats_draw(a->api->loop, stats_chart(&view), "--png", on_drawn, a);
        return;
    }
    json_t *json = stats_numbers(&view);
    char *text = json_dumps(json, JSON_COMPACT);
    http_reply_json(a->reply, 200, NULL, text);
    free(text);
    json_decref(json);
    free(a);
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

void api_stats(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct stats_api *api = ctx;
    char period[16] = "24h";
    char language[8] = "";
    char format[8] = "json";
    if (!may_ask(api, request, reply))
        return;
    struct asking *a = mem_alloc(sizeof *a);
    *a = (struct asking){.api = api, .reply = reply};
    struct slice query = request->head->query;
    http_query_find(query, "words", a->words, sizeof a->words);
    http_query_find(query, "period", period, sizeof period);
    http_query_find(query, "language", language, sizeof language);
    http_query_find(query, "format", format, sizeof format);
    http_query_find(query, "zone", a->look.zone, sizeof a->look.zone);
    stats_request_parse(a->words, false, &a->request);
    const char *wrong =
        !stats_period_parse(period, &a->request.period) ? "period takes 24h, 7d or 30d"
        : a->request.surplus ? "words are three at most besides severities"
        : strcmp(format, "json") != 0 && strcmp(format, "png") != 0 ? "format takes json or png"
        : a->look.zone[0] && !zone_is_known(a->look.zone)
            ? "zone takes a name of the tz database, such as Europe/Moscow"
            : NULL;
    if (wrong) {
        http_reply_error(reply, 400, wrong);
        free(a);
        return;
    }
    a->wants_picture = strcmp(format, "png") == 0;
    a->look.language = language[0] ? language_of_code(language) : api->language;
    a->look.now_ms = clock_wall_ms();
    stats_period_ask(a->request.period, a->look.now_ms, a->look.zone, &a->ask);
    a->ask.filter = a->request.filter;
    store_stats(api->pg, &a->ask, on_stats, a);
}
