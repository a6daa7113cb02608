/* rules.h -- where an event rings, and whether it has to wait: pure, by the rules that people wrote. */
#ifndef NABAT_ALERTS_RULES_H
#define NABAT_ALERTS_RULES_H

#include "core/buf.h"
#include "store/facts.h"
#include "store/rules.h"

/* What rules look at. Texts may be NULL. */
struct subject {
    int64_t group_id;
    enum severity severity;
    const char *origin;
    const char *project; /* slug */
    const char *environment;
    const char *handler;
    const char *title;
    bool is_new;         /* the group's first events ever */
    bool is_regression;  /* it came back after a person resolved it */
    int64_t quiet_ms;    /* how long the group had not been seen; 0: it is new */
    const char *minutes; /* "age:n,…": events of the last hour by minutes ago, for rates */
    int64_t events;      /* of this round, not among these yet */
    int64_t now_ms;
};

/* The root: what holds where no rule says otherwise. */
struct route_root {
    enum severity ring_min;
    int64_t cooldown_ms;
    int64_t chat_id; /* 0: none */
    int64_t thread_id;
};

struct route {
    int64_t rule_id; /* 0: the root */
    int64_t chat_id;
    int64_t thread_id;
    const char *language; /* "" is the chat's; BORROWED from the rules */
    bool silent;
    int64_t cooldown_ms;
    bool nowhere; /* on the way alone: what rings nowhere is no route */
};

/* `*` any characters, `?` one; without case; "" matches everything. */
bool rules_glob(const char *pattern, const char *text);
bool rules_match(const struct match *match, const struct subject *subject);

/* The places an event rings in, at most ROUTES_MAX, each chat once. `trace`, if not NULL, gets a line for
 * every rule that was looked at: what it said, and why not. */
size_t rules_route(const struct rules *rules, const struct route_root *root,
                   const struct subject *subject, struct route *out, struct buf *trace);

/* Whether what would ring in that chat has to wait. */
struct hold {
    const char *name;  /* NULL: it does not; else "silence", "inhibited", "quiet" */
    const char *about; /* BORROWED from the rules */
    int64_t until_ms;
    int64_t by;  /* the silence, the source's group; 0 */
    bool silent; /* it goes, but without a sound */
};
struct hold rules_hold(const struct rules *rules, const struct subject *subject, int64_t chat_id);

/* Whether `subject` is a source of that inhibition; then it is noted in `rules->firings`. */
bool rules_fire(struct rules *rules, size_t inhibition, const struct subject *subject);
/* The source was resolved: it holds back nothing any more. True when it was one. */
bool rules_cease(struct rules *rules, int64_t group_id);

/* When the quiet hours that `now_ms` lies in end; 0: it lies in none. */
int64_t rules_quiet_until(const struct quiet_hours *quiet, int64_t now_ms);

#endif
