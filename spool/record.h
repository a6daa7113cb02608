/* record.h -- what stands in a spool file: pure, bytes in and out (the format is docs/spool.md).
 *
 * A file opens with RECORD_FILE_HEAD; then record follows record. Each has a mark, its length, its type
 * and a checksum, so that a torn end is told from damage, and what follows damage is found again. */
#ifndef NABAT_SPOOL_RECORD_H
#define NABAT_SPOOL_RECORD_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/event.h"

/* "NABATSPL", then the version and the salt as 32-bit numbers. The salt is random and goes into every checksum:
 * what somebody sends us can't hold a record that would be believed, were it searched after damage. */
enum { RECORD_FILE_HEAD_BYTES = 16, RECORD_FORMAT_VERSION = 1, RECORD_HEAD_BYTES = 16 };
/* Of files that more than one process adds to. */
enum { RECORD_NO_SALT = 0 };
void record_file_head(uint32_t salt, char out[RECORD_FILE_HEAD_BYTES]);
/* False: no spool file, or one of a newer version (`version` says which; 0: none). */
bool record_file_is_ours(const char *data, size_t len, uint32_t *version, uint32_t *salt);

enum record_type { RECORD_EVENT = 1, RECORD_RANG = 2 };

/* An alert that went out while the database was away. */
struct rang {
    int32_t project_id;
    char fingerprint[FINGERPRINT_BYTES];
    int64_t chat_id;
    int64_t thread_id;  /* 0: none */
    int64_t message_id; /* 0: not known, its answer was lost */
    int64_t at_ms;      /* Unix time, milliseconds */
    bool is_card;       /* the message is about this error alone */
};

/* Append one record. False: `out` is full, and holds what it held before. */
bool record_add_event(struct buf *out, uint32_t salt, const struct event *event);
bool record_add_rang(struct buf *out, uint32_t salt, const struct rang *rang);

struct record {
    enum record_type type;
    const char *body; /* BORROWED */
    size_t len;
};
enum record_find {
    RECORD_FOUND,
    RECORD_END,     /* the data ends where a record ends */
    RECORD_TORN,    /* it ends within one: a crash while it was written, nobody was told "kept" */
    RECORD_DAMAGED, /* bytes that are no record, or whose checksum is wrong: `skipped` says how many */
};
/* The record at *at, which then moves behind it; after damage, to the next that is whole. */
enum record_find record_next(const char *data, size_t len, uint32_t salt, size_t *at,
                             struct record *out, size_t *skipped);

/* False: the body is not what its type says, or the arena is full. Texts are the arena's. */
bool record_read_event(const struct record *record, struct arena *arena, struct event *out);
bool record_read_rang(const struct record *record, struct rang *out);

#endif
