/* sentry_upload.c -- parts of a form into files, and a minidump into an event. */
#include "api/sentry_upload.h"

#include "core/buf.h"
#include "core/limits.h"
#include "ingest/multipart.h"
#include "ingest/sentry_minidump.h"
#include "ingest/sentry_value.h"

#include <string.h>

enum { FORM_PARTS_MAX = 200 };

static bool text_is(struct multipart_text t, const char *word)
{
    return t.at && t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

struct form {
    const struct sentry_config *config;
    const struct sentry_limits *limits;
    struct arena *arena;
    struct sentry_notes *notes;
};

static const char *copy_name(const struct form *f, struct multipart_text t, const char *otherwise)
{
    const char *name =
        sentry_name(t.at ? t.at : "", t.len, SCRUB_NAMES, f->config, f->arena, f->notes);
    return name ? name : otherwise;
}

/* Prepended; the caller turns the list round. */
static bool add_file(const struct form *f, const struct multipart_part *p, size_t count,
                     struct attachment **list)
{
    struct attachment *a = arena_alloc(f->arena, sizeof *a);
    if (!a)
        return false;
    *a = (struct attachment){.name = copy_name(f, p->file_name, "attachment"),
                             .content_type = copy_name(f, p->content_type, NULL),
                             .bytes = p->len,
                             .next = *list};
    if (count < ATTACHMENTS_MAX && p->len <= f->limits->attachment_bytes_max) {
        void *copy = arena_alloc(f->arena, p->len ? p->len : 1);
        if (!copy)
            return false;
        memcpy(copy, p->data, p->len);
        a->data = copy;
        a->len = p->len;
    }
    *list = a;
    return true;
}

static struct attachment *turn_round(struct attachment *list)
{
    struct attachment *out = NULL;
    while (list) {
        struct attachment *next = list->next;
        list->next = out;
        out = list;
        list = next;
    }
    return out;
}

/* What the form says beside its files: crashpad sends "sentry" as JSON of an event. */
static bool read_said(struct multipart_text said, const struct sentry_config *config,
                      struct arena *arena, struct sentry_batch *batch)
{
    struct err ignored = {0};
    return said.at && sentry_read_event(said.at, said.len, config, arena, batch, &ignored) &&
           batch->count == 1;
}

/* What a form or a bare body holds. */
struct upload {
    struct attachment *files; /* the last first */
    size_t count;
    struct multipart_text dump;
    const char *dump_name;
    struct multipart_text said; /* JSON beside the files */
};

/* Who and where from what was said; what happened from the dump, unless that was said too. */
static bool make_event(const struct upload *u, const struct sentry_config *config,
                       struct arena *arena, struct sentry_batch *batch, struct err *err)
{
    struct event crash;
    bool told = read_said(u->said, config, arena, batch);
    if (!told) {
        *batch = (struct sentry_batch){0};
        batch->events = arena_alloc(arena, sizeof *batch->events);
        batch->count = 1;
    }
    if (!batch->events || !sentry_minidump_event(u->dump.at, u->dump.len, u->dump_name, config,
                                                 batch->event_id, arena, &crash))
        return err_set(err, ERR_LIMIT, "the request is too large");
    struct event *e = &batch->events[0];
    if (!told) {
        *e = crash;
        memcpy(batch->event_id, e->event_id, sizeof batch->event_id);
    } else if (!e->exception_type) {
        memcpy(e->fingerprint, crash.fingerprint, sizeof e->fingerprint);
        e->title = crash.title;
        e->culprit = crash.culprit;
        e->exception_type = crash.exception_type;
        e->severity = SEV_CRITICAL;
    }
    e->attachments = u->files;
    e->bytes = event_weight(e);
    return true;
}

static bool take_part(struct upload *u, const struct form *f, const struct multipart_part *part)
{
    bool is_dump = text_is(part->name, "upload_file_minidump") ||
                   (part->len >= 4 && memcmp(part->data, "MDMP", 4) == 0);
    if (text_is(part->name, "sentry"))
        u->said = (struct multipart_text){part->data, part->len};
    if (!part->file_name.at || u->count >= ATTACHMENTS_COUNTED_MAX)
        return true;
    if (!add_file(f, part, u->count++, &u->files))
        return false;
    if (is_dump && !u->dump.at) {
        u->dump = (struct multipart_text){part->data, part->len};
        u->dump_name = u->files->name;
    }
    return true;
}

static bool read_form(struct upload *u, const struct form *f, struct multipart *form,
                      struct err *err)
{
    struct multipart_part part;
    for (size_t i = 0; i < FORM_PARTS_MAX && multipart_next(form, &part); i++)
        if (!take_part(u, f, &part))
            return err_set(err, ERR_LIMIT, "the request is too large");
    return true;
}

bool sentry_upload_read(const struct http_request *request, const struct sentry_path *path,
                        const char *body, size_t len, const struct sentry_config *config,
                        const struct sentry_limits *limits, struct arena *arena,
                        struct sentry_batch *batch, struct err *err)
{
    static const char DUMP_NAME[] = "upload_file_minidump";
    struct slice type = http_head_find(request->head, "content-type");
    struct multipart form;
    struct upload u = {.dump_name = DUMP_NAME};
    struct sentry_notes notes = {0};
    struct form f = {config, limits, arena, &notes};
    *batch = (struct sentry_batch){0};
    if (len >= 4 && memcmp(body, "MDMP", 4) == 0) {
        struct multipart_part bare = {.name = {DUMP_NAME, sizeof DUMP_NAME - 1},
                                      .file_name = {DUMP_NAME, sizeof DUMP_NAME - 1},
                                      .data = body,
                                      .len = len};
        if (!take_part(&u, &f, &bare))
            return err_set(err, ERR_LIMIT, "the request is too large");
    } else if (!multipart_open(&form, type.at, type.len, body, len)) {
        return err_set(err, ERR_INPUT, "the body is no multipart/form-data");
    } else if (!read_form(&u, &f, &form, err)) {
        return false;
    }
    u.files = turn_round(u.files);
    if (path->endpoint == SENTRY_ATTACHMENTS) {
        batch->loose = u.files;
        batch->notes.scrubbed += notes.scrubbed;
        if (!hex32_parse(path->event_id.at, path->event_id.len, batch->event_id))
            return err_set(err, ERR_INPUT, "the event id in the path is not 32 hex digits");
        return u.files || err_set(err, ERR_INPUT, "the form holds no file");
    }
    if (!u.dump.at)
        return err_set(err, ERR_INPUT, "the form has no file upload_file_minidump");
    bool ok = make_event(&u, config, arena, batch, err);
    batch->notes.scrubbed += notes.scrubbed;
    return ok;
}
