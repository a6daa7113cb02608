/* fuzz_upload.c -- multipart forms, minidumps, schedules and bodies in every coding: bytes from outside that
 * are not JSON. The first byte says which. */
#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/body.h"
#include "ingest/multipart.h"
#include "ingest/sentry_minidump.h"
#include "monitors/schedule.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_form(const char *body, size_t len)
{
    static const char TYPE[] = "multipart/form-data; boundary=X";
    struct multipart m;
    struct multipart_part part;
    if (!multipart_open(&m, TYPE, sizeof TYPE - 1, body, len))
        return;
    while (multipart_next(&m, &part))
        if (part.data < body || part.data + part.len > body + len)
            abort();
}

static void read_dump(const char *body, size_t len)
{
    struct event event;
    struct sentry_config config = {.project_id = 1, .now_ms = 1700000000000};
    struct arena *arena = arena_new(1 * MIB);
    if (!sentry_minidump_event(body, len, "f.dmp", &config, "", arena, &event) ||
        !utf8_is_clean(event.title, strlen(event.title)))
        abort();
    arena_free(arena);
}

static void read_schedule(const char *text, bool is_interval)
{
    struct schedule s;
    struct err err = {0};
    const int64_t now = 1700000000000;
    if (!schedule_parse(text, is_interval, &s, &err))
        return;
    int64_t next = schedule_next(&s, "UTC", now);
    if (next != 0 && next <= now - 60000)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *body = malloc(size);
    memcpy(body, data + 1, size - 1);
    body[size - 1] = '\0';
    struct err err = {0};
    struct buf out;
    buf_init(&out, 1 * MIB);
    if (data[0] % 8 == 0)
        read_form(body, size - 1);
    else if (data[0] % 8 == 1)
        read_dump(body, size - 1);
    else if (data[0] % 8 <= 3)
        read_schedule(body, data[0] % 8 == 2);
    else if (!body_inflate((enum body_coding)(BODY_GZIP + data[0] % 4), body, size - 1, &out, NULL,
                           NULL, &err) &&
             err.kind != ERR_INPUT && err.kind != ERR_LIMIT)
        abort();
    buf_fini(&out);
    free(body);
    return 0;
}
