/* native_internal.h -- what the two files that read a native event share; nobody else includes it. */
#ifndef NABAT_INGEST_NATIVE_INTERNAL_H
#define NABAT_INGEST_NATIVE_INTERNAL_H

#include "ingest/fingerprint.h"
#include "ingest/native.h"

struct reading {
    struct arena *arena;
    struct native_batch *batch;
    struct event *event;
    const struct scrub *scrub;
    int64_t now_ms;
    const char *exception_value;
    const char *type;
    struct fingerprint_parts fingerprint;
    struct json_value payload; /* a copy: what readers get does not outlive the call */
    bool has_payload;
    int severity_rank;
    bool out_of_memory;
};

/* native_title.c: "the first present is the title": message, exception, type. INPUT: none is. */
bool native_make_title(struct reading *r, struct err *err);
/* Id, origin, grouping key and culprit, once all fields are read. */
void native_finish(struct reading *r);

#endif
