/* main.c -- nabat-prune: whole days past retention go, then what belonged only to them. */
#include "core/mem.h"
#include "core/settings.h"
#include "prune/prune.h"
#include "store/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "nabat-prune -- retention for Nabat, to be run by cron\n\n"
    "Usage: nabat-prune [--dry-run] [--days N] [--env-file FILE]\n"
    "       nabat-prune --restore FILE [--env-file FILE]\n\n"
    "Drops whole UTC days of events older than ERROR_LOG_RETENTION_DAYS (30), groups that nobody\n"
    "needs any more, old outbox rows and updates; makes the tables of the days ahead. RETENTION\n"
    "keeps severities and origins for longer or less, STORE_MAX_BYTES drops the oldest days when\n"
    "there is too much, ARCHIVE_DIR takes a day before it goes. Of errors that are open the first\n"
    "event and the newest stay. Safe beside a running service and beside itself.\n\n"
    "  --dry-run        say what would go, change nothing\n"
    "  --days N         keep N days (1 to 3650) instead of the setting\n"
    "  --restore FILE   bring a day of ARCHIVE_DIR back (its .ndjson.zst); it stays for a week\n"
    "  --env-file FILE  read settings from FILE instead of .env\n\n"
    "Exit codes: 0 done; 1 failed, the reason is on stderr; 2 wrong usage or settings.\n";

struct arguments {
    struct prune_options prune;
    const char *env_file;
    const char *restore;
    bool help;
};

static bool parse_days(const char *text, int *days, struct err *err)
{
    char *end = NULL;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < 1 || n > 3650)
        return err_set(err, ERR_INPUT,
                       "--days is \"%.40s\": it takes a whole number from 1 to 3650", text);
    *days = (int)n;
    return true;
}

static bool parse(int argc, char **argv, struct arguments *a, struct err *err)
{
    *a = (struct arguments){0};
    for (int i = 1; i < argc; i++) {
        bool takes_value = strcmp(argv[i], "--days") == 0 || strcmp(argv[i], "--env-file") == 0 ||
                           strcmp(argv[i], "--restore") == 0;
        if (takes_value && !argv[i + 1])
            return err_set(err, ERR_INPUT, "%s takes a value", argv[i]);
        if (strcmp(argv[i], "--dry-run") == 0)
            a->prune.dry_run = true;
        else if (strcmp(argv[i], "--help") == 0)
            a->help = true;
        else if (strcmp(argv[i], "--env-file") == 0)
            a->env_file = argv[++i];
        else if (strcmp(argv[i], "--restore") == 0)
            a->restore = argv[++i];
        else if (!takes_value)
            return err_set(err, ERR_INPUT,
                           "\"%.60s\" is no flag of nabat-prune: see nabat-prune --help", argv[i]);
        else if (!parse_days(argv[++i], &a->prune.days, err))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct arguments a;
    struct settings settings;
    struct err err = {0};
    char local[4200];
    if (!parse(argc, argv, &a, &err)) {
        fprintf(stderr, "nabat-prune: %s\n", err.text);
        return 2;
    }
    if (a.help) {
        fputs(HELP, stdout);
        return 0;
    }
    if (!settings_load(&settings, a.env_file, &err)) {
        fprintf(stderr, "nabat-prune: %s\n", err.text);
        return 2;
    }
    if (!settings.database_url && session_find_local(local, sizeof local))
        settings.database_url = mem_str_dup(local);
    int code = 2;
    if (!settings.database_url) {
        fputs("nabat-prune: DATABASE_URL is not set: it takes a libpq URI such as "
              "postgresql://user:password@host/name\n",
              stderr);
    } else if (!session_check_url(settings.database_url, &err)) {
        fprintf(stderr, "nabat-prune: %s\n", err.text);
    } else {
        if (!a.prune.days)
            a.prune.days = (int)settings.retention_days;
        a.prune.retention = settings.retention;
        a.prune.bytes_max = settings.store_bytes_max;
        a.prune.archive_dir = settings.archive_dir;
        bool ok =
            a.restore
                ? prune_restore(settings.database_url, settings.database_schema, a.restore, &err)
                : prune_run(settings.database_url, settings.database_schema, &a.prune, &err);
        if (!ok)
            fprintf(stderr, "nabat-prune: %s\n", err.text);
        code = ok ? 0 : 1;
    }
    settings_fini(&settings);
    return code;
}
