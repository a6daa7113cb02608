/* json_out.c -- JSON string escaping. */
#include "core/json_out.h"

#include <stdint.h>
#include <string.h>

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* How many bytes from here stand for themselves; eight at a time: the high bit of a byte of `odd` is set
 * where one does not (and maybe in a byte above the first such). */
static size_t plain_len(const char *text, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t word;
        memcpy(&word, text + n, sizeof word);
        uint64_t quotes = word ^ (ones * '"');
        uint64_t slashes = word ^ (ones * '\\');
        uint64_t deletes = word ^ (ones * 0x7f);
        uint64_t odd =
            ((word - ones * 0x20) | (quotes - ones) | (slashes - ones) | (deletes - ones)) & ~word &
            highs;
        if (odd)
            break;
    }
    while (n < len && is_plain((unsigned char)text[n]))
        n++;
    return n;
}

bool json_add_str_n(struct buf *out, const char *text, size_t len)
{
    buf_add_char(out, '"');
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        i += plain_len(text + i, len - i);
        if (i == len)
            break;
        unsigned char c = (unsigned char)text[i];
        buf_add(out, text + start, i - start);
        start = i + 1;
        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c);
        } else if (c == '\n') {
            buf_add_str(out, "\\n");
        } else {
            buf_addf(out, "\\u%04x", c);
        }
    }
    buf_add(out, text + start, len - start);
    return buf_add_char(out, '"');
}

bool json_add_str(struct buf *out, const char *text)
{
    return json_add_str_n(out, text, strlen(text));
}
