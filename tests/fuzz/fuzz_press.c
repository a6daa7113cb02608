/* fuzz_press.c -- callback_data: whatever it holds, what is read of it is a number of a group or none. */
#include "bot/press.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The oracle: read by hand, from the end. */
static int64_t slow_number(const char *from, const char *to)
{
    uint64_t n = 0;
    if (from == to)
        return -1;
    for (const char *p = from; p < to; p++) {
        if (*p < '0' || *p > '9' || n > (uint64_t)INT64_MAX / 10)
            return -1;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    return n > (uint64_t)INT64_MAX ? -1 : (int64_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    struct press p = press_parse(text);
    size_t len = strlen(text);
    const char *colon = strchr(text, ':');
    const char *second = colon ? strchr(colon + 1, ':') : NULL;
    int64_t group = colon ? slow_number(colon + 1, second ? second : text + len) : -1;
    if (p.name != text || p.name_len != (colon ? (size_t)(colon - text) : len))
        abort();
    if (p.arg < text || p.arg > text + len)
        abort();
    if (p.group_id != (group > 0 ? group : 0))
        abort();
    if (group > 0 && second && p.person_id != slow_number(second + 1, text + len))
        abort();
    if (press_is(&p, "take") != (p.name_len == 4 && memcmp(text, "take", 4) == 0))
        abort();
    free(text);
    return 0;
}
