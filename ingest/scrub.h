/* scrub.h -- secrets out of events before anything is stored, logged or sent.
 *
 * Relay's default rules (getsentry/relay, relay-pii: @common:filter) and what bots leak besides: bot
 * tokens, Mini App initData, webhook secrets, phone numbers of contacts, payment data. A value whose
 * key names a secret, or whose text talks of one, becomes "[Filtered]" whole; in what people must
 * be able to read (messages, exception values, stacks) only the secret itself does. Rules are PCRE2
 * with JIT, bounded so that time is linear in the input; docs/scrubbing.md lists them. */
#ifndef NABAT_INGEST_SCRUB_H
#define NABAT_INGEST_SCRUB_H

#include "core/arena.h"
#include "core/err.h"
#include "ingest/json_reader.h"

#include <stdbool.h>
#include <stddef.h>

struct scrub;

/* How far the rules reach into a value. */
enum scrub_reach {
    SCRUB_NAMES, /* names, paths, ids: what is a secret wherever it stands */
    SCRUB_WORDS, /* what people wrote: also card numbers, assignments, keys; never a whole text */
    SCRUB_TEXT,  /* messages and stacks: e-mail addresses too */
    SCRUB_ALL,   /* data: every rule, by key and by value */
};

/* `fields`: more names of secret keys, comma separated, matched anywhere in a key without case;
 * `off`: classes to turn off. Both may be NULL. NULL: `err` names the word that is no class. */
struct scrub *scrub_new(const char *fields, const char *off, struct err *err);
void scrub_free(struct scrub *scrub);
/* Names of all classes, for help and errors. */
const char *scrub_classes(void);

bool scrub_key_is_secret(const struct scrub *scrub, const char *key, size_t len);
/* Replaces what is secret in a string or number; a changed text lives in the arena. Returns how
 * many secrets went; the arena being full counts the whole text as one. */
int scrub_value(const struct scrub *scrub, enum scrub_reach reach, struct json_value *value,
                struct arena *arena);
/* A whole tree in place, keys and values; pairs ([name, value], {key, value}) are known. */
int scrub_tree(const struct scrub *scrub, enum scrub_reach reach, struct json_value *value,
               struct arena *arena);

#endif
