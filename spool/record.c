/* record.c -- frames with checksums, and fields within them.
 *
 *     mark "NBR1" | length | type | CRC-32 of length, type and body | body
 *
 * The body is a list of fields (number, length, bytes), so that an older reader skips what it does not
 * know and a newer one finds nothing where nothing was written. All numbers are little-endian. */
#include "spool/record.h"

#include "core/limits.h"

#include <string.h>
#include <zlib.h>

static const char FILE_MARK[8] = "NABATSPL";
static const char RECORD_MARK[4] = "NBR1";

enum field {
    FIELD_END,
    FIELD_EVENT_ID,
    FIELD_FINGERPRINT,
    FIELD_ID,
    FIELD_OCCURRED,
    FIELD_RECEIVED,
    FIELD_PROJECT,
    FIELD_SEVERITY,
    FIELD_STATUS,
    FIELD_IMPORT,
    FIELD_CHAT_ID,
    FIELD_TEXTS, /* and those after it: see text_at */
    FIELD_DETAIL = 40,
    FIELD_FILE_NAME, /* begins an attachment */
    FIELD_FILE_TYPE,
    FIELD_FILE_BYTES,
    FIELD_FILE_DATA,
    FIELD_THREAD = 60, /* of a rang */
    FIELD_MESSAGE,
    FIELD_AT,
    FIELD_CARD
};

static void put_u32(char *out, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)(unsigned char)(n >> (8 * i));
}

static uint32_t take_u32(const char *at)
{
    uint32_t n = 0;
    for (int i = 0; i < 4; i++)
        n |= (uint32_t)(unsigned char)at[i] << (8 * i);
    return n;
}

void record_file_head(uint32_t salt, char out[RECORD_FILE_HEAD_BYTES])
{
    memset(out, 0, RECORD_FILE_HEAD_BYTES);
    memcpy(out, FILE_MARK, sizeof FILE_MARK);
    put_u32(out + 8, RECORD_FORMAT_VERSION);
    put_u32(out + 12, salt);
}

bool record_file_is_ours(const char *data, size_t len, uint32_t *version, uint32_t *salt)
{
    *version = 0;
    *salt = len < RECORD_FILE_HEAD_BYTES ? 0 : take_u32(data + 12);
    if (len < RECORD_FILE_HEAD_BYTES || memcmp(data, FILE_MARK, sizeof FILE_MARK) != 0)
        return false;
    *version = take_u32(data + 8);
    return *version == RECORD_FORMAT_VERSION;
}

/* ---------------------------------------------------------------------------------------- writing */

/* Texts by their number from FIELD_TEXTS on: the order is the format and only grows at its end. */
enum { TEXTS = 20 };
static const char **text_at(struct event *e, size_t i)
{
    const char **const at[TEXTS] = {
        &e->origin,         &e->title,      &e->culprit,     &e->handler,        &e->message,
        &e->exception_type, &e->stacktrace, &e->user_id,     &e->gen_request_id, &e->request_id,
        &e->session_id,     &e->trace_id,   &e->environment, &e->release,        &e->server_name,
        &e->payload,        &e->tags,       &e->breadcrumbs, &e->source,         &e->original};
    return at[i];
}

static void add_field(struct buf *out, int field, const void *data, size_t len)
{
    char head[5];
    head[0] = (char)field;
    put_u32(head + 1, (uint32_t)len);
    buf_add(out, head, sizeof head);
    buf_add(out, data, len);
}

static void add_text(struct buf *out, int field, const char *text)
{
    if (text)
        add_field(out, field, text, strlen(text));
}

static void add_number(struct buf *out, int field, int64_t n)
{
    char bytes[8];
    put_u32(bytes, (uint32_t)n);
    put_u32(bytes + 4, (uint32_t)((uint64_t)n >> 32));
    add_field(out, field, bytes, sizeof bytes);
}

/* Room for the head; its values follow when the body is there. */
static size_t begin(struct buf *out)
{
    static const char NOTHING[RECORD_HEAD_BYTES] = {0};
    size_t at = out->len;
    out->full = false;
    buf_add(out, NOTHING, sizeof NOTHING);
    return at;
}

static uint32_t checksum(uint32_t salt, const char *length_and_type, const char *body, size_t len)
{
    uLong crc = crc32(salt, (const Bytef *)length_and_type, 8);
    return (uint32_t)crc32_z(crc, (const Bytef *)body, len);
}

static bool end(struct buf *out, uint32_t salt, size_t at, enum record_type type)
{
    if (out->full) {
        out->len = at;
        return false;
    }
    char *head = out->data + at;
    size_t len = out->len - at - RECORD_HEAD_BYTES;
    memcpy(head, RECORD_MARK, sizeof RECORD_MARK);
    put_u32(head + 4, (uint32_t)len);
    put_u32(head + 8, (uint32_t)type);
    put_u32(head + 12, checksum(salt, head + 4, head + RECORD_HEAD_BYTES, len));
    return true;
}

static void add_files(struct buf *out, const struct attachment *list)
{
    for (const struct attachment *a = list; a; a = a->next) {
        add_text(out, FIELD_FILE_NAME, a->name ? a->name : "");
        add_text(out, FIELD_FILE_TYPE, a->content_type);
        add_number(out, FIELD_FILE_BYTES, (int64_t)a->bytes);
        if (a->data)
            add_field(out, FIELD_FILE_DATA, a->data, a->len);
    }
}

bool record_add_event(struct buf *out, uint32_t salt, const struct event *event)
{
    struct event e = *event;
    size_t at = begin(out);
    add_text(out, FIELD_EVENT_ID, e.event_id);
    add_text(out, FIELD_FINGERPRINT, e.fingerprint);
    if (e.id)
        add_number(out, FIELD_ID, e.id);
    add_number(out, FIELD_OCCURRED, e.occurred_ms);
    add_number(out, FIELD_RECEIVED, e.received_ms);
    add_number(out, FIELD_PROJECT, e.project_id);
    add_number(out, FIELD_SEVERITY, e.severity);
    add_number(out, FIELD_STATUS, e.status);
    if (e.is_import)
        add_number(out, FIELD_IMPORT, 1);
    if (e.has_chat_id)
        add_number(out, FIELD_CHAT_ID, e.chat_id);
    for (size_t i = 0; i < TEXTS; i++)
        add_text(out, FIELD_TEXTS + (int)i, *text_at(&e, i));
    if (e.detail_len)
        add_field(out, FIELD_DETAIL, e.detail, e.detail_len);
    add_files(out, e.attachments);
    return end(out, salt, at, RECORD_EVENT);
}

bool record_add_rang(struct buf *out, uint32_t salt, const struct rang *r)
{
    size_t at = begin(out);
    add_number(out, FIELD_PROJECT, r->project_id);
    add_text(out, FIELD_FINGERPRINT, r->fingerprint);
    add_number(out, FIELD_CHAT_ID, r->chat_id);
    add_number(out, FIELD_THREAD, r->thread_id);
    add_number(out, FIELD_MESSAGE, r->message_id);
    add_number(out, FIELD_AT, r->at_ms);
    add_number(out, FIELD_CARD, r->is_card);
    return end(out, salt, at, RECORD_RANG);
}

/* ---------------------------------------------------------------------------------------- finding */

static bool is_whole(const char *data, size_t len, uint32_t salt, size_t at, struct record *out)
{
    const char *head = data + at;
    if (len - at < RECORD_HEAD_BYTES || memcmp(head, RECORD_MARK, sizeof RECORD_MARK) != 0)
        return false;
    size_t body = take_u32(head + 4);
    if (body > len - at - RECORD_HEAD_BYTES ||
        take_u32(head + 12) != checksum(salt, head + 4, head + RECORD_HEAD_BYTES, body))
        return false;
    *out = (struct record){(enum record_type)take_u32(head + 8), head + RECORD_HEAD_BYTES, body};
    return true;
}

/* Its mark is right, or as much of it as there is, and it wants more bytes than there are. */
static bool is_cut_off(const char *data, size_t len, size_t at)
{
    size_t left = len - at;
    size_t mark = left < sizeof RECORD_MARK ? left : sizeof RECORD_MARK;
    if (memcmp(data + at, RECORD_MARK, mark) != 0)
        return false;
    return left < RECORD_HEAD_BYTES || take_u32(data + at + 4) > left - RECORD_HEAD_BYTES;
}

/* A crash of the machine may leave a file longer than what was written, filled with zeros. */
static bool is_zeros(const char *data, size_t len)
{
    return len > 0 && data[0] == '\0' && memcmp(data, data + 1, len - 1) == 0;
}

/* The next whole record behind damage; `len`: there is none. Bytes may be made so that every one of them seems to
 * begin a record: what is summed up in the search has a bound, beyond which the rest counts as damaged. */
static size_t search(const char *data, size_t len, uint32_t salt, size_t from)
{
    size_t summed = 0;
    for (size_t next = from; next < len && summed <= SPOOL_SEARCH_BYTES_MAX; next++) {
        struct record ignored;
        const char *mark = memmem(data + next, len - next, RECORD_MARK, sizeof RECORD_MARK);
        if (!mark)
            break;
        next = (size_t)(mark - data);
        if (is_whole(data, len, salt, next, &ignored))
            return next;
        size_t body = len - next >= RECORD_HEAD_BYTES ? take_u32(mark + 4) : 0;
        summed += body < len - next ? body : 0;
    }
    return len;
}

enum record_find record_next(const char *data, size_t len, uint32_t salt, size_t *at,
                             struct record *out, size_t *skipped)
{
    size_t from = *at;
    *skipped = 0;
    if (from == len)
        return RECORD_END;
    if (is_whole(data, len, salt, from, out)) {
        *at = (size_t)(out->body - data) + out->len;
        return RECORD_FOUND;
    }
    *at = search(data, len, salt, from + 1); /* the next call finds it */
    *skipped = *at - from;
    bool to_the_end = *at == len;
    return to_the_end && (is_cut_off(data, len, from) || is_zeros(data + from, len - from))
               ? RECORD_TORN
               : RECORD_DAMAGED;
}

/* ---------------------------------------------------------------------------------------- reading */

struct field_view {
    int field;
    const char *at;
    size_t len;
};

/* False: the body ends here (*at == len) or is broken. */
static bool next_field(const struct record *r, size_t *at, struct field_view *out)
{
    if (r->len - *at < 5)
        return false;
    size_t len = take_u32(r->body + *at + 1);
    if (len > r->len - *at - 5)
        return false;
    *out = (struct field_view){(unsigned char)r->body[*at], r->body + *at + 5, len};
    *at += 5 + len;
    return true;
}

static int64_t number_of(const struct field_view *f)
{
    if (f->len != 8)
        return 0;
    return (int64_t)(take_u32(f->at) | (uint64_t)take_u32(f->at + 4) << 32);
}

static void copy_hex(const struct field_view *f, char *out, size_t size)
{
    size_t len = f->len < size ? f->len : size - 1;
    memcpy(out, f->at, len);
    out[len] = '\0';
}

static bool add_file(const struct field_view *f, struct arena *arena, struct attachment ***end_of)
{
    struct attachment *a = arena_alloc(arena, sizeof *a);
    if (!a)
        return false;
    *a = (struct attachment){.name = arena_str_dup_n(arena, f->at, f->len)};
    **end_of = a;
    *end_of = &a->next;
    return a->name != NULL;
}

/* A field of the attachment that was begun last. */
static bool read_file(const struct field_view *f, struct arena *arena, struct attachment *a)
{
    if (!a)
        return false;
    if (f->field == FIELD_FILE_TYPE)
        return (a->content_type = arena_str_dup_n(arena, f->at, f->len)) != NULL;
    if (f->field == FIELD_FILE_BYTES) {
        a->bytes = (size_t)number_of(f);
        return true;
    }
    a->data = arena_str_dup_n(arena, f->at, f->len);
    a->len = f->len;
    return a->data != NULL;
}

static bool read_text(const struct field_view *f, struct arena *arena, struct event *e)
{
    return (*text_at(e, (size_t)(f->field - FIELD_TEXTS)) =
                arena_str_dup_n(arena, f->at, f->len)) != NULL;
}

static void read_number(const struct field_view *f, struct event *e)
{
    int64_t n = number_of(f);
    switch (f->field) {
    case FIELD_ID:
        e->id = n;
        break;
    case FIELD_OCCURRED:
        e->occurred_ms = n;
        break;
    case FIELD_RECEIVED:
        e->received_ms = n;
        break;
    case FIELD_PROJECT:
        e->project_id = (int32_t)n;
        break;
    case FIELD_SEVERITY:
        e->severity = n >= 0 && n < SEVERITIES ? (enum severity)n : SEV_ERROR;
        break;
    case FIELD_STATUS:
        e->status = n >= 0 && n < STATUSES ? (enum group_status)n : STATUS_NEW;
        break;
    case FIELD_IMPORT:
        e->is_import = n != 0;
        break;
    case FIELD_CHAT_ID:
        e->has_chat_id = true;
        e->chat_id = n;
        break;
    default: /* of a later version: skipped */
        break;
    }
}

static bool is_hex32(const char *text)
{
    return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

bool record_read_event(const struct record *r, struct arena *arena, struct event *out)
{
    struct event e = {0};
    struct attachment *files = NULL;
    struct attachment *last = NULL;
    struct attachment **end_of = &files;
    struct field_view f;
    size_t at = 0;
    bool ok = r->type == RECORD_EVENT;
    while (ok && next_field(r, &at, &f)) {
        if (f.field == FIELD_EVENT_ID)
            copy_hex(&f, e.event_id, sizeof e.event_id);
        else if (f.field == FIELD_FINGERPRINT)
            copy_hex(&f, e.fingerprint, sizeof e.fingerprint);
        else if (f.field >= FIELD_TEXTS && f.field < FIELD_TEXTS + TEXTS)
            ok = read_text(&f, arena, &e);
        else if (f.field == FIELD_DETAIL)
            ok = (e.detail = arena_str_dup_n(arena, f.at, e.detail_len = f.len)) != NULL;
        else if (f.field == FIELD_FILE_NAME) {
            last = NULL;
            ok = add_file(&f, arena, &end_of);
            for (last = files; ok && last->next; last = last->next) {
            }
        } else if (f.field >= FIELD_FILE_TYPE && f.field <= FIELD_FILE_DATA)
            ok = read_file(&f, arena, last);
        else
            read_number(&f, &e);
    }
    e.attachments = files;
    e.bytes = event_weight(&e);
    *out = e;
    return ok && at == r->len && is_hex32(e.event_id) && is_hex32(e.fingerprint) && e.origin &&
           e.title && e.received_ms > 0 && e.project_id > 0;
}

bool record_read_rang(const struct record *r, struct rang *out)
{
    struct field_view f;
    size_t at = 0;
    *out = (struct rang){0};
    while (r->type == RECORD_RANG && next_field(r, &at, &f)) {
        int64_t n = number_of(&f);
        if (f.field == FIELD_FINGERPRINT)
            copy_hex(&f, out->fingerprint, sizeof out->fingerprint);
        else if (f.field == FIELD_PROJECT)
            out->project_id = (int32_t)n;
        else if (f.field == FIELD_CHAT_ID)
            out->chat_id = n;
        else if (f.field == FIELD_THREAD)
            out->thread_id = n;
        else if (f.field == FIELD_MESSAGE)
            out->message_id = n;
        else if (f.field == FIELD_AT)
            out->at_ms = n;
        else if (f.field == FIELD_CARD)
            out->is_card = n != 0;
    }
    return at == r->len && is_hex32(out->fingerprint) && out->project_id > 0;
}
