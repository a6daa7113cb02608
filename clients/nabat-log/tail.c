/* tail.c -- the end of what a command said. */
#include "tail.h"

#include <string.h>

void tail_add(struct tail *tail, const char *bytes, size_t len)
{
    if (len > TAIL_BYTES) {
        tail->total += len - TAIL_BYTES;
        bytes += len - TAIL_BYTES;
        len = TAIL_BYTES;
    }
    size_t at = tail->total % TAIL_BYTES;
    size_t first = len < TAIL_BYTES - at ? len : TAIL_BYTES - at;
    memcpy(tail->bytes + at, bytes, first);
    memcpy(tail->bytes, bytes + first, len - first);
    tail->total += len;
}

size_t tail_copy(const struct tail *tail, char *text)
{
    static const char CUT[] = "[...]\n";
    size_t len = tail->total < TAIL_BYTES ? tail->total : TAIL_BYTES;
    size_t at = tail->total < TAIL_BYTES ? 0 : tail->total % TAIL_BYTES;
    memcpy(text, tail->bytes + at, len - at);
    memcpy(text + (len - at), tail->bytes, at);
    text[len] = 0;
    for (size_t i = 0; i < len; i++)
        if (!text[i])
            text[i] = ' ';
    const char *line = tail->total > TAIL_BYTES ? strchr(text, '\n') : NULL;
    if (line && (size_t)(line - text) < len / 2) {
        size_t rest = len - (size_t)(line + 1 - text);
        memmove(text + sizeof CUT - 1, line + 1, rest + 1);
        memcpy(text, CUT, sizeof CUT - 1);
        len = rest + sizeof CUT - 1;
    }
    return len;
}
