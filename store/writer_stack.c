/* writer_stack.c -- the stack of an event: stored once a day, found again by a hash.
 *
 *     met as it is --> stored as it is          met, but it says something else --> the piece is taken out
 *
 * The hard thing: a text that comes again and again as it is must not cost each event the piece that it says; only
 * when the same stack says something else does taking it out pay. So the first one is stored whole, and remembered by
 * what it shares with others, too. */
#include "store/writer_stack.h"

#include "core/mem.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char STACKS_SQL[] =
    "INSERT INTO error_stack (received_day, hash, body, source) "
    "SELECT (unnest($1::timestamptz[]) AT TIME ZONE 'UTC')::date, unnest($2::uuid[]), "
    "unnest($3::text[]), unnest($4::text[]) ON CONFLICT (received_day, hash) DO NOTHING";

bool event_has_stack(const struct event *e)
{
    return e->stacktrace || e->source;
}

static const char *text_of(const struct event *e)
{
    return e->stacktrace ? e->stacktrace : "";
}

static EVP_MD *sha256(void)
{
    static EVP_MD *kept; /* looked up once: that costs as much as the hashing */
    if (!kept)
        kept = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!kept)
        mem_exhausted();
    return kept;
}

/* As older rows have it, the first half of a SHA-256: of the text as it is stored and, behind a NUL, of the source's own
 * hash (`source`, NULL: none), which is made once for both forms of a text. */
static void hash_stack(struct event_stack *stack, const unsigned char *source)
{
    static EVP_MD_CTX *context;
    static const char MARK = STACK_TEXT_MARK;
    unsigned char digest[EVP_MAX_MD_SIZE];
    const char *text = text_of(stack->event);
    size_t head = stack->text.said ? (size_t)(stack->text.said - text) : strlen(text);
    if (!context)
        context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestInit_ex2(context, sha256(), NULL) &&
              EVP_DigestUpdate(context, text, head);
    if (stack->text.said) {
        const char *tail = stack->text.said + stack->text.said_len;
        ok = ok && EVP_DigestUpdate(context, &MARK, 1) &&
             EVP_DigestUpdate(context, tail, strlen(tail));
    }
    if (source)
        ok = ok && EVP_DigestUpdate(context, "", 1) &&
             EVP_DigestUpdate(context, source, STACK_HASH_BYTES);
    if (!ok || !EVP_DigestFinal_ex(context, digest, NULL))
        mem_exhausted();
    memcpy(stack->hash, digest, STACK_HASH_BYTES);
}

static const unsigned char *hash_source(const char *text, unsigned char out[EVP_MAX_MD_SIZE])
{
    if (!text)
        return NULL;
    if (!EVP_Digest(text, strlen(text), out, NULL, sha256(), NULL))
        mem_exhausted();
    return out;
}

static int32_t day_of(const struct event *e)
{
    return (int32_t)(e->received_ms / DAY_MS);
}

/* Whether this stack was met before today, whatever was said: remembered under a hash that no row has. */
static bool was_met(struct writer_cache *cache, const struct event_stack *shared)
{
    unsigned char key[STACK_HASH_BYTES];
    memcpy(key, shared->hash, sizeof key);
    key[0] ^= 0xff;
    if (writer_cache_has_stack(cache, day_of(shared->event), key))
        return true;
    writer_cache_put_stack(cache, day_of(shared->event), key);
    return false;
}

struct event_stack event_stack_of(struct writer_cache *cache, const struct event *e)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    const unsigned char *source = hash_source(e->source, digest);
    struct event_stack whole = {.event = e};
    hash_stack(&whole, source);
    if (writer_cache_has_stack(cache, day_of(e), whole.hash))
        return whole;
    struct event_stack shared = {
        .event = e, .text = stack_text_split(text_of(e), e->exception_type, e->message)};
    if (!shared.text.said)
        return whole;
    hash_stack(&shared, source);
    if (writer_cache_has_stack(cache, day_of(e), shared.hash) || was_met(cache, &shared))
        return shared;
    return whole;
}

/* The text with the mark in place of what one event said. */
static void add_shared_text(struct pg_array *array, const struct event_stack *stack)
{
    const char *text = text_of(stack->event);
    if (!stack->text.said) {
        pg_array_text(array, text);
        return;
    }
    const char *tail = stack->text.said + stack->text.said_len;
    size_t head_len = (size_t)(stack->text.said - text);
    size_t tail_len = strlen(tail);
    char *shared = mem_alloc(head_len + tail_len + 2);
    memcpy(shared, text, head_len);
    shared[head_len] = STACK_TEXT_MARK;
    memcpy(shared + head_len + 1, tail, tail_len + 1);
    pg_array_text(array, shared);
    free(shared);
}

static int compare_stacks(const void *a, const void *b)
{
    const struct event_stack *x = a;
    const struct event_stack *y = b;
    int64_t day_x = x->event->received_ms / DAY_MS;
    int64_t day_y = y->event->received_ms / DAY_MS;
    if (day_x != day_y)
        return day_x < day_y ? -1 : 1;
    return memcmp(x->hash, y->hash, STACK_HASH_BYTES);
}

void event_stacks_store(struct event_stack *stacks, size_t count, struct pg_batch *pg)
{
    static const enum pg_array_type TYPES[] = {PG_TIME_ARRAY, PG_UUID_ARRAY, PG_TEXT_ARRAY,
                                               PG_TEXT_ARRAY};
    struct columns c;
    qsort(stacks, count, sizeof *stacks, compare_stacks);
    columns_init(&c, TYPES, sizeof TYPES / sizeof *TYPES);
    for (size_t i = 0; i < count; i++) {
        pg_array_time(&c.array[0], stacks[i].event->received_ms);
        pg_array_uuid(&c.array[1], stacks[i].hash);
        add_shared_text(&c.array[2], &stacks[i]);
        pg_array_text(&c.array[3], stacks[i].event->source);
    }
    columns_add(pg, &c, STACKS_SQL);
}

bool event_stack_is_new(struct writer_cache *cache, const struct event_stack *stack)
{
    int32_t day = day_of(stack->event);
    if (writer_cache_has_stack(cache, day, stack->hash))
        return false;
    writer_cache_put_stack(cache, day, stack->hash);
    return true;
}

void event_stack_add_said(const struct event_stack *stack, struct pg_array *array)
{
    if (!stack || !stack->text.said)
        pg_array_null(array);
    else
        pg_array_bytes(array, stack->text.said, stack->text.in_columns ? 0 : stack->text.said_len);
}
