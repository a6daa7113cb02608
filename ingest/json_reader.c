/* json_reader.c -- a one-pass JSON reader with an explicit depth bound and no refusals of content.
 *
 * The hard thing: nothing that is syntactically JSON may fail. Depth is kept by an array of open
 * containers instead of recursion; below JSON_DEPTH_MAX values are only skipped, by counting
 * brackets outside strings, and leave a marker. */
#include "ingest/json_reader.h"

#include "core/limits.h"
#include "core/utf8.h"

#include <string.h>

struct reader {
    const char *start;
    const char *at;
    const char *end;
    struct arena *arena;
    const char *const *without; /* names of members that are skipped; NULL: none */
    struct err *err;
};

static const char TOO_DEEP[] = "[nested too deep]";

const char *json_skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static bool fail(struct reader *r, const char *what)
{
    return err_set(r->err, ERR_INPUT, "%s at byte %zu", what, (size_t)(r->at - r->start));
}

static bool full(struct reader *r)
{
    return err_set(r->err, ERR_LIMIT, "too many values");
}

static int hex4(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Decodes \uXXXX (a pair is one code point); what is no character becomes U+FFFD. */
static size_t decode_u(struct reader *r, char out[4])
{
    int a = r->end - r->at >= 5 ? hex4(r->at + 1) : -1;
    if (a < 0)
        return 0;
    r->at += 5;
    uint32_t code = (uint32_t)a;
    if (a >= 0xD800 && a <= 0xDBFF && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        int b = hex4(r->at + 2);
        if (b >= 0xDC00 && b <= 0xDFFF) {
            r->at += 6;
            code = 0x10000 + (((uint32_t)a & 0x3FF) << 10) + ((uint32_t)b & 0x3FF);
        }
    }
    if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
        code = 0xFFFD;
    return utf8_encode(code, out);
}

static char simple_escape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case '"':
    case '\\':
    case '/':
        return c;
    default:
        return 0;
    }
}

/* Over ASCII that stands for itself, eight bytes at a time: the high bit of a byte of `odd` is set where one
 * is NUL, a quote, a backslash or beyond ASCII (and maybe in a byte above the first such). */
static const unsigned char *skip_plain(const unsigned char *at, const unsigned char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t quotes = word ^ (ones * '"');
        uint64_t slashes = word ^ (ones * '\\');
        uint64_t odd = ((word - ones) | (quotes - ones) | (slashes - ones) | word) & highs;
        if (odd)
            break;
        at += 8;
    }
    while (at < end && *at && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Where the string's closing quote stands; `end` or beyond: nowhere. */
static const char *string_end(const char *at, const char *end)
{
    for (;;) {
        at = (const char *)skip_plain((const unsigned char *)at, (const unsigned char *)end);
        if (at >= end || *at == '"')
            return at;
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    }
}

/* The slow way: `from` starts the string, r->at stands at the first byte that needs work. `size` is
 * what the closing quote is away at most: cleaning triples at worst. */
static bool decode_string(struct reader *r, const char *from, size_t size, const char **text,
                          size_t *len)
{
    char *out = arena_alloc(r->arena, 3 * size + 1);
    if (!out)
        return full(r);
    size_t n = (size_t)(r->at - from);
    memcpy(out, from, n);
    for (;;) {
        const char *run = r->at;
        r->at = (const char *)skip_plain((const unsigned char *)run, (const unsigned char *)r->end);
        memcpy(out + n, run, (size_t)(r->at - run));
        n += (size_t)(r->at - run);
        if (r->at >= r->end || *r->at == '"')
            break;
        const unsigned char *at = (const unsigned char *)r->at;
        uint32_t code = 0;
        if (*at == '\\') {
            r->at++;
            char c = r->at < r->end ? simple_escape(*r->at) : 0;
            if (c) {
                out[n++] = c;
                r->at++;
                continue;
            }
            size_t more = r->at < r->end && *r->at == 'u' ? decode_u(r, out + n) : 0;
            if (!more)
                return fail(r, "bad escape in a string");
            n += more;
        } else {
            size_t more = *at ? utf8_decode(at, (const unsigned char *)r->end, &code) : 0;
            memcpy(out + n, more ? r->at : "\xEF\xBF\xBD", more ? more : 3);
            n += more ? more : 3;
            r->at += more ? more : 1;
        }
    }
    if (r->at >= r->end)
        return fail(r, "string without an end");
    r->at++;
    *text = out;
    *len = n;
    return true;
}

/* r->at stands behind the opening quote. */
static bool read_string(struct reader *r, const char **text, size_t *len)
{
    const char *from = r->at;
    const unsigned char *end = (const unsigned char *)r->end;
    const unsigned char *at = skip_plain((const unsigned char *)r->at, end);
    while (at < end && *at != '"' && *at != '\\') {
        uint32_t code = 0;
        size_t n = *at ? utf8_decode(at, end, &code) : 0;
        if (!n)
            break;
        at = skip_plain(at + n, end);
    }
    r->at = (const char *)at;
    if (at < end && *at == '"') {
        *text = from;
        *len = (size_t)(r->at - from);
        r->at++;
        return true;
    }
    const char *close = string_end(r->at, r->end);
    if (close >= r->end)
        return fail(r, "string without an end");
    return decode_string(r, from, (size_t)(close - from), text, len);
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static bool read_number(struct reader *r, struct json_value *v)
{
    const char *at = r->at;
    if (*at == '-')
        at++;
    const char *digits = at;
    at = skip_digits(at, r->end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return fail(r, "bad number");
    if (at < r->end && *at == '.') {
        const char *fraction = ++at;
        at = skip_digits(at, r->end);
        if (at == fraction)
            return fail(r, "bad number");
    }
    if (at < r->end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < r->end && (*at == '+' || *at == '-'))
            at++;
        const char *exponent = at;
        at = skip_digits(at, r->end);
        if (at == exponent)
            return fail(r, "bad number");
    }
    *v = (struct json_value){.kind = JSON_NUMBER_V, .text = r->at, .len = (size_t)(at - r->at)};
    r->at = at;
    return true;
}

static bool read_literal(struct reader *r, struct json_value *v)
{
    static const struct {
        const char *word;
        enum json_kind kind;
    } WORDS[] = {{"null", JSON_NULL_V},  {"true", JSON_TRUE_V},       {"false", JSON_FALSE_V},
                 {"NaN", JSON_STRING_V}, {"Infinity", JSON_STRING_V}, {"-Infinity", JSON_STRING_V}};
    size_t left = (size_t)(r->end - r->at);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t len = strlen(WORDS[i].word);
        if (left < len || memcmp(r->at, WORDS[i].word, len) != 0)
            continue;
        *v = (struct json_value){.kind = WORDS[i].kind, .text = r->at, .len = len};
        r->at += len;
        return true;
    }
    return *r->at == '-' ? read_number(r, v) : fail(r, "not a JSON value");
}

/* Skips a container whose opening bracket is at r->at, whatever its depth. */
static bool skip_container(struct reader *r)
{
    size_t depth = 0;
    while (r->at < r->end) {
        char c = *r->at++;
        if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            if (--depth == 0)
                return true;
        } else if (c == '"') {
            r->at = string_end(r->at, r->end);
            if (r->at < r->end)
                r->at++;
        }
    }
    return fail(r, "value without an end");
}

static bool is_without(const struct reader *r, const char *key, size_t len)
{
    for (const char *const *n = r->without; n && *n; n++)
        if (strlen(*n) == len && memcmp(key, *n, len) == 0)
            return true;
    return false;
}

/* Any value, without keeping it. */
static bool skip_value(struct reader *r, struct json_value *v)
{
    *v = (struct json_value){.kind = JSON_NULL_V};
    if (*r->at == '{' || *r->at == '[')
        return skip_container(r);
    if (*r->at != '"') {
        struct json_value ignored;
        return strchr("0123456789", *r->at) ? read_number(r, &ignored) : read_literal(r, &ignored);
    }
    r->at = string_end(r->at + 1, r->end);
    if (r->at >= r->end)
        return fail(r, "string without an end");
    r->at++;
    return true;
}

/* A scalar, or the opening bracket of a container (then *open is set). */
static bool read_one(struct reader *r, struct json_value *v, bool too_deep, bool *open)
{
    *open = false;
    switch (*r->at) {
    case '"':
        r->at++;
        v->kind = JSON_STRING_V;
        return read_string(r, &v->text, &v->len);
    case '[':
    case '{':
        if (too_deep) {
            v->kind = JSON_STRING_V;
            v->text = TOO_DEEP;
            v->len = sizeof TOO_DEEP - 1;
            return skip_container(r);
        }
        v->kind = *r->at == '[' ? JSON_ARRAY_V : JSON_OBJECT_V;
        r->at++;
        *open = true;
        return true;
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(r, v);
    default:
        return read_literal(r, v);
    }
}

static struct json_value *new_value(struct reader *r, struct json_value *parent)
{
    struct json_value *v = arena_alloc(r->arena, sizeof *v);
    if (!v) {
        full(r);
        return NULL;
    }
    *v = (struct json_value){0};
    if (parent) {
        *(parent->last ? &parent->last->next : &parent->first) = v;
        parent->last = v;
    }
    return v;
}

static bool skip_to(struct reader *r, const char *what)
{
    r->at = json_skip_blanks(r->at, r->end);
    return r->at < r->end ? true : fail(r, what);
}

/* In `parent`, before a member: its key and colon. */
static bool read_key(struct reader *r, const char **key, size_t *key_len)
{
    if (*r->at != '"')
        return fail(r, "expected a member name");
    r->at++;
    if (!read_string(r, key, key_len) || !skip_to(r, "object without an end"))
        return false;
    if (*r->at != ':')
        return fail(r, "expected a colon");
    r->at++;
    return skip_to(r, "object without an end");
}

static bool read_tree(struct reader *r, struct json_value **root)
{
    struct json_value *open[JSON_DEPTH_MAX];
    size_t depth = 0;
    *root = NULL;
    for (;;) {
        struct json_value *parent = depth ? open[depth - 1] : NULL;
        if (!skip_to(r, depth ? "value without an end" : "nothing there"))
            return false;
        char close = parent && parent->kind == JSON_ARRAY_V ? ']' : '}';
        bool closed = parent && *r->at == close && (!parent->first);
        if (!closed) {
            const char *key = NULL;
            size_t key_len = 0;
            if (parent && parent->kind == JSON_OBJECT_V && !read_key(r, &key, &key_len))
                return false;
            struct json_value *v = new_value(r, parent);
            bool is_open = false;
            bool skipped = v && key && is_without(r, key, key_len);
            if (!v ||
                !(skipped ? skip_value(r, v) : read_one(r, v, depth == JSON_DEPTH_MAX, &is_open)))
                return false;
            /* read_one may have rewritten the node: key and links are set after it */
            v->key = key;
            v->key_len = key_len;
            v->next = NULL;
            if (!*root)
                *root = v;
            if (is_open) {
                open[depth++] = v;
                continue;
            }
        } else {
            r->at++;
            depth--;
        }
        /* behind a value: commas go on, brackets close as many as they can */
        for (;;) {
            if (depth == 0)
                return true;
            parent = open[depth - 1];
            close = parent->kind == JSON_ARRAY_V ? ']' : '}';
            if (!skip_to(r, "value without an end"))
                return false;
            if (*r->at == ',') {
                r->at++;
                if (!skip_to(r, "value without an end"))
                    return false;
                if (*r->at == close)
                    return fail(r, "comma before a closing bracket");
                break;
            }
            if (*r->at != close)
                return fail(r, "expected a comma or a closing bracket");
            r->at++;
            depth--;
        }
    }
}

struct json_value *json_read(const char *start, const char **at, const char *end,
                             struct arena *arena, struct err *err)
{
    return json_read_without(start, at, end, NULL, arena, err);
}

struct json_value *json_read_without(const char *start, const char **at, const char *end,
                                     const char *const *names, struct arena *arena, struct err *err)
{
    struct reader r = {start, *at, end, arena, names, err};
    struct json_value *root = NULL;
    bool ok = read_tree(&r, &root);
    *at = r.at;
    return ok ? root : NULL;
}

struct json_value *json_find(const struct json_value *object, const char *key)
{
    struct json_value *found = NULL;
    size_t len = strlen(key);
    if (!object || object->kind != JSON_OBJECT_V)
        return NULL;
    for (struct json_value *v = object->first; v; v = v->next)
        if (v->key_len == len && memcmp(v->key, key, len) == 0)
            found = v;
    return found;
}
