/* main.c -- the service: wiring and signals only. */
#include "bot/options.h"
#include "bot/service.h"
#include "bot/tools.h"
#include "core/limits.h"
#include "core/mem.h"
#include "store/session.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

struct running {
    struct ev_loop *loop;
    struct service *service;
    ev_signal terminate;
    ev_signal interrupt;
    ev_signal hangup;
    const char *env_file;
    struct settings *settings;
    ev_timer last_resort;
    bool stopping;
    int code;
};

static const double STOP_SECONDS_MAX = 9.5;

static void on_stopped(void *ctx)
{
    struct running *r = ctx;
    ev_break(r->loop, EVBREAK_ALL);
}

static void on_last_resort(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
    log_warn("stopping took too long: what is left is cut", LOG_END);
    _exit(0); /* the helper thread may be waiting for a resolver or a lock: nobody waits for it */
}

static void stop(struct running *r)
{
    if (r->stopping)
        return;
    r->stopping = true;
    ev_timer_init(&r->last_resort, on_last_resort, STOP_SECONDS_MAX, 0);
    ev_timer_start(r->loop, &r->last_resort);
    service_stop(r->service, on_stopped, r);
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int events)
{
    (void)loop;
    (void)events;
    log_info("stopping", LOG_I("signal", w->signum), LOG_END);
    stop(w->data);
}

static void on_hangup(struct ev_loop *loop, ev_signal *w, int events)
{
    (void)loop;
    (void)events;
    struct running *r = w->data;
    struct settings fresh;
    struct err err = {0};
    if (!settings_load(&fresh, r->env_file, &err)) {
        log_error("settings are not read again: those of before hold", LOG_S("error", err.text),
                  LOG_END);
        return;
    }
    settings_take_over(r->settings, &fresh);
    settings_fini(&fresh);
}

static void on_failed(void *ctx, const struct err *err)
{
    struct running *r = ctx;
    fprintf(stderr, "nabat: %s\n", err->text);
    r->code = 1;
    stop(r);
}

static int serve(struct settings *settings, const char *env_file)
{
    struct running r = {
        .loop = ev_default_loop(EVFLAG_NOENV), .env_file = env_file, .settings = settings};
    struct service_options options = {.listen = true};
    struct err err = {0};
    signal(SIGPIPE, SIG_IGN);
    /* bodies of 30 KB come and go with each batch: without this glibc gives the heap's end back and
     * faults it in again each time (reference: twice the CPU per request) */
    mallopt(M_TRIM_THRESHOLD, 8 * MIB);
    mallopt(M_MMAP_THRESHOLD, 4 * MIB);
    r.service = service_new(r.loop, settings, &options, on_failed, &r, &err);
    if (!r.service)
        return tool_fail("start", &err);
    log_info("listening", LOG_S("bind", settings->bind), LOG_I("port", service_port(r.service)),
             LOG_S("version", NABAT_VERSION), LOG_END);
    ev_signal_init(&r.terminate, on_signal, SIGTERM);
    ev_signal_init(&r.interrupt, on_signal, SIGINT);
    ev_signal_init(&r.hangup, on_hangup, SIGHUP);
    r.terminate.data = r.interrupt.data = r.hangup.data = &r;
    ev_signal_start(r.loop, &r.terminate);
    ev_signal_start(r.loop, &r.interrupt);
    ev_signal_start(r.loop, &r.hangup);
    ev_run(r.loop, 0);
    ev_signal_stop(r.loop, &r.terminate);
    ev_signal_stop(r.loop, &r.interrupt);
    ev_signal_stop(r.loop, &r.hangup);
    service_free(r.service);
    log_info("stopped", LOG_END);
    return r.code;
}

static int run_mode(const struct options *options, struct settings *settings)
{
    switch (options->mode) {
    case MODE_MIGRATE:
        return options->dry_run ? tool_migrate_dry(settings) : tool_migrate(settings);
    case MODE_CHECK:
        return tool_check(settings);
    case MODE_DOCTOR:
        return tool_doctor(settings);
    case MODE_SELFTEST:
        return tool_selftest(settings);
    case MODE_DSN:
        return tool_dsn(settings);
    case MODE_OWNER:
        return tool_owner(settings, options->owner_id);
    case MODE_EXPLAIN:
        return tool_explain(settings, options->file);
    case MODE_REPORT:
        return tool_report(settings, &options->report);
    case MODE_CHANNEL_TEST:
        return tool_channel_test(settings, options->file);
    case MODE_PROJECT:
        return tool_project(settings, options->words, options->words_count);
    default:
        return serve(settings, options->env_file);
    }
}

static int print_and_end(void (*write_text)(struct buf *out))
{
    struct buf out;
    buf_init(&out, 64 * KIB);
    write_text(&out);
    fputs(buf_text(&out), stdout);
    buf_fini(&out);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct settings settings;
    struct err err = {0};
    char local[4200];
    prctl(PR_SET_DUMPABLE, 0); /* tokens and keys do not belong into core files */
    if (!options_parse(argc, argv, &options, &err)) {
        fprintf(stderr, "nabat: %s\n", err.text);
        return 2;
    }
    if (options.mode == MODE_HELP)
        return print_and_end(options_help);
    if (options.mode == MODE_ENV_EXAMPLE)
        return print_and_end(settings_env_example);
    if (options.mode == MODE_VERSION) {
        puts("nabat " NABAT_VERSION);
        return 0;
    }
    if (!settings_load(&settings, options.env_file, &err)) {
        fprintf(stderr, "nabat: %s\n", err.text);
        return 2;
    }
    if (!settings.database_url && session_find_local(local, sizeof local))
        settings.database_url = mem_str_dup(local);
    int code = 2;
    if (options.mode == MODE_SPOOL)
        code = tool_spool(&settings, options.words, options.words_count);
    else if (settings.database_url && !session_check_url(settings.database_url, &err))
        fprintf(stderr, "nabat: %s\n", err.text);
    else if (settings.database_url)
        code = run_mode(&options, &settings);
    else
        fputs("nabat: DATABASE_URL is not set: it takes a libpq URI such as "
              "postgresql://user:password@host/name (./run brings a database of its own)\n",
              stderr);
    settings_fini(&settings);
    return code;
}
