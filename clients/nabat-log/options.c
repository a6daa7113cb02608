/* options.c -- flags of nabat-log: one table, which --help reads too. */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef bool read_fn(struct options *o, const char *value);

static bool read_number(const char *value, int64_t least, int64_t most, int64_t *out)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (errno || end == value || *end || n < least || n > most)
        return false;
    *out = n;
    return true;
}

static bool read_severity(struct options *o, const char *value)
{
    static const char *const WORDS[] = {"debug", "info", "warning", "error", "critical"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (!strcmp(value, WORDS[i])) {
            o->event.severity = value;
            return true;
        }
    return false;
}

static bool read_chat(struct options *o, const char *value)
{
    return read_number(value, INT64_MIN, INT64_MAX, &o->event.chat_id);
}

static bool read_tag(struct options *o, const char *value)
{
    const char *equals = strchr(value, '=');
    size_t n = 0;
    while (o->tags[n * 2])
        n++;
    if (!equals || equals == value || n == OPTION_TAGS_MAX ||
        (size_t)(equals - value) >= sizeof o->tag_names[0])
        return false;
    memcpy(o->tag_names[n], value, (size_t)(equals - value));
    o->tags[n * 2] = o->tag_names[n];
    o->tags[n * 2 + 1] = equals + 1;
    return true;
}

static bool read_fingerprint(struct options *o, const char *value)
{
    size_t n = 0;
    while (o->fingerprint[n])
        n++;
    if (n == OPTION_FINGERPRINT_MAX)
        return false;
    o->fingerprint[n] = value;
    return true;
}

static bool read_runtime(struct options *o, const char *value)
{
    int64_t minutes;
    bool ok = read_number(value, 1, 40320, &minutes);
    o->checkin.max_runtime_minutes = ok ? (long)minutes : 0;
    return ok;
}

static bool read_timeout(struct options *o, const char *value)
{
    int64_t seconds;
    bool ok = read_number(value, 1, 600, &seconds);
    o->timeout_ms = ok ? (long)seconds * 1000 : 0;
    return ok;
}

#define TEXT(name, field)                                                                          \
    static bool name(struct options *o, const char *value)                                         \
    {                                                                                              \
        o->field = value;                                                                          \
        return value[0];                                                                           \
    }
TEXT(read_origin, event.origin)
TEXT(read_handler, event.handler)
TEXT(read_type, event.exception_type)
TEXT(read_user, event.user_id)
TEXT(read_gen_request, event.gen_request_id)
TEXT(read_environment, event.environment)
TEXT(read_release, event.release)
TEXT(read_monitor, checkin.monitor)
TEXT(read_schedule, checkin.crontab)
TEXT(read_timezone, checkin.timezone)
TEXT(read_spool, spool)
#undef TEXT

static const struct flag {
    const char *name;
    const char *value; /* what --help calls it, and what it takes */
    read_fn *read;
    const char *help;
} FLAGS[] = {
    {"--severity", "WORD", read_severity, "debug, info, warning, error (the default) or critical"},
    {"--origin", "WORD", read_origin,
     "where it comes from, as cron; the default is other, with exec cron"},
    {"--handler", "TEXT", read_handler,
     "what failed; with exec the command's name, else the monitor's"},
    {"--type", "TEXT", read_type, "the exception's type"},
    {"--chat-id", "N", read_chat, "the Telegram chat it happened in"},
    {"--user-id", "TEXT", read_user, "the user it happened to"},
    {"--gen-request-id", "TEXT", read_gen_request, "the generation it belongs to"},
    {"--environment", "TEXT", read_environment, "as production"},
    {"--release", "TEXT", read_release, "as backup@1.4"},
    {"--tag", "NAME=VALUE", read_tag, "up to 16 times"},
    {"--fingerprint", "TEXT", read_fingerprint,
     "what makes two events the same error; up to 8 times"},
    {"--monitor", "SLUG", read_monitor,
     "with exec: check in as this cron job; --schedule makes it, once"},
    {"--schedule", "CRONTAB", read_schedule,
     "with --monitor: \"0 3 * * *\" makes the monitor or changes it"},
    {"--timezone", "NAME", read_timezone, "with --schedule: as Europe/Moscow"},
    {"--max-runtime", "MINUTES", read_runtime, "with --schedule: 1 to 40320; longer is a failure"},
    {"--spool", "DIR", read_spool,
     "where events wait that could not be sent (~/.local/state/nabat-log-...)"},
    {"--timeout", "SECONDS", read_timeout, "1 to 600, for sending, whatever there is to send (10)"},
};
enum { FLAG_COUNT = sizeof FLAGS / sizeof *FLAGS };

static void print_help(void)
{
    puts("nabat-log -- record an error in Nabat from a shell script or a cron job\n\n"
         "Usage: nabat-log [flag]... MESSAGE [< TRACE]\n"
         "       nabat-log exec [flag]... -- COMMAND [ARGUMENT]...\n\n"
         "The first records MESSAGE, with what stands on standard input (up to 128 KiB) as its "
         "stack. The second\n"
         "runs a command and passes its output through; if it fails, its exit code, its time and "
         "the end of its\n"
         "output are recorded. NABAT_DSN in the environment says where to, as "
         "scheme://KEY@host/PROJECT. What can't be\n"
         "sent waits on disk (at most 1000 events, 16 MiB) and goes with the next one that can.\n\n"
         "Flags:");
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", FLAGS[i].name, FLAGS[i].value);
        printf("  %-23s %s\n", left, FLAGS[i].help);
    }
    puts("  --no-stdin              do not read standard input\n"
         "  --quiet                 say nothing on stderr but wrong usage and lost events\n"
         "  --version               print the version\n"
         "  --help                  print this\n\n"
         "Exit codes: 0 sent or kept on disk; 1 lost, the reason on stderr; 2 wrong usage. exec "
         "exits as the command\n"
         "did (128 and the signal's number if one ended it), or 127 if there is none of that name, "
         "126 if it can't run;\n"
         "whatever is wrong with Nabat, the command runs.");
}

__attribute__((noreturn, format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    va_list args;
    fputs("nabat-log: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("; see nabat-log --help\n", stderr);
    exit(EXIT_USAGE);
}

static bool read_word(struct options *o, const char *word)
{
    if (!strcmp(word, "--quiet"))
        o->quiet = true;
    else if (!strcmp(word, "--no-stdin"))
        o->no_stdin = true;
    else
        return false;
    return true;
}

/* The flag at argv[at], as "--name value" or "--name=value"; returns how many words it took, 0 if it is none of ours. */
static int read_flag(int argc, char **argv, int at, struct options *o)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        const struct flag *f = &FLAGS[i];
        size_t len = strlen(f->name);
        if (strncmp(argv[at], f->name, len) != 0 || (argv[at][len] && argv[at][len] != '='))
            continue;
        const char *value = argv[at][len]   ? argv[at] + len + 1
                            : at + 1 < argc ? argv[at + 1]
                                            : NULL;
        if (!value)
            wrong("%s needs a value: %s", f->name, f->value);
        if (!f->read(o, value))
            wrong("%s has \"%.80s\"; it takes %s: %s", f->name, value, f->value, f->help);
        return argv[at][len] ? 1 : 2;
    }
    return read_word(o, argv[at]) ? 1 : 0;
}

static void read_all(int argc, char **argv, int at, struct options *o)
{
    while (at < argc) {
        if (!strcmp(argv[at], "--")) {
            at++;
            break;
        }
        if (argv[at][0] != '-' || !argv[at][1])
            break;
        if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
            print_help();
            exit(EXIT_OK);
        }
        if (!strcmp(argv[at], "--version")) {
            puts("nabat-log " NABAT_VERSION);
            exit(EXIT_OK);
        }
        int took = read_flag(argc, argv, at, o);
        if (!took)
            wrong("\"%.80s\" is no flag of nabat-log", argv[at]);
        at += took;
    }
    if (o->exec) {
        o->command = argv + at;
    } else if (at < argc) {
        o->event.message = argv[at++];
        if (at < argc)
            wrong("\"%.80s\" is one word too many: the message is one argument, in quotes",
                  argv[at]);
    }
}

void options_read(int argc, char **argv, struct options *o)
{
    memset(o, 0, sizeof *o);
    o->timeout_ms = 10000;
    o->checkin.seconds = -1;
    o->exec = argc > 1 && !strcmp(argv[1], "exec");
    read_all(argc, argv, o->exec ? 2 : 1, o);
    if (o->exec && !o->command[0])
        wrong("exec needs a command");
    if (!o->exec && (!o->event.message || !o->event.message[0]))
        wrong("a message is needed");
    if (o->checkin.monitor && !o->exec)
        wrong("--monitor goes with exec");
    if ((o->checkin.crontab && !o->checkin.monitor) ||
        ((o->checkin.timezone || o->checkin.max_runtime_minutes) && !o->checkin.crontab))
        wrong("--schedule goes with --monitor, --timezone and --max-runtime with --schedule");
    if (!o->event.severity)
        o->event.severity = "error";
    if (!o->event.origin)
        o->event.origin = o->exec ? "cron" : "other";
    if (o->tags[0])
        o->event.tags = o->tags;
    if (o->fingerprint[0])
        o->event.fingerprint = o->fingerprint;
    o->checkin.environment = o->event.environment;
}
