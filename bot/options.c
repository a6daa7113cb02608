/* options.c -- flags in a table: name, mode, argument, help. */
#include "bot/options.h"

#include "core/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum mode mode;
    const char *arg; /* NULL: takes none */
    const char *help;
} FLAGS[] = {
    {"--migrate", MODE_MIGRATE, NULL, "apply missing migrations and exit"},
    {"--dry-run", MODE_SERVE, NULL,
     "with --migrate: print the SQL that is missing, change nothing"},
    {"--check", MODE_CHECK, NULL,
     "verify settings, database, token, webhook and chat, a line each"},
    {"--doctor", MODE_DOCTOR, NULL,
     "what --check says, and what would bite later, each with its remedy; exit code 3 for warnings "
     "alone"},
    {"--selftest", MODE_SELFTEST, NULL, "record a critical error and wait until the chat has it"},
    {"--dsn", MODE_DSN, NULL, "print each project's DSN"},
    {"--owner", MODE_OWNER, "ID", "make a Telegram user an owner"},
    {"--project", MODE_PROJECT, "WORDS",
     "list | add NAME [max_severity=error] [rate=600] | set NAME … | disable NAME | enable NAME "
     "| rotate NAME [grace=1d]"},
    {"--explain", MODE_EXPLAIN, "FILE",
     "say where an event (JSON as for /api/events) would ring, by which rule and why; records "
     "nothing"},
    {"--channel-test", MODE_CHANNEL_TEST, "NAME", "send a test to a channel of alert_channel"},
    {"--report", MODE_REPORT, NULL,
     "print what the last 24 hours were like, and what to do about it"},
    {"--period", MODE_SERVE, "P", "with --report: 24h, 7d or 30d"},
    {"--pdf", MODE_SERVE, NULL, "with --report: a document with the chart, to stdout"},
    {"--spool", MODE_SPOOL, "WORD",
     "list: what waits in SPOOL_DIR for the database; dump: the events, a line of JSON each; "
     "refused: "
     "those that the database did not take"},
    {"--env-file", MODE_SERVE, "FILE", "read settings from FILE instead of .env"},
    {"--env-example", MODE_ENV_EXAMPLE, NULL, "print .env.example"},
    {"--version", MODE_VERSION, NULL, "print the version"},
    {"--help", MODE_HELP, NULL, "print this"},
};

static bool parse_owner(const char *text, struct options *o, struct err *err)
{
    char *end = NULL;
    errno = 0;
    long long id = strtoll(text, &end, 10);
    if (errno || *end || id <= 0)
        return err_set(err, ERR_INPUT,
                       "--owner is \"%.60s\": it takes a Telegram user id, a number "
                       "above zero",
                       text);
    o->owner_id = id;
    return true;
}

bool options_parse(int argc, char **argv, struct options *o, struct err *err)
{
    bool has_report_flag = false;
    *o = (struct options){.mode = MODE_SERVE};
    for (int i = 1; i < argc; i++) {
        size_t f = 0;
        size_t count = sizeof FLAGS / sizeof *FLAGS;
        while (f < count && strcmp(FLAGS[f].name, argv[i]) != 0)
            f++;
        if (f == count)
            return err_set(err, ERR_INPUT, "\"%.60s\" is no flag of nabat: see nabat --help",
                           argv[i]);
        const char *value = FLAGS[f].arg ? argv[i + 1] : NULL;
        if (FLAGS[f].arg && !value)
            return err_set(err, ERR_INPUT, "%s takes %s", FLAGS[f].name, FLAGS[f].arg);
        i += FLAGS[f].arg != NULL;
        if (strcmp(FLAGS[f].name, "--env-file") == 0) {
            o->env_file = value;
            continue;
        }
        if (strcmp(FLAGS[f].name, "--dry-run") == 0) {
            o->dry_run = true;
            continue;
        }
        if (strcmp(FLAGS[f].name, "--pdf") == 0) {
            o->report.pdf = has_report_flag = true;
            continue;
        }
        if (strcmp(FLAGS[f].name, "--period") == 0) {
            has_report_flag = true;
            if (!stats_period_parse(value, &o->report.period))
                return err_set(err, ERR_INPUT, "--period is \"%.60s\": it takes 24h, 7d or 30d",
                               value);
            continue;
        }
        if (o->mode != MODE_SERVE)
            return err_set(err, ERR_INPUT, "%s can't be combined with another action",
                           FLAGS[f].name);
        o->mode = FLAGS[f].mode;
        if (o->mode == MODE_OWNER && value && !parse_owner(value, o, err))
            return false;
        if (o->mode == MODE_EXPLAIN || o->mode == MODE_CHANNEL_TEST)
            o->file = value;
        if (o->mode == MODE_PROJECT || o->mode == MODE_SPOOL) {
            o->words = argv + i;
            while (i < argc && strncmp(argv[i], "--", 2) != 0) {
                i++;
                o->words_count++;
            }
            i--;
        }
    }
    if (o->dry_run && o->mode != MODE_MIGRATE)
        return err_set(err, ERR_INPUT, "--dry-run belongs to --migrate");
    if (has_report_flag && o->mode != MODE_REPORT)
        return err_set(err, ERR_INPUT, "--period and --pdf belong to --report");
    return true;
}

void options_help(struct buf *out)
{
    buf_add_str(out, "nabat -- an error tracker for teams that run Telegram bots\n\n"
                     "Usage: nabat [flag]\n"
                     "Without a flag it runs the service: takes errors, keeps them in PostgreSQL, "
                     "rings a Telegram chat.\n\nFlags:\n");
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
        char flag[40];
        snprintf(flag, sizeof flag, "%s %s", FLAGS[i].name, FLAGS[i].arg ? FLAGS[i].arg : "");
        buf_addf(out, "  %-18s %s\n", flag, FLAGS[i].help);
    }
    buf_add_str(out, "\nSettings, from the environment or .env (the environment wins), with "
                     "[default]:\n");
    settings_help(out);
    buf_add_str(out, "\nExit codes: 0 done; 1 failed, the reason is on stderr; 2 wrong usage or "
                     "settings; 3 --doctor has nothing but warnings.\n");
}
