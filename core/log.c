/* log.c -- one line an event of life; every line passes through the list of secrets. */
#include "core/log.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/json_out.h"
#include "core/log_fold.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_BYTES_MAX = 4096, LOG_SECRETS_MAX = 16, LOG_SECRET_BYTES_MIN = 6 };

static enum log_level min_level = LOG_INFO;
static bool as_json;
static char *secrets[LOG_SECRETS_MAX];
static int secrets_count;

static const char *const LEVEL_NAMES[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_level level, bool json)
{
    min_level = level;
    as_json = json;
}

void log_add_secret(const char *secret)
{
    if (!secret || strlen(secret) < LOG_SECRET_BYTES_MIN)
        return;
    for (int i = 0; i < secrets_count; i++)
        if (strcmp(secrets[i], secret) == 0)
            return;
    if (secrets_count < LOG_SECRETS_MAX)
        secrets[secrets_count++] = mem_str_dup(secret);
}

void log_hide_secrets(char *text)
{
    static const char MARK[] = "******";
    for (int i = 0; i < secrets_count; i++) {
        size_t len = strlen(secrets[i]);
        for (char *at = strstr(text, secrets[i]); at; at = strstr(at, secrets[i])) {
            memcpy(at, MARK, sizeof MARK - 1);
            memmove(at + sizeof MARK - 1, at + len, strlen(at + len) + 1);
        }
    }
}

static bool is_plain(const char *text)
{
    if (!*text)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p == 0x7f)
            return false;
    return true;
}

static void add_value(struct buf *line, const char *text)
{
    if (!as_json && is_plain(text))
        buf_add_str(line, text);
    else
        json_add_str(line, text);
}

static void add_field(struct buf *line, const char *key, const char *text)
{
    if (as_json) {
        buf_addf(line, "%s\"%s\":", line->len ? "," : "{", key);
        add_value(line, text);
    } else {
        buf_addf(line, "%s%s=", line->len ? " " : "", key);
        add_value(line, text);
    }
}

static void begin_line(struct buf *line, enum log_level level, const char *message)
{
    char now[CLOCK_TEXT_BYTES];
    buf_init(line, LOG_LINE_BYTES_MAX);
    clock_format_utc(clock_wall_ms(), now);
    add_field(line, "ts", now);
    add_field(line, "level", LEVEL_NAMES[level]);
    add_field(line, "msg", message);
}

static void end_line(struct buf *line)
{
    buf_add_str(line, as_json ? "}" : "");
    log_hide_secrets(line->data);
    line->len = strlen(line->data);
    line->bytes_max++;
    buf_add_char(line, '\n');
    /* One write a line: lines of several processes on one terminal don't mix. */
    ssize_t n = write(STDERR_FILENO, line->data, line->len);
    (void)n; /* a log that can't be written has nowhere to complain */
    buf_fini(line);
}

static void write_folded(const struct log_folded *folded)
{
    struct buf line;
    char more[64];
    if (folded->missed == 0)
        return;
    snprintf(more, sizeof more, "… %lld more", (long long)folded->missed);
    begin_line(&line, (enum log_level)folded->level, folded->message);
    add_field(&line, "repeated", more);
    end_line(&line);
}

void log_flush(void)
{
    struct log_folded folded;
    while (log_fold_next(clock_mono_ms(), &folded))
        write_folded(&folded);
}

/* FNV-1a. */
static uint64_t add_hash(uint64_t hash, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        hash = (hash ^ *p) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

void log_write(enum log_level level, const char *message, ...)
{
    if (level < min_level)
        return;
    struct buf line;
    struct log_folded folded;
    uint64_t hash = add_hash(0xcbf29ce484222325u + (uint64_t)level, message);
    begin_line(&line, level, message);
    va_list args;
    va_start(args, message);
    for (struct log_field f = va_arg(args, struct log_field); f.key;
         f = va_arg(args, struct log_field)) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)f.number);
        if (f.text) {
            add_field(&line, f.key, f.text);
            /* numbers differ from line to line (durations, counts), and so do ids */
            hash = strcmp(f.key, "request_id") == 0 ? hash : add_hash(hash, f.text);
        } else {
            buf_addf(&line, as_json ? ",\"%s\":%s" : " %s=%s", f.key, number);
        }
    }
    va_end(args);
    /* whoever asks for debug wants all of it */
    bool prints =
        min_level == LOG_DEBUG || log_fold(hash, (int)level, message, clock_mono_ms(), &folded);
    if (min_level != LOG_DEBUG)
        write_folded(&folded);
    if (prints)
        end_line(&line);
    else
        buf_fini(&line);
}
