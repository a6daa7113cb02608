/* rules.h -- what rings where and when, as people wrote it down: rules, silences, quiet hours,
 * inhibition. Read as a whole; what decides by them is in alerts/. */
#ifndef NABAT_STORE_RULES_H
#define NABAT_STORE_RULES_H

#include "core/event.h"
#include "core/limits.h"
#include "store/pg.h"

enum { RULE_NAME_BYTES = 260, RULE_TEXT_BYTES = 516, ZONE_BYTES = 64 }; /* 64 and 128 characters */

/* What is "" or -1 matches everything; globs take * and ?. */
struct match {
    int severity_min; /* enum severity */
    char origin[RULE_TEXT_BYTES];
    char project[RULE_TEXT_BYTES];
    char environment[RULE_TEXT_BYTES];
    char handler[RULE_TEXT_BYTES];
    char text[RULE_TEXT_BYTES]; /* a part of the title, without case */
};

enum occasion { OCCASION_ANY, OCCASION_NEW, OCCASION_REGRESSED, OCCASION_RATE, OCCASION_FIRST };
const char *occasion_name(enum occasion occasion);

/* 0, -1 and "" are "as above" in what a rule does. */
struct rule {
    int64_t id;
    int64_t parent_id; /* 0: the root */
    bool enabled;      /* else neither it nor what is under it is looked at */
    char name[RULE_NAME_BYTES];
    struct match match;
    enum occasion occasion;
    int64_t rate_count;
    int64_t rate_minutes;
    int64_t first_days;
    int64_t chat_id;  /* or a channel's id */
    char channel[44]; /* its name; "": it is a chat */
    int64_t thread_id;
    char language[4];
    int silent;
    int64_t cooldown_ms;
    bool nowhere;
    bool continues;
};

struct silence {
    int64_t id;
    int64_t chat_id; /* 0: every chat */
    struct match match;
    int64_t from_ms;
    int64_t until_ms;
    char reason[RULE_TEXT_BYTES];
};

/* Minutes of the chat's own day; `from` may be later than `to`. */
struct quiet_hours {
    int64_t chat_id;
    int from_minute;
    int to_minute;
    bool holds; /* else delivered without a sound */
    char zone[ZONE_BYTES];
};

struct inhibition {
    int64_t id;
    struct match source;
    struct match target;
    bool same_project;
    bool same_environment;
    int64_t span_ms; /* how long after its last event a source holds back */
};

/* A source that fired. */
struct firing {
    int64_t inhibition_id;
    int64_t group_id;
    int64_t seen_ms;
    char project[RULE_TEXT_BYTES];
    char environment[RULE_TEXT_BYTES];
    char about[RULE_TEXT_BYTES]; /* "#12 database down" */
};

struct rules {
    int64_t version;    /* -1: never read */
    struct rule *rules; /* siblings in order */
    size_t rules_count;
    struct silence *silences;
    size_t silences_count;
    struct quiet_hours *quiet;
    size_t quiet_count;
    struct inhibition *inhibitions;
    size_t inhibitions_count;
    struct firing *firings; /* room for FIRINGS_MAX */
    size_t firings_count;
    bool has_rates;
    int64_t chats[CHANNELS_MAX]; /* of channels that are chats of Telegram */
    size_t chats_count;
};

/* `rules` is the caller's to free; NULL on error. At most ALERT_RULES_MAX of each kind, the rest is said in the
 * log. */
typedef void rules_done_fn(void *ctx, struct rules *rules, const struct err *err);
void store_rules_load(struct pg *pg, rules_done_fn *done, void *ctx);
/* The same in two halves: statements into a batch, and their results (RULES_RESULTS of them). */
enum { RULES_RESULTS = 7 };
void store_rules_ask(struct pg_batch *batch);
struct rules *store_rules_read(PGresult *const *results);
struct rules *store_rules_new(void);
void store_rules_free(struct rules *rules);

#endif
