/* fuzz_spool.c -- a spool file of any content: what is read of it is an event or is said to be none, every byte
 * is accounted for, and what is read is written back the same. */
#include "core/limits.h"
#include "spool/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct event *e, struct arena *arena)
{
    struct buf out;
    struct record record;
    struct event same;
    size_t at = 0;
    size_t skipped = 0;
    buf_init(&out, 4 * MIB);
    if (!record_add_event(&out, 7, e) ||
        record_next(out.data, out.len, 7, &at, &record, &skipped) != RECORD_FOUND ||
        !record_read_event(&record, arena, &same))
        abort();
    if (strcmp(same.event_id, e->event_id) != 0 || strcmp(same.title, e->title) != 0 ||
        same.received_ms != e->received_ms || same.severity != e->severity)
        abort();
    buf_fini(&out);
}

static void read_file(const char *data, size_t len)
{
    size_t at = 0;
    size_t accounted = 0;
    for (;;) {
        struct record record;
        size_t skipped = 0;
        size_t before = at;
        enum record_find found = record_next(data, len, 0, &at, &record, &skipped);
        if (found == RECORD_END)
            break;
        if (at <= before || at > len)
            abort();
        accounted += at - before;
        if (found != RECORD_FOUND) {
            if (skipped != at - before)
                abort();
            continue;
        }
        struct arena *arena = arena_new(4 * MIB);
        struct event e;
        struct rang rang;
        record_read_rang(&record, &rang);
        if (record_read_event(&record, arena, &e))
            read_again(&e, arena);
        arena_free(arena);
    }
    if (accounted != len)
        abort();
}

/* Checksums are hard to guess: the first byte may ask for one body with its frame made right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2) {
        char *copy = malloc(size);
        memcpy(copy, data + 1, size - 1);
        read_file(copy, size - 1);
        free(copy);
        return 0;
    }
    char *body = malloc(size);
    memcpy(body, data + 1, size - 1);
    struct record record = {data[0] % 4 ? RECORD_RANG : RECORD_EVENT, body, size - 1};
    struct arena *arena = arena_new(4 * MIB);
    struct event e;
    struct rang rang;
    if (record_read_event(&record, arena, &e))
        read_again(&e, arena);
    record_read_rang(&record, &rang);
    arena_free(arena);
    free(body);
    return 0;
}
