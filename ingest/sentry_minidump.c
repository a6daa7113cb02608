/* sentry_minidump.c -- "SIGSEGV at libbot.so+0x1f30" out of a minidump's headers. */
#include "ingest/sentry_minidump.h"

#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STREAMS_MAX = 64, MODULES_MAX = 1024, MODULE_BYTES = 108, NAME_UNITS_MAX = 300 };
enum { STREAM_MODULES = 4, STREAM_EXCEPTION = 6 };

struct dump {
    const unsigned char *bytes;
    size_t len;
};

static uint32_t u32(const struct dump *d, size_t at)
{
    uint32_t v = 0;
    if (at <= d->len && d->len - at >= 4)
        memcpy(&v, d->bytes + at, 4); /* little endian, as every platform that makes them */
    return v;
}

static uint64_t u64(const struct dump *d, size_t at)
{
    return u32(d, at) | (uint64_t)u32(d, at + 4) << 32;
}

/* Where a stream begins; 0: there is none. */
static size_t find_stream(const struct dump *d, uint32_t kind)
{
    if (d->len < 32 || memcmp(d->bytes, "MDMP", 4) != 0)
        return 0;
    uint32_t count = u32(d, 8);
    size_t at = u32(d, 12);
    for (uint32_t i = 0; i < count && i < STREAMS_MAX; i++, at += 12)
        if (u32(d, at) == kind && u32(d, at + 8) < d->len)
            return u32(d, at + 8);
    return 0;
}

/* Base name of a UTF-16 string with its length in bytes before it. */
static void read_name(const struct dump *d, size_t at, char *out, size_t size)
{
    size_t units = u32(d, at) / 2;
    size_t n = 0;
    for (size_t i = 0; i < units && i < NAME_UNITS_MAX && n + 5 < size; i++) {
        uint32_t c = u32(d, at + 4 + 2 * i) & 0xFFFF;
        if (c == '/' || c == '\\') {
            n = 0;
            continue;
        }
        if (c == 0 || (c >= 0xD800 && c <= 0xDFFF))
            c = 0xFFFD;
        n += utf8_encode(c, out + n);
    }
    out[n] = '\0';
}

/* "libbot.so+0x1f30" of an address. */
static void name_place(const struct dump *d, uint64_t address, char *out, size_t size)
{
    size_t at = find_stream(d, STREAM_MODULES);
    uint32_t count = at ? u32(d, at) : 0;
    char name[256];
    snprintf(out, size, "0x%" PRIx64, address);
    for (uint32_t i = 0; i < count && i < MODULES_MAX; i++) {
        size_t module = at + 4 + (size_t)i * MODULE_BYTES;
        uint64_t base = u64(d, module);
        uint64_t bytes = u32(d, module + 8);
        if (address < base || address - base >= bytes)
            continue;
        read_name(d, u32(d, module + 20), name, sizeof name);
        snprintf(out, size, "%s+0x%" PRIx64, name, address - base);
        return;
    }
}

static const char *signal_name(uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *name;
    } NAMES[] = {{4, "SIGILL"},
                 {5, "SIGTRAP"},
                 {6, "SIGABRT"},
                 {7, "SIGBUS"},
                 {8, "SIGFPE"},
                 {11, "SIGSEGV"},
                 {0xC0000005, "EXCEPTION_ACCESS_VIOLATION"},
                 {0xC00000FD, "EXCEPTION_STACK_OVERFLOW"}};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (NAMES[i].code == code)
            return NAMES[i].name;
    return NULL;
}

bool sentry_minidump_event(const char *bytes, size_t len, const char *file_name,
                           const struct sentry_config *config, const char *event_id,
                           struct arena *arena, struct event *event)
{
    struct dump d = {(const unsigned char *)bytes, len};
    size_t at = find_stream(&d, STREAM_EXCEPTION);
    uint32_t code = at ? u32(&d, at + 8) : 0;
    char place[320] = "";
    char type[64] = "Crash";
    char title[TITLE_BYTES_MAX];
    char frame[400];
    if (at) {
        const char *name = signal_name(code);
        name_place(&d, u64(&d, at + 24), place, sizeof place);
        if (name)
            snprintf(type, sizeof type, "%s", name);
        else
            snprintf(type, sizeof type, "0x%08" PRIx32, code);
    }
    snprintf(title, sizeof title, "%s%s%s", type, place[0] ? " at " : " in ",
             place[0] ? place : file_name);
    *event = (struct event){.project_id = config->project_id,
                            .occurred_ms = config->now_ms,
                            .received_ms = config->now_ms,
                            .severity = SEV_CRITICAL,
                            .origin = "native"};
    if (event_id[0])
        memcpy(event->event_id, event_id, RANDOM_HEX_BYTES);
    else
        random_event_id(config->now_ms, event->event_id);
    event->exception_type = arena_str_dup_n(arena, type, strlen(type));
    event->title = sentry_title(title, arena);
    event->message = event->title;
    if (place[0])
        event->culprit = arena_str_dup_n(arena, place, strlen(place));
    const char *parts[] = {"minidump", type, place[0] ? place : file_name};
    struct fingerprint_input in = {.given = {parts, 3}};
    fingerprint_make(event, &in, frame, sizeof frame);
    return event->title && event->exception_type;
}
