/* envelope.h -- Sentry envelopes cut into items: pure, no copies.
 *
 * Grammar (Sentry's "Envelopes", as Relay reads it): Headers { "\n" Item } [ "\n" ], an item is
 * Headers "\n" Payload. With `length` the payload is exactly that many bytes and must be followed
 * by "\n" or the end; without, it goes to the next "\n" or the end. "\r" is never a border. */
#ifndef NABAT_INGEST_ENVELOPE_H
#define NABAT_INGEST_ENVELOPE_H

#include "core/arena.h"
#include "core/err.h"
#include "ingest/json_reader.h"

struct envelope {
    const char *start;
    const char *at;
    const char *end;
    struct arena *arena;              /* headers live there */
    const struct json_value *headers; /* an object */
    size_t items;                     /* read so far */
};

struct envelope_item {
    const struct json_value *headers; /* an object */
    const char *type;                 /* not NUL-terminated; may be any word */
    size_t type_len;
    const char *payload; /* into the input; may be empty */
    size_t payload_len;
};

enum envelope_step { ENVELOPE_ITEM, ENVELOPE_END, ENVELOPE_BAD };

/* False: INPUT, the first line is no envelope header. The bytes are BORROWED while it is read. */
bool envelope_open(struct envelope *envelope, const char *bytes, size_t len, struct arena *arena,
                   struct err *err);
/* BAD: INPUT (broken framing: nothing of the envelope counts) or LIMIT (too many items). */
enum envelope_step envelope_next(struct envelope *envelope, struct envelope_item *item,
                                 struct err *err);
bool envelope_item_is(const struct envelope_item *item, const char *type);

#endif
