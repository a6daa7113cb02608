/* random.c -- randomness from getrandom(2). */
#include "core/random.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = DIGITS[bytes[i] >> 4];
        out[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

void random_bytes(void *out, size_t len)
{
    static unsigned char pool[256]; /* one system call serves sixteen event ids */
    static size_t left;
    unsigned char *to = out;
    while (len > 0) {
        if (left == 0) {
            if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool)
                abort();
            left = sizeof pool;
        }
        size_t n = len < left ? len : left;
        memcpy(to, pool + sizeof pool - left, n);
        to += n;
        left -= n;
        len -= n;
    }
}

uint32_t random_u32(void)
{
    uint32_t value = 0;
    random_bytes(&value, sizeof value);
    return value;
}

void random_hex32(char out[RANDOM_HEX_BYTES])
{
    unsigned char bytes[16];
    random_bytes(bytes, sizeof bytes);
    to_hex(bytes, sizeof bytes, out);
}

void random_event_id(int64_t now_ms, char out[RANDOM_HEX_BYTES])
{
    unsigned char bytes[16];
    random_bytes(bytes + 6, sizeof bytes - 6);
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)((uint64_t)now_ms >> (40 - 8 * i));
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0F));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
    to_hex(bytes, sizeof bytes, out);
}

bool secret_equal(const char *a, const char *b)
{
    size_t la = strlen(a);
    size_t lb = strlen(b);
    unsigned diff = la != lb;
    for (size_t i = 0; i < la; i++)
        diff |= (unsigned)((unsigned char)a[i] ^ (unsigned char)(lb ? b[i % lb] : 0));
    return diff == 0;
}

bool hex32_parse(const char *text, size_t len, char out[RANDOM_HEX_BYTES])
{
    size_t n = 0;
    bool dashed = len == 36;
    if (len != 32 && !dashed)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (dashed && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        if (!isxdigit((unsigned char)text[i]))
            return false;
        out[n++] = (char)tolower((unsigned char)text[i]);
    }
    out[n] = '\0';
    return n == 32;
}
