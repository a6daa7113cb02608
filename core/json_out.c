/* json_out.c -- JSON string escaping. */
#include "core/json_out.h"

#include <string.h>

bool json_add_str_n(struct buf *out, const char *text, size_t len)
{
    buf_add_char(out, '"');
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
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
