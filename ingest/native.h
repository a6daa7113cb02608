/* native.h -- the native JSON API: bytes of POST /api/events into events (CONTRACT section 3).
 *
 * One object, an array of objects, or objects one after another (NDJSON). Nothing fails because a
 * field is odd: it is mended, kept under payload, and a warning names it. */
#ifndef NABAT_INGEST_NATIVE_H
#define NABAT_INGEST_NATIVE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"
#include "ingest/json_reader.h"
#include "ingest/scrub.h"

struct native_config {
    const struct scrub *scrub;
    int32_t project_id;
    int64_t now_ms;
};

struct native_warning {
    size_t index;
    const char *field;
    const char *detail; /* a literal */
};

struct native_batch {
    struct event *events; /* in the arena */
    size_t count;
    struct native_warning *warnings; /* in the arena, at most INGEST_WARNINGS_MAX */
    size_t warnings_count;
    size_t warnings_dropped;
    int scrubbed;     /* values filtered as secrets */
    size_t bad_index; /* of the element that an error is about */
    bool has_bad_index;
};

/* False: nothing of the request is to be stored; `err` is INPUT (400) or LIMIT (413). `arena` owns
 * what the batch points to. */
bool native_read(const char *body, size_t len, const struct native_config *config,
                 struct arena *arena, struct native_batch *batch, struct err *err);

/* One event of an already parsed object; used for rows of event_inbox too. */
bool native_event(const struct json_value *object, const struct native_config *config,
                  struct arena *arena, struct native_batch *batch, struct event *event,
                  struct err *err);

/* The answer: {"ids":[…],"codes":[…]} and "warnings" when there are any. */
void native_answer(const struct native_batch *batch, struct buf *out);

#endif
