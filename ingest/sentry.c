/* sentry.c -- items of an envelope by a table, each read in a scratch arena of its own.
 *
 * What a request holds while it waits for the database is what its events keep, not the trees that
 * they were read from. */
#include "ingest/sentry.h"

#include "core/limits.h"
#include "core/utf8.h"
#include "ingest/envelope.h"
#include "ingest/sentry_minidump.h"
#include "ingest/sentry_security.h"
#include "ingest/sentry_value.h"

#include <string.h>

enum {
    SCRATCH_BYTES_MAX = 96 * MIB, /* of one item's tree: an event of 40 MiB of texts fits */
    HEADERS_BYTES_MAX = 16 * MIB,
    EVENTS_MAX = 100,
    CHECKINS_MAX = 10, /* SDKs send one */
    FEEDBACK_MAX = 20,
    SESSIONS_MAX = 100, /* of release, environment and hour */
};

struct taking {
    const struct sentry_config *config;
    const struct sentry_limits *limits;
    struct arena *arena;
    struct arena *scratch; /* of the item at hand */
    struct sentry_batch *batch;
    struct err *err;
    bool read_again;          /* and is not whole */
    struct attachment *files; /* last first, until it is known whose they are */
    size_t files_count;
    struct checkin *last_checkin;
    size_t checkins_count;
    size_t feedback_count;
    size_t sessions_count;
};

/* ----------------------------------------------------------------------------------------- events */

static struct event *next_event(struct taking *t)
{
    struct sentry_batch *b = t->batch;
    if (!b->events)
        b->events = arena_alloc(t->arena, EVENTS_MAX * sizeof *b->events);
    if (!b->events || b->count == EVENTS_MAX) {
        err_set(t->err, ERR_LIMIT, "more than %d events in one envelope", EVENTS_MAX);
        return NULL;
    }
    return &b->events[b->count];
}

/* What was put together from parts: half a code point in it would cost the whole event, since
 * PostgreSQL refuses the row. */
static void make_sure(struct taking *t, const char **text)
{
    size_t len = *text ? strlen(*text) : 0;
    if (!utf8_is_clean(*text ? *text : "", len))
        *text = sentry_text_clean((struct part){*text, len}, len, t->arena);
}

static void keep_event(struct taking *t, struct event *event)
{
    struct sentry_batch *b = t->batch;
    make_sure(t, &event->title);
    make_sure(t, &event->culprit);
    event->bytes = event_weight(event);
    if (b->count++ == 0)
        memcpy(b->event_id, event->event_id, sizeof b->event_id);
}

/* What does not fit even the scratch arena (millions of values) is read again without what makes
 * events large: better an event without its variables than none. */
static struct json_value *read_again(struct taking *t, const char *bytes, size_t len,
                                     const char **at, struct err *err)
{
    static const char *const WITHOUT[] = {
        "vars",  "breadcrumbs", "extra", "contexts",    "request",      "modules", "debug_meta",
        "spans", "threads",     "_meta", "pre_context", "post_context", NULL};
    arena_free(t->scratch);
    t->scratch = arena_new(SCRATCH_BYTES_MAX);
    *err = (struct err){0};
    *at = bytes;
    t->batch->notes.trimmed++;
    t->read_again = true;
    return json_read_without(bytes, at, bytes + len, WITHOUT, t->scratch, err);
}

static struct json_value *read_json(struct taking *t, const char *bytes, size_t len,
                                    struct err *err)
{
    const char *at = bytes;
    struct json_value *v = json_read(bytes, &at, bytes + len, t->scratch, err);
    if (!v && err->kind == ERR_LIMIT)
        v = read_again(t, bytes, len, &at, err);
    if (v && json_skip_blanks(at, bytes + len) != bytes + len) {
        err_set(err, ERR_INPUT, "something follows the JSON at byte %zu", (size_t)(at - bytes));
        return NULL;
    }
    return v;
}

static const char TOO_MANY[] = "variables, breadcrumbs, contexts and the like: too many values";

static bool take_event(struct taking *t, const char *bytes, size_t len)
{
    struct event *event = next_event(t);
    struct err why = {0};
    struct json_value *root = event ? read_json(t, bytes, len, &why) : NULL;
    if (!event)
        return false;
    if (!root)
        return err_set(t->err, why.kind, "event: %s", why.text);
    if (root->kind != JSON_OBJECT_V)
        return err_set(t->err, ERR_INPUT, "event: it is no object");
    struct json_value said = {.kind = JSON_STRING_V,
                              .text = TOO_MANY,
                              .len = sizeof TOO_MANY - 1,
                              .key = "trimmed",
                              .key_len = 7};
    if (t->read_again) {
        *(root->last ? &root->last->next : &root->first) = &said;
        root->last = &said;
    }
    const char *id = t->batch->count == 0 ? t->batch->event_id : "";
    if (!sentry_event_read(root, t->config, id, t->scratch, t->arena, &t->batch->notes, event,
                           t->err))
        return false;
    keep_event(t, event);
    return true;
}

static bool item_event(struct taking *t, const struct envelope_item *item)
{
    return take_event(t, item->payload, item->payload_len);
}

static bool take_reports(struct taking *t, const char *bytes, size_t len, struct err *why)
{
    struct json_value *root = read_json(t, bytes, len, why);
    if (!root)
        return false;
    for (size_t i = 0;; i++) {
        struct event *event = next_event(t);
        struct err err = {0};
        if (!event ||
            !sentry_security_read(root, i, t->config, t->arena, &t->batch->notes, event, &err))
            return event && err.kind == ERR_NONE;
        keep_event(t, event);
    }
}

static bool item_security(struct taking *t, const struct envelope_item *item)
{
    struct err why = {0};
    if (!take_reports(t, item->payload, item->payload_len, &why))
        t->batch->notes.unreadable++;
    return true;
}

/* ---------------------------------------------------------------------------------- small payloads */

/* Scrubbed. NULL: counted as unreadable, never an error: an item beside the event must not cost the
 * event. */
static struct json_value *small_json(struct taking *t, const struct envelope_item *item)
{
    struct err why = {0};
    struct json_value *v = read_json(t, item->payload, item->payload_len, &why);
    t->batch->notes.unreadable += v == NULL;
    if (v)
        t->batch->notes.scrubbed += scrub_tree(t->config->scrub, SCRUB_WORDS, v, t->scratch);
    return v;
}

static bool item_checkin(struct taking *t, const struct envelope_item *item)
{
    const struct json_value *v = small_json(t, item);
    bool taken = v && t->checkins_count < CHECKINS_MAX;
    struct checkin *c = taken ? sentry_checkin_read(v, t->arena) : NULL;
    t->batch->notes.unreadable += v && !c;
    if (c) { /* in their order: an error and then its ok is no error */
        *(t->last_checkin ? &t->last_checkin->next : &t->batch->checkins) = c;
        t->last_checkin = c;
        t->checkins_count++;
    }
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Summed by release, environment and hour; updates of one session stay apart until they are known
 * not to be repeats. */
static void add_sessions(struct taking *t, struct session_count *list)
{
    while (list) {
        struct session_count *s = list;
        list = s->next;
        struct session_count *known = t->batch->sessions;
        while (known && (s->id[0] || known->id[0] || known->hour_ms != s->hour_ms ||
                         !same_text(known->release, s->release) ||
                         !same_text(known->environment, s->environment)))
            known = known->next;
        if (known) {
            known->started += s->started;
            known->errored += s->errored;
            known->crashed += s->crashed;
            known->abnormal += s->abnormal;
        } else if (t->sessions_count < SESSIONS_MAX) {
            s->next = t->batch->sessions;
            t->batch->sessions = s;
            t->sessions_count++;
        } else {
            t->batch->notes.unreadable++;
        }
    }
}

static bool item_session(struct taking *t, const struct envelope_item *item)
{
    const struct json_value *v = small_json(t, item);
    add_sessions(t, v ? sentry_session_read(v, t->config->now_ms, t->arena) : NULL);
    return true;
}

static bool item_sessions(struct taking *t, const struct envelope_item *item)
{
    const struct json_value *v = small_json(t, item);
    add_sessions(t, v ? sentry_sessions_read(v, t->config->now_ms, t->arena) : NULL);
    return true;
}

static bool item_client_report(struct taking *t, const struct envelope_item *item)
{
    sentry_client_report_read(small_json(t, item), &t->batch->discards);
    return true;
}

static bool add_feedback(struct taking *t, struct feedback *f)
{
    if (!f || t->feedback_count == FEEDBACK_MAX) {
        t->batch->notes.unreadable++;
        return false;
    }
    f->next = t->batch->feedback;
    t->batch->feedback = f;
    t->feedback_count++;
    return true;
}

static bool item_user_report(struct taking *t, const struct envelope_item *item)
{
    const struct json_value *v = small_json(t, item);
    struct feedback *f = v ? sentry_user_report_read(v, t->arena) : NULL;
    if (v)
        add_feedback(t, f && f->event_id[0] ? f : NULL);
    return true;
}

/* About an error: kept beside it. About none: an event of its own, in a group of its own. */
static bool item_feedback(struct taking *t, const struct envelope_item *item)
{
    struct json_value *v = small_json(t, item);
    struct feedback *f = v ? sentry_feedback_read(v, t->arena) : NULL;
    if (!v || !add_feedback(t, f))
        return true;
    if (!t->batch->event_id[0])
        memcpy(t->batch->event_id, f->id, sizeof f->id);
    if (f->event_id[0])
        return true;
    struct event *event = next_event(t);
    if (!event || !sentry_event_read(v, t->config, f->id, t->scratch, t->arena, &t->batch->notes,
                                     event, t->err))
        return false;
    sentry_feedback_event(f, event, t->arena);
    memcpy(f->event_id, event->event_id, sizeof f->event_id);
    keep_event(t, event);
    return true;
}

/* -------------------------------------------------------------------------------------- attachments */

const char *sentry_name(const char *text, size_t len, enum scrub_reach reach,
                        const struct sentry_config *config, struct arena *arena,
                        struct sentry_notes *notes)
{
    const char *clean = sentry_text_clean((struct part){text, len}, NAME_BYTES_MAX, arena);
    struct json_value v = {.kind = JSON_STRING_V, .text = clean, .len = clean ? strlen(clean) : 0};
    notes->scrubbed += scrub_value(config->scrub, reach, &v, arena);
    return clean ? sentry_text((struct part){v.text, v.len}, NAME_BYTES_MAX, arena) : NULL;
}

static const char *header_text(struct taking *t, const struct envelope_item *item, const char *name)
{
    struct part p = sentry_get_part(item->headers, name);
    return sentry_name(p.at, p.len, SCRUB_NAMES, t->config, t->arena, &t->batch->notes);
}

static struct attachment *new_file(struct taking *t, const char *name, const char *data, size_t len)
{
    struct attachment *a = arena_alloc(t->arena, sizeof *a);
    if (!a)
        return NULL;
    *a = (struct attachment){.name = name ? name : "attachment", .bytes = len};
    bool keep = len <= t->limits->attachment_bytes_max && t->files_count < ATTACHMENTS_MAX;
    void *copy = keep && len ? arena_alloc(t->arena, len) : NULL;
    if (copy)
        memcpy(copy, data, len);
    a->data = keep && len == 0 ? "" : copy;
    a->len = copy ? len : 0;
    a->next = t->files;
    t->files = a;
    t->files_count++;
    return a;
}

static bool item_attachment(struct taking *t, const struct envelope_item *item)
{
    struct part kind = sentry_get_part(item->headers, "attachment_type");
    struct attachment *a = NULL;
    if (t->files_count < ATTACHMENTS_COUNTED_MAX)
        a = new_file(t, header_text(t, item, "filename"), item->payload, item->payload_len);
    if (!a)
        return true;
    a->content_type = header_text(t, item, "content_type");
    if (!part_equals(kind, "event.minidump") || t->batch->count > 0)
        return true;
    struct event *event = next_event(t);
    if (!event || !sentry_minidump_event(item->payload, item->payload_len, a->name, t->config,
                                         t->batch->event_id, t->arena, event))
        return event != NULL;
    keep_event(t, event);
    return true;
}

/* In the order they came, with the first event; without one they belong to the envelope's id. */
static void settle_files(struct taking *t)
{
    struct attachment *list = NULL;
    while (t->files) {
        struct attachment *a = t->files;
        t->files = a->next;
        a->next = list;
        list = a;
    }
    if (t->batch->count == 0) {
        t->batch->loose = list;
        return;
    }
    t->batch->events[0].attachments = list;
    t->batch->events[0].bytes = event_weight(&t->batch->events[0]);
}

/* ------------------------------------------------------------------------------------------ envelope */

static bool item_not_kept(struct taking *t, const struct envelope_item *item)
{
    (void)item;
    t->batch->not_kept++;
    return true;
}

static const struct {
    const char *type;
    bool (*take)(struct taking *t, const struct envelope_item *item);
} ITEMS[] = {
    {"event", item_event},
    {"error", item_event},
    {"attachment", item_attachment},
    {"security", item_security},
    {"raw_security", item_security},
    {"feedback", item_feedback},
    {"user_report", item_user_report},
    {"check_in", item_checkin},
    {"session", item_session},
    {"sessions", item_sessions},
    {"client_report", item_client_report},
};

static bool take_item(struct taking *t, const struct envelope_item *item)
{
    size_t i = 0;
    while (i < sizeof ITEMS / sizeof *ITEMS && !envelope_item_is(item, ITEMS[i].type))
        i++;
    t->scratch = arena_new(SCRATCH_BYTES_MAX);
    t->read_again = false;
    bool ok = i < sizeof ITEMS / sizeof *ITEMS ? ITEMS[i].take(t, item) : item_not_kept(t, item);
    arena_free(t->scratch);
    t->scratch = NULL;
    return ok;
}

/* Framing is looked at first: an envelope that breaks off is refused whole, before anything of it
 * counts. Minidumps make an event only where no event item does: files come second. */
static bool take_items(struct taking *t, const struct envelope *open, bool files)
{
    struct envelope e = *open;
    struct envelope_item item;
    enum envelope_step step = ENVELOPE_END;
    while ((step = envelope_next(&e, &item, t->err)) == ENVELOPE_ITEM)
        if (envelope_item_is(&item, "attachment") == files && !take_item(t, &item))
            return false;
    return step == ENVELOPE_END;
}

static bool check_framing(const struct envelope *open, struct err *err)
{
    struct envelope e = *open;
    struct envelope_item item;
    enum envelope_step step = ENVELOPE_ITEM;
    while (step == ENVELOPE_ITEM)
        step = envelope_next(&e, &item, err);
    return step == ENVELOPE_END;
}

bool sentry_read_envelope(const char *bytes, size_t len, const struct sentry_config *config,
                          const struct sentry_limits *limits, struct arena *arena,
                          struct sentry_batch *batch, struct err *err)
{
    struct envelope open;
    struct arena *headers = arena_new(HEADERS_BYTES_MAX);
    struct taking t = {
        .config = config, .limits = limits, .arena = arena, .batch = batch, .err = err};
    *batch = (struct sentry_batch){0};
    bool ok = envelope_open(&open, bytes, len, headers, err);
    if (ok) {
        struct part id = sentry_get_part(open.headers, "event_id");
        if (!hex32_parse(id.at, id.len, batch->event_id))
            batch->event_id[0] = '\0';
        ok = check_framing(&open, err) && take_items(&t, &open, false) &&
             take_items(&t, &open, true);
    }
    if (ok)
        settle_files(&t);
    arena_free(headers);
    return ok;
}

/* ------------------------------------------------------------------------------------ other bodies */

/* A body that is one thing, without an envelope around it. */
static bool take_bare(bool (*take)(struct taking *t, const char *bytes, size_t len),
                      const char *bytes, size_t len, const struct sentry_config *config,
                      struct arena *arena, struct sentry_batch *batch, struct err *err)
{
    struct taking t = {.config = config,
                       .arena = arena,
                       .scratch = arena_new(SCRATCH_BYTES_MAX),
                       .batch = batch,
                       .err = err};
    *batch = (struct sentry_batch){0};
    bool ok = take(&t, bytes, len);
    arena_free(t.scratch);
    return ok;
}

bool sentry_read_event(const char *bytes, size_t len, const struct sentry_config *config,
                       struct arena *arena, struct sentry_batch *batch, struct err *err)
{
    return take_bare(take_event, bytes, len, config, arena, batch, err);
}

static bool take_bare_reports(struct taking *t, const char *bytes, size_t len)
{
    return take_reports(t, bytes, len, t->err);
}

bool sentry_read_security(const char *bytes, size_t len, const struct sentry_config *config,
                          struct arena *arena, struct sentry_batch *batch, struct err *err)
{
    if (!take_bare(take_bare_reports, bytes, len, config, arena, batch, err))
        return false;
    return batch->count > 0 || err_set(err, ERR_INPUT, "the body holds no report");
}
