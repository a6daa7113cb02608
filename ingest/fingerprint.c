/* fingerprint.c -- the grouping key: text parts joined by newlines, then SHA-256, 128 bits kept. */
#include "ingest/fingerprint.h"

#include "core/buf.h"
#include "core/limits.h"
#include "core/mem.h"
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

/* Functions that many unlike errors run in: the top of a script, a nameless closure. */
static bool is_weak(const char *function)
{
    static const char *const NAMES[] = {"",          "<module>",        "<lambda>",  "<anonymous>",
                                        "main",      "<main>",          "main.main", "{main}",
                                        "{closure}", "<top (required)>"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(function, NAMES[i]) == 0)
            return true;
    return false;
}

/* In-app frames, or all of them when the stack has none; recursion counts once. *strong: one of
 * them names a place of its own. */
static size_t add_frames(struct buf *key, const struct stack_frame *frames, size_t count,
                         bool *strong)
{
    bool any_in_app = false;
    for (size_t i = 0; i < count; i++)
        any_in_app = any_in_app || frames[i].in_app;
    size_t used = 0;
    const struct stack_frame *last = NULL;
    for (size_t i = 0; i < count && used < STACK_FRAMES_KEYED_MAX; i++) {
        const struct stack_frame *f = &frames[i];
        if (any_in_app && !f->in_app)
            continue;
        if (last && strcmp(last->file, f->file) == 0 && strcmp(last->function, f->function) == 0)
            continue;
        buf_add_str(key, f->file);
        buf_add_char(key, ':');
        add_line(key, f->function);
        *strong = *strong || !is_weak(f->function);
        last = f;
        used++;
    }
    return used;
}

static void culprit(const struct fingerprint_link *link, char *out, size_t size)
{
    const struct stack_frame *f = NULL;
    for (size_t i = 0; i < link->frames_count && !f; i++)
        if (link->frames[i].in_app)
            f = &link->frames[i];
    if (!f && link->frames_count)
        f = &link->frames[0];
    if (f && f->file[0] && f->function[0])
        snprintf(out, size, "%s in %s", f->function, f->file);
    else if (f)
        snprintf(out, size, "%s", f->function[0] ? f->function : f->file);
}

static void add_message(struct buf *key, const char *text)
{
    if (text)
        parametrize(text, strlen(text), key);
    buf_add_char(key, '\n');
}

/* One exception: its type, and its frames or, when there are none, its value. */
static size_t add_link(struct buf *key, const struct fingerprint_link *link, bool alone,
                       bool *strong)
{
    add_line(key, link->type);
    size_t n = add_frames(key, link->frames, link->frames_count, strong);
    if (n == 0 && !alone)
        add_message(key, link->value);
    return n;
}

/* Members of a group that are alike count once; a group of one kind of member is that member. */
static size_t add_group(struct buf *key, const struct fingerprint_input *in, bool *strong)
{
    struct buf parts[FINGERPRINT_GROUP_MAX];
    size_t count = 0;
    size_t used = 0;
    for (size_t i = 0; i < in->links_count && i < FINGERPRINT_GROUP_MAX; i++) {
        struct buf *part = &parts[count];
        bool known = false;
        buf_init(part, KEY_BYTES_MAX);
        used += add_link(part, &in->links[i], false, strong);
        for (size_t k = 0; k < count; k++)
            known = known || strcmp(buf_text(&parts[k]), buf_text(part)) == 0;
        if (known)
            buf_fini(part);
        else
            count++;
    }
    for (size_t i = count == 2 ? 1 : 0; i < count; i++)
        buf_add_str(key, buf_text(&parts[i]));
    for (size_t i = 0; i < count; i++)
        buf_fini(&parts[i]);
    return used + (count > 1); /* without frames their values tell them apart */
}

static bool add_chain(struct buf *key, const struct fingerprint_input *in)
{
    size_t used = 0;
    bool strong = false;
    if (in->is_group && in->links_count > 1)
        return add_group(key, in, &strong) > 0;
    for (size_t i = 0; i < in->links_count && i < FINGERPRINT_LINKS_MAX; i++)
        used += add_link(key, &in->links[i], in->links_count == 1, &strong);
    if (used && (!strong || in->message_counts))
        add_message(key, in->value);
    return used > 0;
}

static void default_key(struct buf *key, const struct event *e, const struct fingerprint_input *in)
{
    size_t mark = key->len;
    buf_add_str(key, "stack\n");
    if (add_chain(key, in))
        return;
    key->len = mark;
    buf_add_str(key, "message\n");
    add_line(key, e->origin);
    add_line(key, e->handler);
    add_line(key, e->exception_type);
    for (size_t i = 1; i < in->links_count && i < FINGERPRINT_LINKS_MAX; i++) {
        add_line(key, in->links[i].type);
        add_message(key, in->links[i].value);
    }
    if (in->value)
        parametrize(in->value, strlen(in->value), key);
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
    static EVP_MD *sha256; /* looked up and made once: either costs as much as the hashing */
    static EVP_MD_CTX *md;
    if (!sha256)
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!md)
        md = EVP_MD_CTX_new();
    if (!md || !sha256 || !EVP_DigestInit_ex2(md, sha256, NULL) ||
        !EVP_DigestUpdate(md, project, strlen(project)) ||
        !EVP_DigestUpdate(md, buf_text(key), key->len) ||
        !EVP_DigestFinal_ex(md, digest, &digest_len))
        mem_exhausted();
    for (size_t i = 0; i < (FINGERPRINT_BYTES - 1) / 2; i++) {
        out[2 * i] = DIGITS[digest[i] >> 4];
        out[2 * i + 1] = DIGITS[digest[i] & 15];
    }
    out[FINGERPRINT_BYTES - 1] = '\0';
}

void fingerprint_make(struct event *event, const struct fingerprint_input *in, char *culprit_frame,
                      size_t size)
{
    struct buf key;
    const struct fingerprint_parts *given = &in->given;
    buf_init(&key, KEY_BYTES_MAX);
    culprit_frame[0] = '\0';
    if (in->links_count)
        culprit(&in->links[0], culprit_frame, size);
    bool only_default = given->count == 1 && is_default_part(given->parts[0]);
    if (given->count == 0 || only_default) {
        default_key(&key, event, in);
    } else {
        buf_add_str(&key, "given\n");
        for (size_t i = 0; i < given->count; i++) {
            if (is_default_part(given->parts[i]))
                default_key(&key, event, in);
            else
                add_line(&key, given->parts[i]);
        }
    }
    hash(event->project_id, &key, event->fingerprint);
    buf_fini(&key);
}

void fingerprint_event(struct event *event, const char *value,
                       const struct fingerprint_parts *given, char *culprit_frame, size_t size)
{
    static struct stack stack; /* too large for the loop's stack; one thread, no recursion */
    stack.count = 0;
    stack.type[0] = '\0';
    bool read = event->stacktrace && stack_parse(event->stacktrace, &stack);
    struct fingerprint_link link = {.type =
                                        event->exception_type ? event->exception_type : stack.type,
                                    .value = value,
                                    .frames = stack.frames,
                                    .frames_count = stack.count};
    struct fingerprint_input in = {.links = &link,
                                   .links_count = read,
                                   .value = value ? value : event->message,
                                   .given = *given};
    fingerprint_make(event, &in, culprit_frame, size);
}
