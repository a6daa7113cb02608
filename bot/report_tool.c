/* report_tool.c -- nabat --report: the report as words, or as a document with --pdf, to stdout.
 *
 *     connect --up--> report --words--> stdout
 *                        \____document --nabat-chart--> stdout                                */
#include "bot/tools.h"

#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "stats/ask.h"
#include "stats/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double SECONDS_MAX = 30.0;

struct telling {
    struct ev_loop *loop;
    struct pg *pg;
    const struct report_options *options;
    struct look look;
    ev_timer limit;
    bool asked;
    bool done;
    struct err err;
};

static void end(struct telling *t, bool done)
{
    t->done = done;
    ev_break(t->loop, EVBREAK_ALL);
}

static void on_drawn(void *ctx, const char *data, size_t len)
{
    struct telling *t = ctx;
    bool ok = data && fwrite(data, 1, len, stdout) == len && fflush(stdout) == 0;
    if (!ok)
        err_set(&t->err, ERR_BUG, "the document could not be drawn or written");
    end(t, ok);
}

static void on_report(void *ctx, const struct report *report, const struct err *err)
{
    struct telling *t = ctx;
    struct buf html;
    struct buf plain;
    if (err) {
        t->err = *err;
        end(t, false);
        return;
    }
    if (t->options->pdf) {
        json_t *json = report_json(report);
        json_t *document = json_incref(json_object_get(json, "document"));
        json_decref(json);
        stats_draw(t->loop, document, "--pdf", on_drawn, t);
        return;
    }
    buf_init(&html, TG_TEXT_BYTES_MAX);
    buf_init(&plain, TG_TEXT_BYTES_MAX);
    report_words(report, &html);
    html_to_plain(buf_text(&html), &plain);
    fputs(buf_text(&plain), stdout);
    buf_fini(&html);
    buf_fini(&plain);
    end(t, true);
}

static void on_connection(void *ctx, bool up)
{
    struct telling *t = ctx;
    if (up && !t->asked)
        stats_report(t->pg, t->options->period, &t->look, SPAN_NOW, false, on_report, t);
    t->asked = t->asked || up;
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct telling *t = timer->data;
    err_set(&t->err, ERR_RETRY, "the database does not answer: %s", pg_trouble(t->pg));
    end(t, false);
}

int tool_report(const struct settings *settings, const struct report_options *options)
{
    const char *lang = settings->bot_language ? settings->bot_language : getenv("LANG");
    /* children are heard of in the default loop alone */
    struct telling t = {.loop = ev_default_loop(EVFLAG_NOENV), .options = options};
    struct helper *helper = helper_new(t.loop);
    struct pg_config config = {settings->database_url, settings->database_schema, "report"};
    if (options->pdf && isatty(STDOUT_FILENO)) {
        fputs("nabat: --pdf writes a document to stdout: nabat --report --pdf > report.pdf\n",
              stderr);
        helper_free(helper);
        return 2;
    }
    t.look.language = lang && strncmp(lang, "ru", 2) == 0 ? LANG_RU : LANG_EN;
    t.look.now_ms = clock_wall_ms();
    t.pg = pg_new(t.loop, helper, &config);
    ev_timer_init(&t.limit, on_limit, SECONDS_MAX, 0);
    t.limit.data = &t;
    ev_timer_start(t.loop, &t.limit);
    pg_watch(t.pg, on_connection, &t);
    ev_run(t.loop, 0);
    ev_timer_stop(t.loop, &t.limit);
    child_end_all();
    pg_free(t.pg);
    helper_free(helper);
    return t.done ? 0 : tool_fail("report", &t.err);
}
