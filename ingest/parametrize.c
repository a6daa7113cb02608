/* parametrize.c -- recognisers in order of precedence, tried at the borders of words.
 *
 * Each recogniser looks at one place and says how many bytes it takes, or 0. The first that takes
 * any wins, so the order of RULES is the meaning. */
#include "ingest/parametrize.h"

#include "core/limits.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* SPAN_BYTES_MAX keeps looking ahead linear: no value of interest is longer. */
enum {
    PARAM_BYTES_MAX = 1 * KIB,
    QUOTED_BYTES_MAX = 200,
    DIGITS_IN_WORD_MIN = 5,
    SPAN_BYTES_MAX = 80
};

struct text {
    const char *at;
    const char *start;
    const char *end;
};

static char peek(const struct text *t, size_t ahead)
{
    return (size_t)(t->end - t->at) > ahead ? t->at[ahead] : '\0';
}

/* Letters beyond ASCII count as such; the blocks of punctuation, signs and symbols (lead bytes C2 and
 * E2: № → « – …) do not. */
static bool is_alnum(char c)
{
    unsigned char u = (unsigned char)c;
    return isalnum(u) || (u >= 0x80 && u != 0xC2 && u != 0xE2);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The byte that tells what stands before: of a longer character its first. */
static char before(const struct text *t)
{
    const char *at = t->at;
    if (at == t->start)
        return ' ';
    do
        at--;
    while (at > t->start && ((unsigned char)*at & 0xC0) == 0x80);
    return *at;
}

static size_t span(const struct text *t, size_t from, int (*is)(int))
{
    size_t n = from;
    while (n - from < SPAN_BYTES_MAX && peek(t, n) && is((unsigned char)peek(t, n)))
        n++;
    return n - from;
}

/* A quoted value: opened at the border of a word, closed on the same line before a border. */
static size_t quoted(const struct text *t)
{
    static const char *const PAIRS[][2] = {{"'", "'"}, {"\"", "\""}, {"`", "`"},
                                           {"«", "»"}, {"“", "”"},   {"‘", "’"}};
    if (is_alnum(before(t)) && (unsigned char)before(t) < 0x80)
        return 0;
    for (size_t p = 0; p < sizeof PAIRS / sizeof *PAIRS; p++) {
        size_t open = strlen(PAIRS[p][0]);
        size_t close = strlen(PAIRS[p][1]);
        if ((size_t)(t->end - t->at) < open || memcmp(t->at, PAIRS[p][0], open) != 0)
            continue;
        for (size_t n = open; n < QUOTED_BYTES_MAX && peek(t, n) && peek(t, n) != '\n'; n++) {
            if (peek(t, n) == '\\' && peek(t, n + 1)) {
                n++;
                continue;
            }
            if ((size_t)(t->end - t->at) - n >= close &&
                memcmp(t->at + n, PAIRS[p][1], close) == 0 &&
                (close > 1 || !is_alnum(peek(t, n + close))))
                return n + close;
        }
    }
    return 0;
}

static size_t url(const struct text *t)
{
    static const char *const SCHEMES[] = {"http://", "https://", "ws://",       "wss://",
                                          "ftp://",  "redis://", "postgres://", "postgresql://",
                                          "amqp://", "file://",  "tg://",       "s3://"};
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        size_t n = strlen(SCHEMES[i]);
        if ((size_t)(t->end - t->at) <= n || strncasecmp(t->at, SCHEMES[i], n) != 0)
            continue;
        while (peek(t, n) && !isspace((unsigned char)peek(t, n)) &&
               !strchr("\"'<>`)]},;", peek(t, n)))
            n++;
        while (strchr(".:", peek(t, n - 1)))
            n--;
        return n;
    }
    return 0;
}

static int is_local_part(int c)
{
    return isalnum(c) || strchr("._%+-", c) != NULL;
}

static int is_host_part(int c)
{
    return isalnum(c) || c == '.' || c == '-';
}

static size_t email(const struct text *t)
{
    size_t local = span(t, 0, is_local_part);
    if (local == 0 || peek(t, local) != '@')
        return 0;
    size_t host = span(t, local + 1, is_host_part);
    while (host > 0 && strchr(".-", peek(t, local + host)))
        host--;
    return memchr(t->at + local + 1, '.', host) ? local + 1 + host : 0;
}

static size_t uuid(const struct text *t)
{
    static const size_t GROUPS[] = {8, 4, 4, 4, 12};
    size_t n = 0;
    for (size_t g = 0; g < 5; g++) {
        if (span(t, n, isxdigit) != GROUPS[g])
            return 0;
        n += GROUPS[g];
        if (g < 4 && peek(t, n++) != '-')
            return 0;
    }
    return is_alnum(peek(t, n)) ? 0 : n;
}

/* 12:34, 12:34:56, 12:34:56.789, then an optional Z or +03:00. */
static size_t clock_time(const struct text *t, size_t from)
{
    size_t n = from;
    if (span(t, n, isdigit) < 1 || span(t, n, isdigit) > 2)
        return 0;
    n += span(t, n, isdigit);
    if (peek(t, n) != ':' || span(t, n + 1, isdigit) != 2)
        return 0;
    n += 3;
    if (peek(t, n) == ':' && span(t, n + 1, isdigit) == 2)
        n += 3;
    if ((peek(t, n) == '.' || peek(t, n) == ',') && is_digit(peek(t, n + 1)))
        n += 1 + span(t, n + 1, isdigit);
    if (peek(t, n) == 'Z')
        n++;
    else if ((peek(t, n) == '+' || peek(t, n) == '-') && span(t, n + 1, isdigit) >= 2)
        n += 1 + span(t, n + 1, isdigit) + (peek(t, n + 3) == ':' ? 3 : 0);
    return n - from;
}

/* 2026-11-21, 21.11.2026, 11/21/2026, each with an optional time; or a time alone. */
static size_t date(const struct text *t)
{
    size_t a = span(t, 0, isdigit);
    char sep = peek(t, a);
    size_t n = 0;
    if ((a == 4 || a == 2 || a == 1) && sep && strchr("-./", sep)) {
        size_t b = span(t, a + 1, isdigit);
        size_t c = span(t, a + 1 + b + 1, isdigit);
        bool year_first = a == 4 && (b == 1 || b == 2) && (c == 1 || c == 2);
        bool year_last = a <= 2 && (b == 1 || b == 2) && c == 4;
        if (peek(t, a + 1 + b) == sep && (year_first || year_last))
            n = a + 1 + b + 1 + c;
    }
    if (n == 0) {
        size_t only_time = clock_time(t, 0);
        return only_time && !is_alnum(peek(t, only_time)) ? only_time : 0;
    }
    if (peek(t, n) == 'T' || peek(t, n) == ' ') {
        size_t more = clock_time(t, n + 1);
        n += more ? 1 + more : 0;
    }
    return is_alnum(peek(t, n)) ? 0 : n;
}

/* Four numbers up to 255, or an IPv6 address with at least two colons; then an optional port. */
static size_t ip(const struct text *t)
{
    size_t n = 0;
    int parts = 0;
    while (parts < 4) {
        size_t digits = span(t, n, isdigit);
        if (digits < 1 || digits > 3)
            break;
        n += digits;
        parts++;
        if (parts < 4 && peek(t, n++) != '.')
            break;
    }
    if (parts != 4 || (peek(t, n) == '.' && is_digit(peek(t, n + 1)))) {
        int colons = 0;
        bool digit = false;
        n = 0;
        for (char c = peek(t, 0); c == ':' || (c && isxdigit((unsigned char)c)); c = peek(t, ++n)) {
            colons += c == ':';
            digit = digit || c != ':';
        }
        if (n && peek(t, n - 1) == ':' && !(n > 1 && peek(t, n - 2) == ':'))
            return 0;
        return colons >= 2 && colons <= 7 && digit && n >= 3 && !is_alnum(peek(t, n)) ? n : 0;
    }
    if (peek(t, n) == ':' && is_digit(peek(t, n + 1)))
        n += 1 + span(t, n + 1, isdigit);
    return is_alnum(peek(t, n)) ? 0 : n;
}

static size_t decimal(const struct text *t, bool *has_point)
{
    size_t n = span(t, 0, isdigit);
    *has_point = false;
    if (n && peek(t, n) == '.' && is_digit(peek(t, n + 1))) {
        *has_point = true;
        n += 1 + span(t, n + 1, isdigit);
    }
    return n;
}

static size_t one_duration(const struct text *t)
{
    static const char *const UNITS[] = {"ms",
                                        "us",
                                        "µs",
                                        "ns",
                                        "s",
                                        "m",
                                        "h",
                                        "d",
                                        "sec",
                                        "secs",
                                        "second",
                                        "seconds",
                                        "min",
                                        "mins",
                                        "minute",
                                        "minutes",
                                        "hour",
                                        "hours",
                                        "day",
                                        "days",
                                        "millisecond",
                                        "milliseconds",
                                        "сек",
                                        "мин",
                                        "мс",
                                        "с",
                                        "ч"};
    bool has_point = false;
    size_t n = decimal(t, &has_point);
    if (n == 0)
        return 0;
    size_t gap = peek(t, n) == ' ' ? 1 : 0;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        size_t len = strlen(UNITS[i]);
        if ((size_t)(t->end - t->at) < n + gap + len ||
            memcmp(t->at + n + gap, UNITS[i], len) != 0 ||
            (is_alnum(peek(t, n + gap + len)) && !is_digit(peek(t, n + gap + len))) ||
            (gap && len == 1))
            continue;
        return n + gap + len;
    }
    return 0;
}

static size_t durations(const struct text *t)
{
    struct text rest = *t;
    size_t total = 0;
    for (size_t n = one_duration(&rest); n; n = one_duration(&rest)) { /* 1h30m, 1m30.5s */
        total += n;
        rest.at += n;
    }
    return is_alnum(peek(t, total)) ? 0 : total;
}

static int is_base32(int c)
{
    return isdigit(c) || isupper(c);
}

/* ULID and the like: 16 to 40 capitals and digits, several of both. */
static size_t token(const struct text *t)
{
    size_t n = span(t, 0, is_base32);
    size_t digits = 0;
    for (size_t i = 0; i < n; i++)
        digits += is_digit(peek(t, i));
    return n >= 16 && n <= 40 && digits >= 3 && digits < n && !is_alnum(peek(t, n)) ? n : 0;
}

/* 0x…, or a run of hex digits of 7 and more that has both letters and digits. */
static size_t hex(const struct text *t)
{
    if (peek(t, 0) == '0' && (peek(t, 1) == 'x' || peek(t, 1) == 'X')) {
        size_t n = span(t, 2, isxdigit);
        return n && !is_alnum(peek(t, 2 + n)) ? 2 + n : 0;
    }
    size_t n = span(t, 0, isxdigit);
    if (n < 7 || is_alnum(peek(t, n)))
        return 0;
    bool digit = false;
    bool letter = false;
    for (size_t i = 0; i < n; i++) {
        digit = digit || is_digit(peek(t, i));
        letter = letter || !is_digit(peek(t, i));
    }
    return digit && letter ? n : 0;
}

static size_t real(const struct text *t)
{
    bool has_point = false;
    size_t n = decimal(t, &has_point);
    if (n && (peek(t, n) == 'e' || peek(t, n) == 'E')) {
        size_t sign = peek(t, n + 1) == '-' || peek(t, n + 1) == '+';
        size_t exponent = span(t, n + 1 + sign, isdigit);
        if (exponent && !is_alnum(peek(t, n + 1 + sign + exponent)))
            return n + 1 + sign + exponent;
    }
    return has_point && !is_alnum(peek(t, n)) ? n : 0;
}

static size_t integer(const struct text *t)
{
    return span(t, 0, isdigit);
}

static const struct {
    size_t (*take)(const struct text *t);
    const char *name;
} RULES[] = {
    {quoted, "<quoted>"},      {url, "<url>"},    {email, "<email>"}, {uuid, "<uuid>"},
    {date, "<date>"},          {ip, "<ip>"},      {hex, "<hex>"},     {token, "<id>"},
    {durations, "<duration>"}, {real, "<float>"}, {integer, "<int>"},
};

static size_t two_lines(const char *text, size_t len)
{
    size_t n = 0;
    int lines = 0;
    while (n < len && n < PARAM_BYTES_MAX) {
        if (text[n] == '\n' && ++lines == 2)
            break;
        n++;
    }
    return n;
}

/* A value starts where a word does; a long number may also end one: "worker12345". */
static bool may_start(const struct text *t)
{
    char prev = before(t);
    if (!is_alnum(prev))
        return true;
    return is_digit(*t->at) && !is_digit(prev) && span(t, 0, isdigit) >= DIGITS_IN_WORD_MIN;
}

/* "-5" is one number, "a-5" is not: the sign goes with the number when no word stands before it. */
static bool is_sign(const struct text *t)
{
    return *t->at == '-' && is_digit(peek(t, 1)) && !is_alnum(before(t)) && before(t) != '-';
}

void parametrize(const char *text, size_t len, struct buf *out)
{
    struct text t = {text, text, text + two_lines(text, len)};
    while (t.at < t.end) {
        size_t taken = 0;
        size_t sign = is_sign(&t);
        t.at += sign;
        for (size_t i = 0; i < sizeof RULES / sizeof *RULES && may_start(&t); i++) {
            taken = RULES[i].take(&t);
            if (!taken)
                continue;
            buf_add_str(out, RULES[i].name);
            t.at += taken;
            break;
        }
        if (taken)
            continue;
        t.at -= sign;
        buf_add_char(out, *t.at++);
    }
}
