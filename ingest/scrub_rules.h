/* scrub_rules.h -- the table of scrubbing rules; a row is all there is to add one. */
#ifndef NABAT_INGEST_SCRUB_RULES_H
#define NABAT_INGEST_SCRUB_RULES_H

#include "ingest/scrub.h"

/* What a text must have before a rule is tried at all, found in one pass over its bytes
 * (scrub_traits.c). A rule's pattern can only match where its traits are; most texts have none. */
enum scrub_need {
    NEED_DIGITS_15 = 1, /* with single blanks or hyphens between them at most */
    NEED_AT = 2,
    NEED_DASHES = 4, /* ----- */
    NEED_WORD = 8, /* password, secret, auth, …key and their kin, token…= or token…:, or a very
                    * short text */
    NEED_BOT = 16,         /* six digits before ':' or '%3A' */
    NEED_BEARER = 32,      /* "er " */
    NEED_QUERY = 64,       /* two '&' */
    NEED_WEB_APP = 128,    /* WebA */
    NEED_IBAN = 256,       /* two capitals and two digits in a row */
    NEED_SSN = 512,        /* 3-12- */
    NEED_PHONE = 1024,     /* phone */
    NEED_PAYMENT = 2048,   /* charge_ or invoice_ */
    NEED_PLACE = 4096,     /* home, users, settings or profiles before a slash */
    NEED_SLASHES = 8192,   /* // */
    NEED_COOKIE = 16384,   /* cookie */
    NEED_ASSIGNED = 32768, /* a word of NEED_WORD, and soon behind it '=' or ':' */
};
unsigned scrub_traits(const char *text, size_t len);

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
