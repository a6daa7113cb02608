/* scrub_rules.h -- the table of scrubbing rules; a row is all there is to add one. */
#ifndef NABAT_INGEST_SCRUB_RULES_H
#define NABAT_INGEST_SCRUB_RULES_H

#include "ingest/scrub.h"

/* What a text must have before a rule is tried at all: counted in one pass over its bytes. */
enum scrub_need {
    NEED_DIGITS_6 = 1,
    NEED_DIGITS_9 = 2,
    NEED_DIGITS_15 = 4,
    NEED_AT = 8,
    NEED_DASHES = 16, /* ----- */
    NEED_SLASH = 32,  /* or a backslash */
    NEED_ASSIGN = 64, /* '=' or ':' */
    NEED_CAPITALS = 128,
    NEED_SPACE = 256,
};

struct scrub_rule {
    const char *class_name;
    const char *pattern;    /* PCRE2; what group 1 took goes, or all of it when there is none */
    enum scrub_reach reach; /* tried where the reach of the value is at least this */
    bool only_text;         /* not with SCRUB_ALL: there the whole value went already */
    bool whole;             /* one match and the whole value goes */
    unsigned needs;
};

extern const struct scrub_rule SCRUB_RULES[];
extern const size_t SCRUB_RULES_COUNT;
extern const char SCRUB_KEYS[];           /* pattern of secret keys */
extern const char SCRUB_KEYS_COOKIE[];    /* class "cookies" */
extern const char SCRUB_KEYS_PHONE[];     /* class "phone" */
extern const char SCRUB_KEYS_PAYMENT[];   /* class "payment" */
extern const char SCRUB_KEYS_INIT_DATA[]; /* class "init_data" */
extern const char *const SCRUB_CLASSES[]; /* NULL-terminated */

#endif
