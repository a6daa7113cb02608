/* stack_part.c -- cutting, comparing and cleaning pieces of stack lines. */
#include "ingest/stack_part.h"

#include "core/utf8.h"

#include <ctype.h>
#include <string.h>

struct part part_trim(struct part p)
{
    while (p.len && isspace((unsigned char)*p.at)) {
        p.at++;
        p.len--;
    }
    while (p.len && isspace((unsigned char)p.at[p.len - 1]))
        p.len--;
    return p;
}

const char *part_find(struct part p, const char *text)
{
    return memmem(p.at, p.len, text, strlen(text));
}

bool part_starts(struct part p, const char *text)
{
    size_t n = strlen(text);
    return p.len >= n && memcmp(p.at, text, n) == 0;
}

bool part_ends(struct part p, const char *text)
{
    size_t n = strlen(text);
    return p.len >= n && memcmp(p.at + p.len - n, text, n) == 0;
}

struct part part_skip(struct part p, size_t n)
{
    return n < p.len ? (struct part){p.at + n, p.len - n} : (struct part){p.at + p.len, 0};
}

struct part part_until(struct part p, const char *stop)
{
    return (struct part){p.at, (size_t)(stop - p.at)};
}

const char *part_find_last(struct part p, char c)
{
    return memrchr(p.at, c, p.len);
}

bool part_contains_any(struct part p, const char *const *words)
{
    for (; *words; words++)
        if (part_find(p, *words))
            return true;
    return false;
}

void part_put(char out[FRAME_TEXT_BYTES], struct part p)
{
    size_t n = utf8_cut(p.at, p.len, FRAME_TEXT_BYTES - 1);
    memcpy(out, p.at, n);
    out[n] = '\0';
}

/* Ends a text that was copied byte by byte: a code point cut in two goes. */
static void end_text(char out[FRAME_TEXT_BYTES], size_t n)
{
    size_t whole = n;
    if (n == FRAME_TEXT_BYTES - 1) {
        while (whole > 0 && ((unsigned char)out[whole - 1] & 0xC0) == 0x80)
            whole--;
        if (whole > 0 && (unsigned char)out[whole - 1] >= 0xC0)
            whole--;
    }
    out[whole] = '\0';
}

/* At a border: "-8f3e2c1d" of hex with a digit, or "-Bx3kQ9aZ" (base64url of bundlers) before the
 * extension. Returns its length with the border, or 0. */
static size_t content_hash(struct part path, size_t i)
{
    enum { HASH_MIN = 6, HASH_MAX = 64, BASE64_HASH = 8 };
    size_t n = 0;
    bool hex = true;
    bool digit = false;
    bool upper = false;
    bool lower = false;
    if (path.at[i] != '-' && path.at[i] != '.' && path.at[i] != '_')
        return 0;
    for (; n < HASH_MAX && i + 1 + n < path.len; n++) {
        unsigned char c = (unsigned char)path.at[i + 1 + n];
        if (!isalnum(c))
            break;
        hex = hex && isxdigit(c);
        digit = digit || isdigit(c);
        upper = upper || isupper(c);
        lower = lower || islower(c);
    }
    bool ends = i + 1 + n < path.len && strchr(".-_", path.at[i + 1 + n]);
    bool is_hex = hex && digit && n >= HASH_MIN;
    bool is_base64 = n == BASE64_HASH && upper && lower && digit;
    return ends && (is_hex || is_base64) ? n + 1 : 0;
}

void part_put_file(char out[FRAME_TEXT_BYTES], struct part path)
{
    const char *query = memchr(path.at, '?', path.len);
    if (query)
        path = part_until(path, query);
    for (const char *p = path.at + path.len; p > path.at; p--)
        if (p[-1] == '/' || p[-1] == '\\') {
            path = part_skip(path, (size_t)(p - path.at));
            break;
        }
    size_t n = 0;
    for (size_t i = 0; i < path.len && n < FRAME_TEXT_BYTES - 1;) {
        size_t hash = content_hash(path, i);
        if (hash) {
            i += hash;
            continue;
        }
        out[n++] = path.at[i++];
    }
    end_text(out, n);
}

/* A function's name without runs of digits of two and more behind '$' or '#' or at its end after
 * "Accessor": counters of generated code. */
void part_put_generated(char out[FRAME_TEXT_BYTES], struct part name)
{
    size_t n = 0;
    for (size_t i = 0; i < name.len && n < FRAME_TEXT_BYTES - 1; i++) {
        char c = name.at[i];
        if (isdigit((unsigned char)c) && n &&
            (strchr("$#_", out[n - 1]) || (n >= 8 && memcmp(out + n - 8, "Accessor", 8) == 0))) {
            while (i + 1 < name.len && isxdigit((unsigned char)name.at[i + 1]))
                i++;
            continue;
        }
        out[n++] = c;
    }
    while (n > 1 && strchr("$#", out[n - 1]))
        n--;
    end_text(out, n);
}

struct part part_strip_position(struct part p)
{
    for (int i = 0; i < 2; i++) {
        const char *colon = part_find_last(p, ':');
        if (!colon || colon + 1 == p.at + p.len)
            break;
        bool digits = true;
        for (const char *c = colon + 1; c < p.at + p.len; c++)
            digits = digits && isdigit((unsigned char)*c);
        if (!digits)
            break;
        p = part_until(p, colon);
    }
    return p;
}
