/* check_spec.c -- see check_spec.h. */
#include "core/check_spec.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORDS_MAX = 9, WORD_BYTES = CHECK_URL_BYTES, ANSWER_MAX_S = 30, PAUSE_S = 2 };

int64_t check_span_ms(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } UNITS[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end = NULL;
    errno = 0;
    if (!isdigit((unsigned char)text[0]))
        return 0;
    double n = strtod(text, &end);
    if (errno || n <= 0 || n > 1e6)
        return 0;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (strcmp(end, UNITS[i].unit) == 0)
            return (int64_t)(n * (double)UNITS[i].ms);
    return 0;
}

int64_t check_patience_s(const struct check_spec *spec)
{
    int64_t most = spec->every_s - PAUSE_S;
    return most < ANSWER_MAX_S ? most : ANSWER_MAX_S;
}

static bool read_url(const char *word, struct check_spec *spec, struct err *err)
{
    bool web = strncmp(word, "http://", 7) == 0 || strncmp(word, "https://", 8) == 0;
    const char *host = web ? strstr(word, "://") + 3 : word;
    if (!web || !isalnum((unsigned char)host[host[0] == '[']) || strpbrk(word, "\"<>"))
        return err_set(err, ERR_INPUT,
                       "\"%.60s\" is no address: it takes http:// or https:// and a host", word);
    snprintf(spec->url, sizeof spec->url, "%s", word);
    return true;
}

static bool read_option(const char *name, const char *value, struct check_spec *spec,
                        struct err *err)
{
    int64_t ms = check_span_ms(value);
    if (strcasecmp(name, "every") == 0) {
        spec->every_s = ms / 1000;
        return (spec->every_s >= CHECK_EVERY_MIN_S && spec->every_s <= CHECK_EVERY_MAX_S) ||
               err_set(err, ERR_INPUT, "every is \"%.20s\": it takes 10s to 1d", value);
    }
    if (strcasecmp(name, "under") == 0) {
        spec->under_ms = ms;
        return (ms > 0 && ms <= 30000) ||
               err_set(err, ERR_INPUT, "under is \"%.20s\": it takes 1ms to 30s", value);
    }
    if (strcasecmp(name, "cert") == 0) {
        spec->cert_days = strcasecmp(value, "off") == 0 ? 0 : ms / 86400000;
        return strcasecmp(value, "off") == 0 || (spec->cert_days >= 1 && spec->cert_days <= 365) ||
               err_set(err, ERR_INPUT, "cert is \"%.20s\": it takes 1d to 365d, or off", value);
    }
    if (strcasecmp(name, "expect") == 0) {
        spec->expect =
            strlen(value) == 3 && strspn(value, "0123456789") == 3 ? strtol(value, NULL, 10) : 0;
        return (spec->expect >= 100 && spec->expect <= 599) ||
               err_set(err, ERR_INPUT, "expect is \"%.20s\": it takes a status, 100 to 599", value);
    }
    return err_set(err, ERR_INPUT, "\"%.20s\" is not known: it takes every, expect, under and cert",
                   name);
}

bool check_spec_parse(const char *text, size_t len, struct check_spec *spec, struct err *err)
{
    char words[WORDS_MAX + 1][WORD_BYTES];
    size_t count = 0;
    *spec = (struct check_spec){.every_s = 60, .cert_days = 14};
    for (size_t at = 0; at < len && count <= WORDS_MAX;) {
        while (at < len && isspace((unsigned char)text[at]))
            at++;
        size_t n = 0;
        while (at + n < len && !isspace((unsigned char)text[at + n]))
            n++;
        if (n >= WORD_BYTES)
            return err_set(err, ERR_INPUT, "a word of more than %d bytes", WORD_BYTES - 1);
        if (n)
            snprintf(words[count++], WORD_BYTES, "%.*s", (int)n, text + at);
        at += n;
    }
    if (count == 0)
        return err_set(err, ERR_INPUT, "there is no address");
    if (!read_url(words[0], spec, err))
        return false;
    for (size_t i = 1; i < count; i += 2) {
        if (i + 1 == count)
            return err_set(err, ERR_INPUT, "\"%.20s\" has no value behind it", words[i]);
        if (!read_option(words[i], words[i + 1], spec, err))
            return false;
    }
    if (spec->under_ms >= check_patience_s(spec) * 1000)
        return err_set(err, ERR_INPUT,
                       "under is too long: of a check every %" PRId64
                       "s an answer is waited for %" PRId64 "s, and late is less than that",
                       spec->every_s, check_patience_s(spec));
    return true;
}

bool check_specs_parse(const char *text, check_spec_fn *each, void *ctx, struct err *err)
{
    size_t count = 0;
    for (const char *at = text; *at;) {
        struct check_spec spec;
        size_t n = strcspn(at, ";\n");
        if (strspn(at, " \t\r") < n) {
            if (!check_spec_parse(at, n, &spec, err))
                return false;
            if (++count > CHECKS_MAX)
                return err_set(err, ERR_LIMIT, "more than %d checks", CHECKS_MAX);
            each(ctx, &spec);
        }
        at += n + (at[n] != '\0');
    }
    return true;
}

void check_url_name(const char *url, char out[CHECK_URL_BYTES])
{
    const char *host = strstr(url, "://") + 3;
    const char *at = host + strcspn(host, "/?#");
    const char *user = memrchr(host, '@', (size_t)(at - host));
    int scheme = (int)(host - url);
    host = user ? user + 1 : host;
    snprintf(out, CHECK_URL_BYTES, "%.*s%.*s", scheme, url, (int)strcspn(host, "?#"), host);
}
