/* event_code.c -- see event_code.h. */
#include "core/event_code.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SIGNS[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
enum { SIGN_BITS = 5, CODE_SIGNS = 6, SPARE_BITS = 2 };

void event_code(const char *event_id, char out[EVENT_CODE_BYTES])
{
    char head[9];
    snprintf(head, sizeof head, "%.8s", event_id);
    uint32_t bits = (uint32_t)strtoul(head, NULL, 16) >> SPARE_BITS;
    for (int i = CODE_SIGNS - 1; i >= 0; i--, bits >>= SIGN_BITS)
        out[i] = SIGNS[bits & 31];
    out[CODE_SIGNS] = '\0';
}

static bool value_of(char c, uint32_t *value)
{
    c = (char)toupper((unsigned char)c);
    c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    const char *sign = c ? strchr(SIGNS, c) : NULL;
    *value = sign ? (uint32_t)(sign - SIGNS) : 0;
    return sign != NULL;
}

bool event_code_range(const char *code, char low[RANDOM_HEX_BYTES], char high[RANDOM_HEX_BYTES])
{
    uint32_t bits = 0;
    int signs = 0;
    for (; *code; code++) {
        uint32_t value = 0;
        if (*code == ' ' || *code == '-')
            continue;
        if (++signs > CODE_SIGNS || !value_of(*code, &value))
            return false;
        bits = bits << SIGN_BITS | value;
    }
    uint32_t first = bits << SPARE_BITS;
    snprintf(low, RANDOM_HEX_BYTES, "%08x000000000000000000000000", first);
    snprintf(high, RANDOM_HEX_BYTES, "%08xffffffffffffffffffffffff", first | 3);
    return signs == CODE_SIGNS;
}
