/* parametrize.c -- one regular expression whose alternatives are the kinds of values, in order of
 * precedence.
 *
 * The leftmost match wins, and at one place the first alternative; which one it was is its MARK.
 * Quantifiers are bounded, the text is at most two lines: time is linear. The pairs that must come
 * out so are in tests/unit/test_parametrize.c; what differs from Sentry's own is in docs/grouping.md. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "ingest/parametrize.h"

#include "core/limits.h"
#include "core/mem.h"
#include "ingest/pattern.h"

#include <stdlib.h>
#include <string.h>

enum { PARAM_BYTES_MAX = 1 * KIB, MATCH_LIMIT = 200 * 1000 };

#define KIND(name) "(*MARK:" name ")"
#define BEGIN "(?<![\\w])"
#define HEX "[0-9a-fA-F]"
#define V4 "(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
#define DAY "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}"
#define MONTH "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
#define TIME "(?:2[0-3]|[01]?[0-9]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?![:0-9])"
#define ZONE "(?:Z(?:[0-9]{2}:[0-9]{2})?|[+-][0-9]{2}:?[0-9]{2})"
#define MM "(?:0?[1-9]|1[0-2])"
#define DD "(?:0?[1-9]|[12][0-9]|3[01])"

/* RFC 822, 850, 1123; JavaScript; ANSI C; RFC 3339; compact; by dots and slashes; Python's repr; a
 * time alone, on a clock of 12 or 24 hours. */
#define DATES                                                                                      \
    "(?:" DAY ",?\\s)?" DD "[ -]" MONTH "[ -](?:[0-9]{4}|[0-9]{2})(?:\\s" TIME                     \
    "(?:\\s(?:[A-Z]{3,4}|[+-][0-9]{4}))?)?(?!\\w)"                                                 \
    "|(?:" DAY "\\s)" MONTH "\\s{1,2}" DD "\\s(?:[0-9]{4}\\s)?" TIME                               \
    "(?:\\s(?:GMT|UTC|[A-Z]{3,4})(?:[+-][0-9]{4})?)?(?:\\s\\([^)]{1,60}\\)|\\s[0-9]{4})?"          \
    "|(?:" DAY "\\s)?" MONTH "\\s" DD ",?\\s[0-9]{4}(?!\\w)"                                       \
    "|[0-9]{4}-" MM "-" DD "(?:[T ]" TIME "(?:\\s?" ZONE ")?)?(?![\\w-])"                          \
    "|(?:19|20)[0-9]{2}[01][0-9][0-3][0-9][ T](?:[0-9]{6}(?:" ZONE ")?|" TIME ")(?!\\w)"           \
    "|" DD "([./])" DD "\\g{-1}(?:[0-9]{4}|[0-9]{2})(?:[T ]" TIME ")?(?![\\w])"                    \
    "|datetime\\.(?:datetime|date|time)\\([^)\\n]{0,120}\\)"                                       \
    "|(?<![:0-9])" TIME "(?:\\s?[AaPp][Mm]\\b)?(?:" ZONE ")?(?!\\w)"

#define TLDS                                                                                       \
    "(?:com|net|org|edu|gov|io|co|dev|ru|de|uk|fr|nl|eu|info|biz|cn|jp|br|au|ua|by|kz|pl|it|es|"   \
    "ch|at|se|no|fi|cz|tr|xyz|online|site|cloud|internal|local)"

#define UNITS                                                                                      \
    "(?:[num\u00b5]s|s|m|h|d|\\s?(?:msec|secs?|seconds?|mins?|minutes?|hours?|days?|"              \
    "milliseconds?|ms|сек|мин|мс|секунд\\w{0,2}|минут\\w{0,2}|час\\w{0,2})|с|ч)"

/* A row a kind. */
/* clang-format off */
static const char PATTERN[] =
    "(?:"
    "(?<![\\w=])'[^'\\n]{0,200}'(?!\\w)" KIND("quoted")
    "|" "(?<![\\w=])\"[^\"\\n]{0,200}\"(?!\\w)" KIND("quoted")
    "|" "`[^`\\n]{0,200}`" KIND("quoted")
    "|" "«[^»\\n]{0,200}»" KIND("quoted")
    "|" "“[^”\\n]{0,200}”" KIND("quoted")
    "|" "‘[^’\\n]{0,200}’" KIND("quoted")
    "|" BEGIN "[a-zA-Z0-9._%+-]{1,64}@[a-zA-Z0-9-]{1,63}(?:\\.[a-zA-Z0-9-]{1,63}){1,8}"
        KIND("email")
    "|" BEGIN "(?:https?|wss?|ftp|rediss?|postgres(?:ql)?|amqps?|mongodb|mysql|file|tg|s3)://"
        "(?:\\[[0-9a-fA-F:.]{2,45}\\])?[^\\s\"'<>`)\\]},;]{0,500}(?<![.:])" KIND("url")
    "|" BEGIN "(?:[a-zA-Z0-9-]{1,63}\\.){1,8}" TLDS "(?![\\w-]|\\.\\w)" KIND("hostname")
    "|" "(?<![\\w:.])(?:::ffff:)?" V4 "(?![\\w]|\\.[0-9])" KIND("ip")
    "|" "(?<![\\w:.])(?=[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{1,4}){0,7}::|(?:" HEX "{1,4}:){7}" HEX
        ")(?:" HEX "{0,4}:){2,7}" HEX "{0,4}(?:/[0-9]{1,3})?(?![\\w:])" KIND("ip")
    "|" BEGIN "00-" HEX "{32}-" HEX "{16}-0[0-9](?!\\w)" KIND("traceparent")
    "|" BEGIN "1-" HEX "{8}-" HEX "{24}(?!\\w)" KIND("traceparent")
    "|" BEGIN HEX "{8}-(?:" HEX "{4}-){3}" HEX "{12}(?!\\w)" KIND("uuid")
    "|" BEGIN HEX "{40}(?!\\w)" KIND("sha1")
    "|" BEGIN HEX "{32}(?!\\w)" KIND("md5")
    "|" BEGIN "(?:" DATES ")" KIND("date")
    "|" BEGIN "(?:[0-9]{1,15}(?:\\.[0-9]{1,15})?" UNITS "){1,4}(?![\\w])" KIND("duration")
    "|" BEGIN "tx[0-9a-f]{21}-[0-9a-f]{10}(?:-[\\w-]{1,40})?" KIND("swift_txn_id")
    "|" BEGIN "0[xX]" HEX "{1,64}(?!\\w)" KIND("hex")
    "|" BEGIN "(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{4,6}(?!\\w)" KIND("hex")
    "|" BEGIN "(?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]{4,6}(?!\\w)" KIND("hex")
    "|" BEGIN "(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7}(?!\\w)" KIND("git_sha")
    "|" "(?:(?<![\\w])-)?" BEGIN "(?:[0-9a-f]{8,128}|[0-9A-F]{8,128})(?![\\w]|\\.[0-9])" KIND("hex")
    "|" BEGIN "(?=(?:[A-Z]{0,39}[0-9]){3})(?=[0-9]{0,39}[A-Z])[A-Z0-9]{16,40}(?!\\w)" KIND("id")
    "|" "(?:(?<![\\w])-)?" BEGIN "[0-9]{1,40}(?:\\.[0-9]{1,40}(?:[eE][+-]?[0-9]{1,4})?"
        "|[eE][+-]?[0-9]{1,4})(?!\\w)" KIND("float")
    "|" "(?:(?<![\\w-])-)?" BEGIN "[0-9]{1,400}(?![a-zA-Z0-9])" KIND("int")
    "|" "(?<=_)[0-9]{1,400}(?![a-zA-Z0-9])" KIND("int")
    "|" "(?<=\\p{L})[0-9]{5,400}(?!\\w)" KIND("int")
    "|" "(?<==)(?i:true|false)(?!\\w)" KIND("bool")
    "|" "(?<==)(?:'[^'\\n]{0,200}'|\"[^\"\\n]{0,200}\")" KIND("quoted_str")
    ")";
/* clang-format on */

struct machine {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* Compiled once, for the life of the process: the pattern is ours, and so is the thread. */
static const struct machine *machine(void)
{
    static struct machine m;
    if (m.code)
        return &m;
    m.code = pattern_compile(PATTERN, PCRE2_UTF | PCRE2_UCP);
    m.match = pcre2_match_data_create(2, NULL);
    m.limits = pcre2_match_context_create(NULL);
    if (!m.match || !m.limits)
        mem_exhausted();
    pcre2_set_match_limit(m.limits, MATCH_LIMIT);
    return &m;
}

static size_t two_lines(const char *text, size_t len)
{
    size_t n = 0;
    int lines = 0;
    while (n < len && n < PARAM_BYTES_MAX) {
        if (text[n] == '\n' && ++lines == 2)
            break;
        n++;
    }
    while (n < len && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--; /* not within a code point */
    return n;
}

void parametrize(const char *text, size_t len, struct buf *out)
{
    const struct machine *m = machine();
    size_t end = two_lines(text, len);
    size_t kept = 0;
    size_t from = 0;
    while (from < end && pcre2_match(m->code, (PCRE2_SPTR)text, end, from, PCRE2_NO_UTF_CHECK,
                                     m->match, m->limits) >= 0) {
        const PCRE2_SIZE *o = pcre2_get_ovector_pointer(m->match);
        PCRE2_SPTR kind = pcre2_get_mark(m->match);
        if (o[1] <= o[0])
            break;
        buf_add(out, text + kept, o[0] - kept);
        buf_addf(out, "<%s>", kind ? (const char *)kind : "value");
        kept = from = o[1];
    }
    buf_add(out, text + kept, end - kept);
}
