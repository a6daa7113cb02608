/* utf8.c -- decoding, cleaning, cutting and counting of UTF-8 (RFC 3629). */
#include "core/utf8.h"

#include <string.h>

size_t utf8_decode(const unsigned char *at, const unsigned char *end, uint32_t *out)
{
    size_t left = (size_t)(end - at);
    unsigned char a = at[0];
    if (a < 0x80) {
        *out = a;
        return 1;
    }
    if (a < 0xC2 || a > 0xF4)
        return 0;
    size_t need = a < 0xE0 ? 2 : a < 0xF0 ? 3 : 4;
    if (left < need)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    uint32_t code = 0;
    if (need == 2)
        code = (uint32_t)(a & 0x1F) << 6 | (at[1] & 0x3Fu);
    else if (need == 3)
        code = (uint32_t)(a & 0x0F) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    else
        code = (uint32_t)(a & 0x07) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 |
               (at[3] & 0x3Fu);
    if ((need == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF))) ||
        (need == 4 && (code < 0x10000 || code > 0x10FFFF)))
        return 0;
    *out = code;
    return need;
}

size_t utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

size_t utf8_clean(const char *text, size_t len, char *out)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + len;
    char *to = out;
    while (at < end) {
        uint32_t code = 0;
        size_t n = *at ? utf8_decode(at, end, &code) : 0;
        if (n) {
            memcpy(to, at, n);
            to += n;
            at += n;
        } else {
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3;
            at++;
        }
    }
    *to = '\0';
    return (size_t)(to - out);
}

bool utf8_is_clean(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + len;
    while (at < end) {
        if (*at && *at < 0x80) {
            at++;
            continue;
        }
        uint32_t code = 0;
        size_t n = *at ? utf8_decode(at, end, &code) : 0;
        if (!n)
            return false;
        at += n;
    }
    return true;
}

size_t utf8_cut(const char *text, size_t len, size_t bytes_max)
{
    if (len <= bytes_max)
        return len;
    size_t n = bytes_max;
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return n;
}

size_t utf8_cut_units(const char *text, size_t len, size_t units_max)
{
    size_t units = 0;
    size_t i = 0;
    while (i < len) {
        unsigned char c = (unsigned char)text[i];
        size_t bytes = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        size_t more = bytes == 4 ? 2 : 1;
        if (units + more > units_max || bytes > len - i)
            break;
        units += more;
        i += bytes;
    }
    return i;
}

size_t utf8_utf16_units(const char *text, size_t len)
{
    size_t units = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c & 0xC0) != 0x80)
            units += c >= 0xF0 ? 2 : 1;
    }
    return units;
}
