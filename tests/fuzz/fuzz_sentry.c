/* fuzz_sentry.c -- envelopes, store bodies and security reports: whatever comes in, what comes out can be
 * stored, and reading it twice gives the same groups. The first byte says which of them. */
#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/sentry.h"
#include "ingest/sentry_detail.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scrub *scrub;

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

static void check_event(const struct event *e)
{
    const char *const texts[] = {e->origin,      e->title,      e->culprit,       e->handler,
                                 e->message,     e->user_id,    e->stacktrace,    e->exception_type,
                                 e->environment, e->release,    e->trace_id,      e->server_name,
                                 e->session_id,  e->request_id, e->gen_request_id};
    if (strlen(e->event_id) != 32 || strlen(e->fingerprint) != 32 || !e->title || !e->title[0] ||
        !e->origin || !e->origin[0] || e->bytes < sizeof *e)
        abort();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(texts[i]);
    check_json(e->payload);
    check_json(e->tags);
    check_json(e->breadcrumbs);
    struct buf text;
    buf_init(&text, 32 * MIB);
    if ((e->detail || e->source) && !sentry_detail_text(e->detail, e->detail_len, e->source, &text))
        abort();
    buf_fini(&text);
    for (const struct attachment *a = e->attachments; a; a = a->next)
        if (!a->name || a->len > a->bytes)
            abort();
        else
            check_text(a->name);
}

static bool read_one(uint8_t kind, const char *body, size_t len, struct arena *arena,
                     struct sentry_batch *batch, struct err *err)
{
    struct sentry_config config = {scrub, SEV_CRITICAL, 1, 1700000000000, "203.0.113.9", true};
    struct sentry_limits limits = {64 * KIB};
    struct buf out;
    if (kind % 4 < 2)
        return sentry_read_envelope(body, len, &config, &limits, arena, batch, err);
    if (kind % 4 == 2)
        return sentry_read_security(body, len, &config, arena, batch, err);
    buf_init(&out, 1 * MIB);
    bool ok = sentry_store_open(&body, &len, &out, err) &&
              sentry_read_event(body, len, &config, arena, batch, err);
    buf_fini(&out);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sentry_batch batch = {0};
    struct sentry_batch again = {0};
    struct err err = {0};
    if (size == 0)
        return 0;
    scrub = scrub ? scrub : scrub_new(NULL, NULL, &err);
    char *body = malloc(size); /* exactly: the byte behind it is not ours */
    memcpy(body, data + 1, size - 1);
    struct arena *arena = arena_new(64 * MIB);
    if (read_one(data[0], body, size - 1, arena, &batch, &err)) {
        for (size_t i = 0; i < batch.count; i++)
            check_event(&batch.events[i]);
        for (const struct checkin *c = batch.checkins; c; c = c->next)
            check_text(c->slug);
        for (const struct feedback *f = batch.feedback; f; f = f->next)
            check_text(f->message);
        if (!read_one(data[0], body, size - 1, arena, &again, &err) || again.count != batch.count)
            abort();
        for (size_t i = 0; i < batch.count;
             i++) /* words about nothing are each a group of their own */
            if (strcmp(batch.events[i].fingerprint, again.events[i].fingerprint) != 0 &&
                !batch.feedback)
                abort();
    } else if (err.kind != ERR_INPUT && err.kind != ERR_LIMIT) {
        abort();
    }
    arena_free(arena);
    free(body);
    return 0;
}
