/* spool_tool.c -- nabat --spool: what waits on disk, for a person; needs no database and no lock.
 *
 * What is dumped is what POST /api/events takes, so that it can be sent by hand if all else fails. */
#include "bot/tools.h"

#include "core/clock.h"
#include "core/limits.h"
#include "spool/disk.h"
#include "spool/record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_ARENA_BYTES_MAX = 64 * MIB };

struct tally {
    size_t events;
    size_t rangs;
    size_t damaged; /* bytes */
    size_t torn;
    int64_t first_ms;
    int64_t last_ms;
};

static void add(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_stringn(text, strlen(text)));
}

/* JSON text as it is; what is none, as a string. */
static void add_json(json_t *object, const char *name, const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    if (value)
        json_object_set_new(object, name, value);
    else
        add(object, name, text);
}

static void add_time(json_t *object, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format_utc(ms, text);
    add(object, name, text);
}

static void dump_event(const struct event *e)
{
    json_t *o = json_object();
    add(o, "event_id", e->event_id);
    json_object_set_new(o, "project_id", json_integer(e->project_id));
    add_time(o, "occurred_at", e->occurred_ms);
    add_time(o, "received_at", e->received_ms);
    add(o, "severity", severity_name(e->severity));
    add(o, "origin", e->origin);
    add(o, "title", e->title);
    add(o, "handler", e->handler);
    add(o, "message", e->message);
    if (e->exception_type || e->stacktrace) {
        json_t *exception = json_object();
        add(exception, "type", e->exception_type);
        add(exception, "value", e->message);
        add(exception, "stacktrace", e->stacktrace);
        json_object_set_new(o, "exception", exception);
    }
    if (e->has_chat_id)
        json_object_set_new(o, "chat_id", json_integer(e->chat_id));
    add(o, "user_id", e->user_id);
    add(o, "gen_request_id", e->gen_request_id);
    add(o, "request_id", e->request_id);
    add(o, "session_id", e->session_id);
    add(o, "trace_id", e->trace_id);
    add(o, "environment", e->environment);
    add(o, "release", e->release);
    add(o, "server_name", e->server_name);
    add_json(o, "payload", e->payload);
    add_json(o, "tags", e->tags);
    add_json(o, "breadcrumbs", e->breadcrumbs);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

static void take_event(const struct record *record, bool dump, struct tally *t)
{
    struct arena *arena = arena_new(EVENT_ARENA_BYTES_MAX);
    struct event e;
    if (record_read_event(record, arena, &e)) {
        t->first_ms = t->events++ ? t->first_ms : e.received_ms;
        t->last_ms = e.received_ms;
        if (dump)
            dump_event(&e);
    } else {
        t->damaged += record->len;
    }
    arena_free(arena);
}

static void read_records(const struct buf *file, uint32_t salt, bool dump, struct tally *t)
{
    size_t at = RECORD_FILE_HEAD_BYTES;
    for (;;) {
        struct record record;
        size_t skipped = 0;
        enum record_find found = record_next(file->data, file->len, salt, &at, &record, &skipped);
        if (found == RECORD_END)
            return;
        t->damaged += found == RECORD_DAMAGED ? skipped : 0;
        t->torn += found == RECORD_TORN ? skipped : 0;
        if (found == RECORD_FOUND && record.type == RECORD_EVENT)
            take_event(&record, dump, t);
        t->rangs += found == RECORD_FOUND && record.type == RECORD_RANG;
    }
}

static void print_tally(const char *name, size_t bytes, const struct tally *t)
{
    char first[CLOCK_TEXT_BYTES];
    char last[CLOCK_TEXT_BYTES];
    printf("%-22s %9zu KiB", name, (bytes + KIB - 1) / KIB);
    if (t->events) {
        clock_format_utc(t->first_ms, first);
        clock_format_utc(t->last_ms, last);
        printf("  %zu events, %s to %s", t->events, first, last);
    }
    if (t->rangs)
        printf("  %zu alerts rung without the database", t->rangs);
    if (t->damaged)
        printf("  DAMAGED: %zu bytes", t->damaged);
    if (t->torn)
        printf("  %zu bytes torn at the end", t->torn);
    putchar('\n');
}

/* False: it could not be read, or is damaged. */
static bool show(struct disk *disk, const char *name, bool dump, struct tally *sum)
{
    struct tally t = {0};
    struct err err = {0};
    struct buf file;
    uint32_t version = 0;
    uint32_t salt = 0;
    buf_init(&file, SPOOL_READ_BYTES_MAX);
    bool found = disk_read(disk, name, &file, &err);
    bool is_ours = found && record_file_is_ours(buf_text(&file), file.len, &version, &salt);
    if (!found && err.kind != ERR_NONE)
        fprintf(stderr, "nabat: spool: %s\n", err.text);
    else if (found && !is_ours && file.len >= RECORD_FILE_HEAD_BYTES)
        fprintf(stderr, "nabat: spool: %s is of format %u; this release reads %d\n", name, version,
                RECORD_FORMAT_VERSION);
    if (is_ours)
        read_records(&file, salt, dump, &t);
    if (found && !dump)
        print_tally(name, file.len, &t);
    sum->events += t.events;
    buf_fini(&file);
    return err.kind == ERR_NONE && !t.damaged && (!found || is_ours || !file.len);
}

static bool show_all(struct disk *disk, bool dump, struct tally *sum)
{
    bool ok = true;
    for (size_t i = 0; i < disk->count; i++) {
        char name[DISK_NAME_BYTES];
        disk_name(disk->numbers[i], name, sizeof name);
        ok = show(disk, name, dump, sum) && ok;
    }
    return ok;
}

int tool_spool(const struct settings *settings, char *const *words, size_t count)
{
    const char *what = count ? words[0] : "list";
    bool refused = strcmp(what, "refused") == 0;
    bool dump = refused || strcmp(what, "dump") == 0;
    struct tally sum = {0};
    struct err err = {0};
    struct disk disk;
    if (count > 1 || (!dump && strcmp(what, "list") != 0)) {
        fprintf(stderr, "nabat: --spool takes list, dump or refused, not \"%.60s\"\n", what);
        return 2;
    }
    disk_init(&disk, settings->spool_dir);
    bool ok = disk_open_to_read(&disk, &err);
    if (!ok) {
        fprintf(stderr, "nabat: spool: %s\n", err.text);
    } else if (refused) {
        ok = show(&disk, "refused", true, &sum);
    } else {
        ok = show_all(&disk, dump, &sum);
        if (!dump) {
            ok = show(&disk, "rang", false, &sum) && ok;
            ok = show(&disk, "refused", false, &sum) && ok;
            printf("%zu events wait in %s (%lld KiB of %lld), %lld damaged files kept\n",
                   sum.events, settings->spool_dir, (long long)(disk.bytes / KIB),
                   (long long)(settings->spool_bytes_max / KIB), (long long)disk.damaged);
        }
    }
    disk_fini(&disk);
    return ok ? 0 : 1;
}
