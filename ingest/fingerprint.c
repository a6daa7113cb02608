/* fingerprint.c -- the grouping key: text parts joined by newlines, then SHA-256, 128 bits kept. */
#include "ingest/fingerprint.h"

#include "core/buf.h"
#include "core/limits.h"
#include "ingest/parametrize.h"
#include "ingest/stack.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES_MAX = 256 * KIB };

static void add_line(struct buf *key, const char *text)
{
    if (text)
        buf_add_str(key, text);
    buf_add_char(key, '\n');
}

/* In-app frames, or all of them when the stack has none; recursion counts once. */
static size_t add_frames(struct buf *key, const struct stack *stack)
{
    bool any_in_app = false;
    for (size_t i = 0; i < stack->count; i++)
        any_in_app = any_in_app || stack->frames[i].in_app;
    size_t used = 0;
    const struct stack_frame *last = NULL;
    for (size_t i = 0; i < stack->count && used < STACK_FRAMES_KEYED_MAX; i++) {
        const struct stack_frame *f = &stack->frames[i];
        if (any_in_app && !f->in_app)
            continue;
        if (last && strcmp(last->file, f->file) == 0 && strcmp(last->function, f->function) == 0)
            continue;
        buf_addf(key, "%s:%s\n", f->file, f->function);
        last = f;
        used++;
    }
    return used;
}

static void culprit(const struct stack *stack, char *out, size_t size)
{
    const struct stack_frame *f = NULL;
    for (size_t i = 0; i < stack->count && !f; i++)
        if (stack->frames[i].in_app)
            f = &stack->frames[i];
    if (!f && stack->count)
        f = &stack->frames[0];
    if (f && f->file[0] && f->function[0])
        snprintf(out, size, "%s in %s", f->function, f->file);
    else if (f)
        snprintf(out, size, "%s", f->function[0] ? f->function : f->file);
}

static void default_key(struct buf *key, const struct event *e, const char *value,
                        const struct stack *stack)
{
    const char *type = e->exception_type ? e->exception_type : stack->type;
    size_t mark = key->len;
    buf_add_str(key, "stack\n");
    add_line(key, type);
    if (stack->count && add_frames(key, stack))
        return;
    key->len = mark;
    const char *message = value ? value : e->message;
    buf_add_str(key, "message\n");
    add_line(key, e->origin);
    add_line(key, e->handler);
    add_line(key, e->exception_type);
    if (message)
        parametrize(message, strlen(message), key);
}

static bool is_default_part(const char *part)
{
    return strcmp(part, "{{ default }}") == 0 || strcmp(part, "{{default}}") == 0;
}

static void hash(int32_t project_id, const struct buf *key, char out[FINGERPRINT_BYTES])
{
    static const char DIGITS[] = "0123456789abcdef";
    char project[16];
    snprintf(project, sizeof project, "%d\n", project_id);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL) ||
        !EVP_DigestUpdate(md, project, strlen(project)) ||
        !EVP_DigestUpdate(md, buf_text(key), key->len) ||
        !EVP_DigestFinal_ex(md, digest, &digest_len))
        abort();
    EVP_MD_CTX_free(md);
    for (size_t i = 0; i < (FINGERPRINT_BYTES - 1) / 2; i++) {
        out[2 * i] = DIGITS[digest[i] >> 4];
        out[2 * i + 1] = DIGITS[digest[i] & 15];
    }
    out[FINGERPRINT_BYTES - 1] = '\0';
}

void fingerprint_event(struct event *event, const char *value,
                       const struct fingerprint_parts *given, char *culprit_frame, size_t size)
{
    static struct stack stack; /* too large for the loop's stack; one thread, no recursion */
    struct buf key;
    buf_init(&key, KEY_BYTES_MAX);
    culprit_frame[0] = '\0';
    stack.count = 0;
    stack.type[0] = '\0';
    if (event->stacktrace && stack_parse(event->stacktrace, &stack))
        culprit(&stack, culprit_frame, size);
    bool only_default = given->count == 1 && is_default_part(given->parts[0]);
    if (given->count == 0 || only_default) {
        default_key(&key, event, value, &stack);
    } else {
        buf_add_str(&key, "given\n");
        for (size_t i = 0; i < given->count; i++) {
            if (is_default_part(given->parts[i]))
                default_key(&key, event, value, &stack);
            else
                add_line(&key, given->parts[i]);
        }
    }
    hash(event->project_id, &key, event->fingerprint);
    buf_fini(&key);
}
