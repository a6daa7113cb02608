/* main.c -- nabat-log: one event from a shell script, or a command whose failure is one.
 *
 *     nabat-log "text" < trace      options -> stdin -> client: sent, kept or lost
 *     nabat-log exec -- command     options -> check-in (beside it) -> command -> event if it failed -> check-in
 *
 * Whatever is wrong with Nabat, the command runs and its exit code is ours. */
#include "c/nabat_client.h"
#include "exec.h"
#include "options.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TRACE_BYTES_MAX = 128 * 1024, /* of control bytes JSON makes six each */
    STDIN_IDLE_MS = 2000,
    CHECK_IN_MS = 3000,
    COMMAND_WORDS_MAX = 100,
    COMMAND_WORD_BYTES = 500
};

static void report(const struct options *o, enum nabat_result result, const char *what,
                   const char *why)
{
    if (result == NABAT_LOST)
        fprintf(stderr, "nabat-log: %s is lost: %s\n", what, why);
    else if (result == NABAT_REFUSED)
        fprintf(stderr, "nabat-log: %s was refused: %s\n", what, why);
    else if (result == NABAT_KEPT && !o->quiet)
        fprintf(stderr,
                "nabat-log: %s could not be sent (%s); it is kept and goes with the next one\n",
                what, why);
}

/* What stands on standard input; NULL if it is a terminal or empty. A pipe that nobody writes to is left after 2 s. */
static char *read_trace(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    size_t len = 0;
    char *text = isatty(STDIN_FILENO) ? NULL : malloc(TRACE_BYTES_MAX + 1);
    while (text && len < TRACE_BYTES_MAX && poll(&in, 1, STDIN_IDLE_MS) > 0) {
        ssize_t n = read(STDIN_FILENO, text + len, TRACE_BYTES_MAX - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    for (size_t i = 0; i < len; i++)
        if (!text[i])
            text[i] = ' ';
    if (text)
        text[len] = 0;
    if (!len) {
        free(text);
        text = NULL;
    }
    return text;
}

static int log_message(const struct options *o, struct nabat_client *client)
{
    char why[NABAT_CLIENT_WHY], host[128] = "";
    struct nabat_event event = o->event;
    gethostname(host, sizeof host - 1);
    char *trace = o->no_stdin ? NULL : read_trace();
    event.stacktrace = trace;
    event.server_name = host;
    enum nabat_result result = nabat_client_record(client, &event, why);
    report(o, result, "the event", why);
    free(trace);
    return result == NABAT_SENT || result == NABAT_KEPT ? EXIT_OK : EXIT_LOST;
}

/* ------------------------------------------------------------------ exec */

/* Whether the value behind this argument is a secret: --password x, --api-key=x are nobody's to know. */
static bool is_secret(const char *argument)
{
    static const char *const WORDS[] = {"password", "passwd",     "secret", "token",
                                        "key",      "credential", "auth"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcasestr(argument, WORDS[i]))
            return true;
    return false;
}

/* "-pX" of MySQL's tools, "ann:X" behind curl's -u: how many bytes in front of the secret are none; -1: it has none. */
static int secret_from(const char *word, const char *before, bool is_mysql)
{
    const char *value = strncmp(word, "--user=", 7) == 0 ? word + 7 : word;
    const char *colon = strchr(value, ':');
    bool is_user =
        value != word || (before && (!strcmp(before, "-u") || !strcmp(before, "--user")));
    if (is_user && colon)
        return (int)(colon + 1 - word);
    return is_mysql && strncmp(word, "-p", 2) == 0 && word[2] ? 2 : -1;
}

/* As a list: the service judges each word by itself, and one that talks of a password costs only itself. */
static void add_command(char *const *command, struct nabat_text *payload)
{
    bool secret = false; /* what the word before names */
    bool is_mysql = strstr(command[0], "mysql") || strstr(command[0], "maria");
    nabat_text_add(payload, "{\"command\":[");
    for (size_t i = 0; command[i] && i < COMMAND_WORDS_MAX; i++) {
        const char *equals = strchr(command[i], '=');
        size_t len = strlen(command[i]);
        int from = secret ? 0
                   : equals && is_secret(command[i])
                       ? (int)(equals - command[i]) + 1
                       : secret_from(command[i], i ? command[i - 1] : NULL, is_mysql);
        if (i)
            nabat_text_add(payload, ",");
        if (from >= 0) {
            char word[200];
            snprintf(word, sizeof word, "%.*s[Filtered]", from < 150 ? from : 150, command[i]);
            nabat_text_add_json(payload, word, strlen(word));
        } else {
            nabat_text_add_json(payload, command[i],
                                len < COMMAND_WORD_BYTES ? len : COMMAND_WORD_BYTES);
        }
        secret = !equals && command[i][0] == '-' && is_secret(command[i]);
    }
    nabat_text_add(payload, "]");
}

static void say_end(const struct run *run, char *words, size_t size)
{
    if (run->start_errno)
        snprintf(words, size, "could not be started: %s", strerror(run->start_errno));
    else if (run->signal)
        snprintf(words, size, "was ended by signal %d (%s)", run->signal, strsignal(run->signal));
    else
        snprintf(words, size, "failed with exit code %d", run->code);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* What it said, and last, where eyes go first, what it complained of. */
static void output_of(const struct run *run, char output[2 * TAIL_TEXT_BYTES])
{
    size_t len = tail_copy(&run->out, output);
    if (len && output[len - 1] != '\n' && run->err.total)
        output[len++] = '\n';
    tail_copy(&run->err, output + len);
}

/* The event of a command that failed. With a monitor it is the error that the monitor's own failure is, so that the
 * two ring once and a recovery resolves both (monitors/words.c has the same parts). */
static void record_failure(const struct options *o, struct nabat_client *client,
                           const struct run *run)
{
    static char output[2 * TAIL_TEXT_BYTES];
    char why[NABAT_CLIENT_WHY], end[160], message[400], host[128] = "", numbers[96];
    struct nabat_text payload = {0};
    const char *parts[] = {"monitor", o->checkin.monitor,
                           o->event.environment ? o->event.environment : "production", NULL};
    const char *name = o->event.handler     ? o->event.handler
                       : o->checkin.monitor ? o->checkin.monitor
                                            : base_name(o->command[0]);
    gethostname(host, sizeof host - 1);
    say_end(run, end, sizeof end);
    snprintf(message, sizeof message, "%.200s %s", name, end);
    add_command(o->command, &payload);
    snprintf(numbers, sizeof numbers, ",\"exit_code\":%d,\"seconds\":%.3f}", run->code,
             run->seconds);
    nabat_text_add(&payload, numbers);
    output_of(run, output);
    struct nabat_event event = o->event;
    event.message = message;
    event.handler = name;
    event.server_name = host;
    event.stacktrace = output[0] ? output : NULL;
    event.payload_json = payload.at;
    if (o->checkin.monitor && !event.fingerprint)
        event.fingerprint = parts;
    report(o, nabat_client_record(client, &event, why), "the failure", why);
    nabat_text_free(&payload);
}

static void check_in(const struct options *o, struct nabat_client *client,
                     const struct nabat_checkin *checkin)
{
    char why[NABAT_CLIENT_WHY];
    report(o, nabat_client_check_in(client, checkin, why), "the check-in", why);
}

/* Beside the command, so that it need not wait; the process that does it. */
static pid_t begin_check_in(const struct options *o, const char *dsn, struct nabat_checkin checkin)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    char why[NABAT_CLIENT_WHY];
    struct nabat_client *client = nabat_client_new(dsn, o->spool, why);
    if (client) {
        nabat_client_set_timeout(client, CHECK_IN_MS);
        checkin.status = "in_progress";
        check_in(o, client, &checkin);
        nabat_client_free(client);
    }
    _exit(0);
}

static int run_command(const struct options *o, const char *dsn)
{
    char why[NABAT_CLIENT_WHY], id[33];
    static struct run run; /* its tails are 16 KiB */
    struct nabat_checkin checkin = o->checkin;
    nabat_client_id(id);
    checkin.id = id;
    pid_t beside = checkin.monitor && dsn ? begin_check_in(o, dsn, checkin) : -1;
    exec_run(o->command, &run);
    if (run.start_errno)
        fprintf(stderr, "nabat-log: %s: %s\n", o->command[0], strerror(run.start_errno));
    if (beside > 0)
        waitpid(beside, NULL, 0);
    struct nabat_client *client = nabat_client_new(dsn, o->spool, why);
    if (!client) {
        fprintf(stderr, "nabat-log: nothing is recorded: %s\n", why);
        return run.code;
    }
    nabat_client_set_timeout(client, o->timeout_ms);
    if (run.code)
        record_failure(o, client, &run);
    else
        nabat_client_resend(client);
    if (checkin.monitor) {
        checkin.status = run.code ? "error" : "ok";
        checkin.seconds = run.seconds;
        check_in(o, client, &checkin);
    }
    nabat_client_free(client);
    return run.code;
}

int main(int argc, char **argv)
{
    struct options o;
    char why[NABAT_CLIENT_WHY];
    options_read(argc, argv, &o);
    const char *dsn = getenv("NABAT_DSN");
    if (o.exec)
        return run_command(&o, dsn);
    struct nabat_client *client = nabat_client_new(dsn, o.spool, why);
    if (!client) {
        fprintf(stderr, "nabat-log: %s\n", why);
        return EXIT_USAGE;
    }
    nabat_client_set_timeout(client, o.timeout_ms);
    int code = log_message(&o, client);
    nabat_client_free(client);
    return code;
}
