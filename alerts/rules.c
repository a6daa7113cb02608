/* rules.c -- the routing tree, walked as Alertmanager walks its own. */
#include "alerts/rules.h"

#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DAY_MS = 86400 * 1000 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool rules_glob(const char *pattern, const char *text)
{
    if (!*pattern)
        return true;
    if (!text)
        text = "";
    const char *star = NULL; /* the last one, and where the text stood then */
    const char *mark = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        } else if (*pattern == '?' || lower(*pattern) == lower(*text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* What of it does not match; NULL: all of it does. */
static const char *mismatch(const struct match *m, const struct subject *s)
{
    if (m->severity_min >= 0 && (int)s->severity < m->severity_min)
        return "severity";
    if (!rules_glob(m->origin, s->origin))
        return "origin";
    if (!rules_glob(m->project, s->project))
        return "project";
    if (!rules_glob(m->environment, s->environment))
        return "environment";
    if (!rules_glob(m->handler, s->handler))
        return "handler";
    if (*m->text && (!s->title || !strcasestr(s->title, m->text)))
        return "text";
    return NULL;
}

bool rules_match(const struct match *match, const struct subject *subject)
{
    return mismatch(match, subject) == NULL;
}

/* Events within the last `span` minutes. */
static int64_t recent(const char *minutes, int64_t span)
{
    int64_t sum = 0;
    for (const char *at = minutes; at && *at;) {
        char *end = NULL;
        long long age = strtoll(at, &end, 10);
        long long n = *end == ':' ? strtoll(end + 1, &end, 10) : 0;
        if (age <= span) /* minutes are calendar minutes: rather a moment early than never */
            sum += n;
        at = *end == ',' ? end + 1 : NULL;
    }
    return sum;
}

static bool is_occasion(const struct rule *rule, const struct subject *s)
{
    switch (rule->occasion) {
    case OCCASION_ANY:
        return true;
    case OCCASION_NEW:
        return s->is_new;
    case OCCASION_REGRESSED:
        return s->is_regression;
    case OCCASION_RATE:
        return s->events + recent(s->minutes, rule->rate_minutes) >= rule->rate_count;
    case OCCASION_FIRST:
        return s->is_new || s->quiet_ms >= rule->first_days * DAY_MS;
    }
    return false;
}

/* ------------------------------------------------------------------------------------------ tree */

struct walk {
    const struct rules *rules;
    const struct subject *subject;
    struct route *out;
    size_t count;
    struct buf *trace;
};

static void say(struct walk *w, int depth, const struct rule *rule, const char *verdict,
                const char *why)
{
    if (w->trace)
        buf_addf(w->trace, "%*srule %" PRId64 "%s%s: %s%s\n", 2 * depth, "", rule->id,
                 *rule->name ? " " : "", rule->name, verdict, why);
}

static struct route inherit(const struct route *above, const struct rule *rule)
{
    struct route route = *above;
    route.rule_id = rule->id;
    if (rule->chat_id) { /* a topic belongs to its chat */
        route.chat_id = rule->chat_id;
        route.thread_id = 0;
    }
    if (rule->thread_id)
        route.thread_id = rule->thread_id;
    if (*rule->language)
        route.language = rule->language;
    if (rule->silent >= 0)
        route.silent = rule->silent == 1;
    if (rule->cooldown_ms >= 0)
        route.cooldown_ms = rule->cooldown_ms;
    route.nowhere = above->nowhere || rule->nowhere;
    return route;
}

static void add(struct walk *w, const struct route *route)
{
    if (route->nowhere)
        return;
    for (size_t i = 0; i < w->count; i++)
        if (w->out[i].chat_id == route->chat_id)
            return; /* one chat is told once: by the first rule that says so */
    if (w->count < ROUTES_MAX)
        w->out[w->count++] = *route;
}

/* `named`: a rule on the way said which severities it is for, so that the settings' minimum is not asked.
 * Returns whether any child took it. */
static bool descend(struct walk *w, int64_t parent_id, const struct route *above, bool named,
                    enum severity ring_min, int depth)
{
    bool taken = false;
    for (size_t i = 0; depth < RULE_DEPTH_MAX && i < w->rules->rules_count; i++) {
        const struct rule *rule = &w->rules->rules[i];
        if (rule->parent_id != parent_id || !rule->enabled)
            continue;
        bool names = named || rule->match.severity_min >= 0;
        const char *why = mismatch(&rule->match, w->subject);
        if (!why && !is_occasion(rule, w->subject))
            why = occasion_name(rule->occasion);
        if (!why && !names && w->subject->severity < ring_min)
            why = "below ERROR_ALERT_MIN_SEVERITY";
        if (why) {
            say(w, depth, rule, "no: ", why);
            continue;
        }
        struct route route = inherit(above, rule);
        say(w, depth, rule, rule->nowhere ? "matches, rings nowhere" : "matches",
            rule->continues ? ", goes on" : "");
        taken = true;
        if (!descend(w, rule->id, &route, names, ring_min, depth + 1))
            add(w, &route);
        if (!rule->continues)
            break;
    }
    return taken;
}

size_t rules_route(const struct rules *rules, const struct route_root *root,
                   const struct subject *subject, struct route *out, struct buf *trace)
{
    struct walk w = {rules, subject, out, 0, trace};
    struct route above = {.chat_id = root->chat_id,
                          .thread_id = root->thread_id,
                          .language = "",
                          .cooldown_ms = root->cooldown_ms};
    if (descend(&w, 0, &above, false, root->ring_min, 0))
        return w.count;
    bool rings = subject->severity >= root->ring_min;
    if (trace)
        buf_addf(trace, "no rule takes it: %s\n",
                 rings ? "the alert chat" : "below ERROR_ALERT_MIN_SEVERITY, it does not ring");
    if (rings)
        add(&w, &above);
    return w.count;
}

/* --------------------------------------------------------------------------------------- waiting */

static const struct inhibition *inhibition_of(const struct rules *rules, int64_t id)
{
    for (size_t i = 0; i < rules->inhibitions_count; i++)
        if (rules->inhibitions[i].id == id)
            return &rules->inhibitions[i];
    return NULL;
}

static const char *text(const char *t)
{
    return t ? t : "";
}

/* Whether the source that fired holds this back. What is a source of the rule itself never waits for
 * another one of its kind. */
static bool inhibits(const struct inhibition *i, const struct firing *f, const struct subject *s)
{
    return f->group_id != s->group_id && s->now_ms - f->seen_ms < i->span_ms &&
           (!i->same_project || strcmp(f->project, text(s->project)) == 0) &&
           (!i->same_environment || strcmp(f->environment, text(s->environment)) == 0) &&
           rules_match(&i->target, s) && !rules_match(&i->source, s);
}

struct hold rules_hold(const struct rules *rules, const struct subject *s, int64_t chat_id)
{
    struct hold hold = {.name = NULL};
    for (size_t i = 0; i < rules->silences_count; i++) {
        const struct silence *silence = &rules->silences[i];
        bool now = s->now_ms >= silence->from_ms && s->now_ms < silence->until_ms;
        if (now && (!silence->chat_id || silence->chat_id == chat_id) &&
            rules_match(&silence->match, s))
            return (struct hold){"silence", silence->reason, silence->until_ms, silence->id, false};
    }
    for (size_t i = 0; i < rules->firings_count; i++) {
        const struct firing *f = &rules->firings[i];
        const struct inhibition *inhibition = inhibition_of(rules, f->inhibition_id);
        if (inhibition && inhibits(inhibition, f, s))
            return (struct hold){"inhibited", f->about, f->seen_ms + inhibition->span_ms,
                                 f->group_id, false};
    }
    for (size_t i = 0; i < rules->quiet_count; i++) {
        const struct quiet_hours *quiet = &rules->quiet[i];
        int64_t until = quiet->chat_id == chat_id ? rules_quiet_until(quiet, s->now_ms) : 0;
        if (until && quiet->holds)
            return (struct hold){"quiet", "", until, 0, false};
        hold.silent = hold.silent || until > 0;
    }
    return hold;
}

static struct firing *firing_of(struct rules *rules, int64_t inhibition_id, const struct subject *s)
{
    for (size_t i = 0; i < rules->firings_count; i++) {
        struct firing *f = &rules->firings[i];
        if (f->inhibition_id == inhibition_id && f->group_id == s->group_id &&
            strcmp(f->environment, text(s->environment)) == 0)
            return f;
    }
    struct firing *oldest = &rules->firings[0];
    for (size_t i = 1; i < rules->firings_count; i++)
        if (rules->firings[i].seen_ms < oldest->seen_ms)
            oldest = &rules->firings[i];
    if (rules->firings_count < FIRINGS_MAX)
        oldest = &rules->firings[rules->firings_count++];
    *oldest = (struct firing){.inhibition_id = inhibition_id, .group_id = s->group_id};
    snprintf(oldest->project, sizeof oldest->project, "%s", text(s->project));
    snprintf(oldest->environment, sizeof oldest->environment, "%s", text(s->environment));
    snprintf(oldest->about, sizeof oldest->about, "#%" PRId64 " %s", s->group_id, text(s->title));
    return oldest;
}

bool rules_fire(struct rules *rules, size_t inhibition, const struct subject *subject)
{
    const struct inhibition *i = &rules->inhibitions[inhibition];
    if (!rules_match(&i->source, subject))
        return false;
    firing_of(rules, i->id, subject)->seen_ms = subject->now_ms;
    return true;
}

bool rules_cease(struct rules *rules, int64_t group_id)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->firings_count; i++)
        if (rules->firings[i].group_id != group_id)
            rules->firings[kept++] = rules->firings[i];
    bool ceased = kept < rules->firings_count;
    rules->firings_count = kept;
    return ceased;
}
