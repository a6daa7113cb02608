/* fuzz_native.c -- native requests: whatever comes in, each event that comes out can be stored. */
#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/native.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    if (text && !utf8_is_clean(text, strlen(text)))
        abort();
}

static void check_json(const char *text)
{
    json_error_t why;
    check_text(text);
    json_t *value = text ? json_loads(text, 0, &why) : NULL;
    if (text && !value && !strstr(why.text, "too big"))
        abort();
    json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct native_batch batch;
    struct err err = {0};
    struct arena *arena = arena_new(64 << 20);
    char *body = malloc(size + 1);
    memcpy(body, data, size);
    body[size] = '\0'; /* as the server has it */
    static struct scrub *scrub;
    scrub = scrub ? scrub : scrub_new(NULL, NULL, &err);
    struct native_config config = {scrub, 1, 1700000000000};
    bool ok = native_read(body, size, &config, arena, &batch, &err);
    if (!ok && (err.kind != ERR_INPUT && err.kind != ERR_LIMIT))
        abort();
    for (size_t i = 0; ok && i < batch.count; i++) {
        const struct event *e = &batch.events[i];
        const char *const texts[] = {e->origin,     e->title,   e->culprit,
                                     e->handler,    e->message, e->exception_type,
                                     e->stacktrace, e->user_id, e->release};
        if (strlen(e->event_id) != 32 || strlen(e->fingerprint) != 32 || !e->title)
            abort();
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            check_text(texts[t]);
        check_json(e->payload);
        check_json(e->tags);
        check_json(e->breadcrumbs);
    }
    struct buf answer;
    buf_init(&answer, 1 << 20);
    if (ok) {
        native_answer(&batch, &answer);
        check_json(buf_text(&answer));
    }
    buf_fini(&answer);
    free(body);
    arena_free(arena);
    return 0;
}
