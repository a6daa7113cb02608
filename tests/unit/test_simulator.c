/* test_simulator.c -- days of incidents in virtual time over the pure parts: engine, rules, lanes, pacing,
 * backoff. No sleeping, no socket, no database.
 *
 *     incidents --facts--> engine --rings--> outbox (a model) --lane_next--> chats (a model, with limits)
 *
 * For each seed it is proven that every ring that was decided is announced, that nothing rings inside its
 * cooldown but a first regression, that no budget is exceeded and no pause disregarded, and that
 * nothing waits longer than the budget explains. `test_simulator SEED` runs that one and says more. */
#include "tests/unit/rows.h"

#include "alerts/backoff.h"
#include "alerts/engine.h"
#include "alerts/lane.h"
#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 1000, GROUPS_MAX = 4000, ROWS_MAX = 20000, DIGESTS_MAX = 2000, INCIDENTS_MAX = 8000 };
enum { HOME = -1, OPS = -2, BOSS = 77, CHATS = 3, SENDS_KEPT = 64 };
static const int64_t CHAT_IDS[CHATS] = {HOME, OPS, BOSS};
static const int64_t START_MS = INT64_C(1790000000000);
static const int64_t DAY_MS = INT64_C(86400000);
static const int64_t COOLDOWN_MS = 300 * 1000;
/* what an alert may wait in a chat that can be written to: a minute's budget, a digest's pause, its file */
static const int64_t WAIT_MS_MAX = 100 * 1000;

enum row_state { ROW_WAITS, ROW_UNCERTAIN, ROW_IN_HAND, ROW_FOLDED, ROW_SENT };
struct outbox {
    enum row_state state;
    int group;
    int chat;
    int digest;
    int attempts;
    int lost_answers;
    bool regression;
    bool announced;
    const char *hold;
    bool is_free; /* what held it is over, and nothing else does */
    int64_t due_ms;
    int64_t created_ms;
    int64_t blocked_ms; /* of its chat, when it became due */
};
struct model_digest {
    int chat;
    enum digest_reason reason;
    bool is_sent;
    bool is_closed;
    int64_t rows, shown, listed;
    int64_t opened_ms, added_ms, shown_ms, next_try_ms;
    int lost_answers;
    int64_t rested_ms; /* because of them, in all */
};
struct model_group {
    struct fact fact; /* what the engine is told of it */
    struct place_state states[CHATS];
    char title[24];
    bool ever_rang;
};
struct model_chat {
    int64_t gone_until_ms; /* Telegram refuses us */
    int64_t rest_until_ms; /* we leave it alone */
    int gone_times;
    int64_t paused_until_ms; /* by a 429 */
    int64_t blocked_ms;      /* how long it could not be written to, in all */
    int64_t busy_until_ms;   /* a message is on its way; 0: none */
    int64_t began_ms;        /* and since when */
    enum lane_act act;
    int row;
    int digest;
    int64_t act_rows;
    int64_t wake_ms;
    int64_t sends[SENDS_KEPT];
    size_t sends_count;
};
enum incident_kind { NOISE, BURST, STORM, RESOLVE, TAKE, MUTE, SILENCE, DEATH, PAUSE, LOSS };
struct incident {
    int64_t at_ms;
    enum incident_kind kind;
    int group;
    int64_t n;
};

struct sim {
    uint64_t dice;
    int64_t now_ms;
    struct pacer pacer;
    struct rules rules;
    struct rule rule[4];
    struct silence silence[8];
    struct quiet_hours quiet[1];
    struct firing firings[FIRINGS_MAX];
    struct inhibition inhibition[1];
    struct engine_config config;
    struct model_group *groups;
    int groups_count;
    struct outbox *rows;
    int rows_count;
    int first_row; /* what is before it is done */
    struct model_digest *digests;
    int digests_count;
    struct model_chat chats[CHATS];
    struct incident *incidents;
    int incidents_count;
    int next_incident;
    int pauses_due; /* sends that will meet a 429 */
    int64_t pause_s;
    int losses_due; /* sends whose answer gets lost */
    int64_t all_sends[SENDS_KEPT];
    size_t all_count;
    int64_t rings, cards, digest_messages, repeats, losses, longest_ms;
    char trouble[200];
};

static uint32_t roll(struct sim *s, uint32_t sides)
{
    s->dice = s->dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(s->dice >> 33) % sides;
}

static void fail_sim(struct sim *s, const char *what, int64_t a, int64_t b)
{
    if (!s->trouble[0])
        snprintf(s->trouble, sizeof s->trouble, "%s (%" PRId64 ", %" PRId64 ") at %" PRId64 " s", what, a, b,
                 (s->now_ms - START_MS) / 1000);
}

/* ---------------------------------------------------------------------------------- what happens when */

static void plan(struct sim *s, int64_t at_ms, enum incident_kind kind, int group, int64_t n)
{
    if (s->incidents_count < INCIDENTS_MAX)
        s->incidents[s->incidents_count++] = (struct incident){at_ms, kind, group, n};
}

static int by_time(const void *a, const void *b)
{
    const struct incident *x = a;
    const struct incident *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static int new_group(struct sim *s, enum severity severity, const char *origin)
{
    if (s->groups_count == GROUPS_MAX)
        return (int)roll(s, GROUPS_MAX);
    int at = s->groups_count++;
    struct model_group *g = &s->groups[at];
    snprintf(g->title, sizeof g->title, "error %d", at);
    g->fact = (struct fact){.kind = FACT_EVENT, .group_id = at + 1, .severity = severity, .origin = origin,
                            .project = "bot", .title = g->title, .states = g->states, .states_count = CHATS};
    for (int c = 0; c < CHATS; c++)
        g->states[c].chat_id = CHAT_IDS[c];
    return at;
}

static int64_t some_time(struct sim *s)
{
    return START_MS + (int64_t)roll(s, 86400) * 1000 + (int64_t)roll(s, 1000);
}

static void plan_day(struct sim *s)
{
    static const char *const ORIGINS[] = {"api", "celery", "telegram_webhook", "boss"};
    int steady = 5 + (int)roll(s, 20);
    for (int i = 0; i < steady; i++) {
        int g = new_group(s, (enum severity)(SEV_WARNING + (int)roll(s, 3)), ORIGINS[roll(s, 4)]);
        int64_t every = 30000 + (int64_t)roll(s, 3600 * 1000);
        for (int64_t at = some_time(s); at < START_MS + DAY_MS && s->incidents_count < 2500; at += every)
            plan(s, at, NOISE, g, 1 + (int64_t)roll(s, 3));
        if (roll(s, 2))
            for (int k = 0; k < 6; k++) /* flapping */
                plan(s, some_time(s), RESOLVE, g, (int64_t)roll(s, 5) > 0);
        if (roll(s, 4) == 0)
            plan(s, some_time(s), TAKE, g, 0);
        if (roll(s, 3) == 0)
            plan(s, some_time(s), MUTE, g, (int64_t)roll(s, 7200) * 1000);
    }
    for (uint32_t i = roll(s, 3); i > 0; i--) {
        int64_t at = some_time(s);
        int g = new_group(s, SEV_CRITICAL, ORIGINS[roll(s, 4)]);
        for (int k = 0; k < 20; k++) /* 10,000 identical */
            plan(s, at + k * 500, NOISE, g, 500);
    }
    for (uint32_t i = roll(s, 3); i > 0; i--) {
        int64_t at = some_time(s);
        for (int k = 0; k < 500; k++) /* 500 different ones in a minute */
            plan(s, at + (int64_t)roll(s, 60000), NOISE, new_group(s, SEV_CRITICAL, ORIGINS[roll(s, 4)]), 1);
    }
    for (uint32_t i = roll(s, 4); i > 0; i--)
        plan(s, some_time(s), DEATH, (int)roll(s, CHATS), 60000 + (int64_t)roll(s, 3 * 3600 * 1000));
    for (uint32_t i = roll(s, 4); i > 0; i--)
        plan(s, some_time(s), PAUSE, 0, 5 + (int64_t)roll(s, roll(s, 2) ? 3600 : 60));
    for (uint32_t i = roll(s, 6); i > 0; i--)
        plan(s, some_time(s), LOSS, 0, 0);
    for (uint32_t i = roll(s, 4); i > 0; i--)
        plan(s, some_time(s), SILENCE, (int)roll(s, CHATS + 1), 60000 + (int64_t)roll(s, 3600 * 1000));
    qsort(s->incidents, (size_t)s->incidents_count, sizeof *s->incidents, by_time);
}

static void set_up_rules(struct sim *s)
{
    size_t n = 0;
    if (roll(s, 2))
        s->rule[n++] = (struct rule){.id = 1, .enabled = true, .match = {.severity_min = SEV_ERROR, .origin = "celery"},
                                     .chat_id = OPS, .silent = -1, .cooldown_ms = 60000};
    if (roll(s, 2))
        s->rule[n++] = (struct rule){.id = 2, .enabled = true, .match = {.severity_min = -1, .origin = "boss"},
                                     .chat_id = BOSS, .silent = -1, .cooldown_ms = 3600 * 1000, .continues = true};
    if (roll(s, 2))
        s->rule[n++] = (struct rule){.id = 3, .enabled = true, .match = {.severity_min = -1}, .silent = -1,
                                     .cooldown_ms = -1};
    s->rules = (struct rules){.rules = s->rule, .rules_count = n, .silences = s->silence, .quiet = s->quiet,
                              .inhibitions = s->inhibition, .firings = s->firings};
    if (roll(s, 3) == 0) {
        s->quiet[0] = (struct quiet_hours){.chat_id = OPS, .from_minute = 60, .to_minute = 300, .holds = true,
                                           .zone = "UTC"};
        s->rules.quiet_count = 1;
    }
    if (roll(s, 3) == 0) {
        s->inhibition[0] = (struct inhibition){.id = 1, .source = {.severity_min = SEV_CRITICAL, .text = "error 1"},
                                               .target = {.severity_min = -1, .origin = "api"}, .span_ms = 300000};
        s->rules.inhibitions_count = 1;
    }
    s->config = (struct engine_config){{SEV_CRITICAL, COOLDOWN_MS, HOME, 0}, &s->rules};
}

/* -------------------------------------------------------------------------------------------- deciding */

static int chat_of(int64_t id)
{
    return id == HOME ? 0 : id == OPS ? 1 : 2;
}

static void add_row(struct sim *s, int group, const struct ring *r)
{
    if (s->rows_count == ROWS_MAX) {
        fail_sim(s, "the model's outbox is full", 0, 0);
        return;
    }
    int64_t due = r->hold ? r->hold_until_ms : s->now_ms;
    if (r->hold && strcmp(r->hold, "inhibited") == 0 && due > s->now_ms + INHIBIT_SECONDS_MAX * 1000)
        due = s->now_ms + INHIBIT_SECONDS_MAX * 1000;
    s->rows[s->rows_count++] = (struct outbox){.group = group,
                                               .chat = chat_of(r->chat_id),
                                               .digest = -1,
                                               .regression = strcmp(r->reason, "regression") == 0,
                                               .hold = r->hold,
                                               .due_ms = due,
                                               .created_ms = s->now_ms,
                                               .blocked_ms = -1};
    s->chats[chat_of(r->chat_id)].wake_ms = s->now_ms;
    s->rings++;
}

static int64_t cooldown_of(const struct sim *s, const struct ring *r)
{
    for (size_t i = 0; i < s->rules.rules_count; i++)
        if (s->rule[i].id == r->rule_id && s->rule[i].cooldown_ms >= 0)
            return s->rule[i].cooldown_ms;
    return COOLDOWN_MS;
}

/* Of the rules that send there. */
static int64_t longest_cooldown(const struct sim *s, int64_t chat_id)
{
    int64_t longest = 0;
    for (size_t i = 0; i < s->rules.rules_count; i++)
        if (s->rule[i].chat_id == chat_id && s->rule[i].cooldown_ms > longest)
            longest = s->rule[i].cooldown_ms;
    return longest ? longest : COOLDOWN_MS;
}

static void apply_ring(struct sim *s, int at, const struct ring *r, bool was_resolved)
{
    struct model_group *g = &s->groups[at];
    struct place_state *place = &g->states[chat_of(r->chat_id)];
    bool regression = strcmp(r->reason, "regression") == 0;
    int64_t since = s->now_ms - place->last_ring_ms;
    if (r->rings && place->last_ring_ms && since < cooldown_of(s, r) && !regression)
        fail_sim(s, "it rang inside its cooldown", at, since);
    if (r->rings && regression && !(was_resolved && g->fact.resolved_by_person))
        fail_sim(s, "a regression of what nobody resolved", at, 0);
    if (r->rings && g->fact.muted_until_ms > s->now_ms)
        fail_sim(s, "it rang although it is muted", at, 0);
    if (r->rings > 1)
        fail_sim(s, "more than one ring for a chat", at, r->rings);
    bool cooling = place->last_ring_ms && since < longest_cooldown(s, r->chat_id);
    if (!r->rings && !cooling && g->fact.status == STATUS_NEW)
        fail_sim(s, "it does not ring although its cooldown is over", at, since);
    if (r->rings) {
        place->last_ring_ms = s->now_ms;
        g->ever_rang = true;
        add_row(s, at, r);
    }
    place->held = r->held;
}

static void happen(struct sim *s, int at, int64_t n)
{
    struct model_group *g = &s->groups[at];
    struct rings rings = {0};
    g->fact.n = n;
    g->fact.is_new = g->fact.occurrences == 0;
    g->fact.occurrences += n;
    g->fact.created_ms = g->fact.occurred_max_ms = s->now_ms;
    bool was_resolved = g->fact.status == STATUS_RESOLVED;
    bool muted = g->fact.muted_until_ms > s->now_ms;
    bool must_ring = g->fact.severity == SEV_CRITICAL && !muted &&
                     ((!g->ever_rang && g->fact.status == STATUS_NEW) ||
                      (was_resolved && g->fact.resolved_by_person));
    int64_t rung_before = s->rings;
    struct subject subject = engine_subject(&g->fact, false, s->now_ms);
    for (size_t i = 0; i < s->rules.inhibitions_count; i++)
        rules_fire(&s->rules, i, &subject);
    struct verdict v = engine_decide(&s->config, &g->fact, 1, s->now_ms, &rings);
    for (size_t i = 0; i < rings.count; i++)
        apply_ring(s, at, &rings.rings[i], was_resolved);
    if (must_ring && s->rings == rung_before)
        fail_sim(s, was_resolved ? "a regression does not ring" : "a critical error never rings", at, 0);
    if (v.reopen)
        g->fact.status = STATUS_NEW;
    g->fact.quiet_since_ms = s->now_ms;
    store_rings_fini(&rings);
}

static void run_incident(struct sim *s, const struct incident *i)
{
    struct fact *f = &s->groups[i->group].fact;
    switch (i->kind) {
    case RESOLVE:
        f->status = STATUS_RESOLVED;
        f->resolved_ms = s->now_ms - 1;
        f->resolved_by_person = i->n;
        break;
    case TAKE:
        f->status = STATUS_IN_PROGRESS;
        f->taken_ms = s->now_ms;
        break;
    case MUTE:
        f->muted_until_ms = s->now_ms + i->n;
        break;
    case SILENCE:
        if (s->rules.silences_count < 8)
            s->silence[s->rules.silences_count++] = (struct silence){
                .id = i->n, .chat_id = i->group < CHATS ? CHAT_IDS[i->group] : 0, .match.severity_min = -1,
                .from_ms = s->now_ms, .until_ms = s->now_ms + i->n};
        break;
    case DEATH:
        s->chats[i->group].gone_until_ms = s->now_ms + i->n;
        break;
    case PAUSE:
        s->pauses_due++;
        s->pause_s = i->n;
        break;
    case LOSS:
        s->losses_due++;
        break;
    default:
        happen(s, i->group, i->n);
    }
}

/* -------------------------------------------------------------------------------- the outbox as a model */

static enum digest_reason reason_of(const char *hold)
{
    return hold[0] == 's' ? DIGEST_SILENCE : hold[0] == 'q' ? DIGEST_QUIET : DIGEST_INHIBITED;
}

static bool waits(const struct outbox *r, int chat)
{
    return r->chat == chat && (r->state == ROW_WAITS || r->state == ROW_UNCERTAIN);
}

/* Those not sent first, but for those that rest: they come last. */
static int open_digest(const struct sim *s, int chat)
{
    int found = -1;
    int best = 9;
    for (int i = 0; i < s->digests_count; i++) {
        const struct model_digest *d = &s->digests[i];
        bool rests = !d->is_sent && d->next_try_ms > s->now_ms + DIGEST_REST_SECONDS * 1000;
        int rank = rests ? 2 : d->is_sent;
        if (d->chat == chat && !d->is_closed && rank < best) {
            found = i;
            best = rank;
        }
    }
    return found;
}

/* As the decider does before what was held goes. */
static void ask_again(struct sim *s, struct outbox *r)
{
    struct subject subject = engine_subject(&s->groups[r->group].fact, false, s->now_ms);
    struct hold hold = rules_hold(&s->rules, &subject, CHAT_IDS[r->chat]);
    bool too_long = hold.name && hold.name[0] == 'i' && s->now_ms - r->created_ms >= INHIBIT_SECONDS_MAX * 1000;
    r->is_free = !hold.name || too_long;
    if (r->is_free)
        return;
    r->hold = hold.name;
    r->due_ms = hold.until_ms;
}

static bool is_late(const struct sim *s, const struct outbox *r)
{
    return (!r->hold && s->now_ms - r->created_ms > ALERT_TTL_SECONDS * 1000) ||
           (r->lost_answers >= LOST_ANSWERS_MAX && (!r->hold || r->is_free));
}

static struct chat_view view_of(struct sim *s, int chat, int *digest)
{
    struct chat_view v = {.chat_id = CHAT_IDS[chat], .next_ms = -1};
    const char *reason = NULL;
    for (int i = s->first_row; i < s->rows_count; i++) {
        struct outbox *r = &s->rows[i];
        if (!waits(r, chat))
            continue;
        if (r->hold && !r->is_free && r->due_ms <= s->now_ms)
            ask_again(s, r);
        if (r->due_ms > s->now_ms) {
            if (v.next_ms < 0 || r->due_ms - s->now_ms < v.next_ms)
                v.next_ms = r->due_ms - s->now_ms;
            continue;
        }
        if (r->blocked_ms < 0)
            r->blocked_ms = s->chats[chat].blocked_ms;
        v.due += !r->hold && r->state == ROW_WAITS;
        v.again_due += !r->hold && r->state == ROW_UNCERTAIN;
        v.late += is_late(s, r);
        v.held_due += r->hold != NULL;
        if (r->hold && (!reason || strcmp(r->hold, reason) < 0))
            reason = r->hold;
    }
    if (reason)
        v.held_reason = reason_of(reason);
    *digest = open_digest(s, chat);
    if (*digest >= 0) {
        const struct model_digest *d = &s->digests[*digest];
        v.digest = (struct digest_view){.id = *digest + 1,
                                        .reason = d->reason,
                                        .is_sent = d->is_sent,
                                        .rows = d->rows,
                                        .shown_rows = d->shown,
                                        .listed_rows = d->listed,
                                        .opened_ago_ms = s->now_ms - d->opened_ms,
                                        .added_ago_ms = s->now_ms - d->added_ms,
                                        .shown_ago_ms = s->now_ms - d->shown_ms,
                                        .next_try_ms = d->next_try_ms > s->now_ms ? d->next_try_ms - s->now_ms : 0};
    }
    return v;
}

static void fold(struct sim *s, int chat, enum digest_reason reason)
{
    int known = -1;
    for (int i = 0; i < s->digests_count; i++) {
        struct model_digest *d = &s->digests[i];
        if (d->chat == chat && d->reason == reason && !d->is_closed && (!d->is_sent || reason == DIGEST_STORM)) {
            if (s->now_ms - d->opened_ms < STORM_SECONDS_MAX * INT64_C(1000))
                known = i;
            else
                d->is_closed = d->is_sent;
        }
    }
    if (known < 0 && s->digests_count < DIGESTS_MAX) {
        known = s->digests_count++;
        s->digests[known] = (struct model_digest){.chat = chat, .reason = reason, .opened_ms = s->now_ms};
    }
    struct model_digest *d = &s->digests[known];
    d->added_ms = s->now_ms;
    if (d->next_try_ms > s->now_ms + LOST_AGAIN_SECONDS * 1000)
        d->next_try_ms = s->now_ms + LOST_AGAIN_SECONDS * 1000;
    for (int i = s->first_row; i < s->rows_count; i++) {
        struct outbox *r = &s->rows[i];
        bool fits = reason == DIGEST_STORM  ? !r->hold && r->state == ROW_WAITS
                    : reason == DIGEST_LATE ? is_late(s, r)
                                            : r->hold && reason_of(r->hold) == reason;
        if (waits(r, chat) && r->due_ms <= s->now_ms && fits) {
            r->state = ROW_FOLDED;
            r->digest = known;
            d->rows++;
        }
    }
}

static int urgent_row(const struct sim *s, int chat)
{
    int best = -1;
    int best_rank = 9;
    for (int i = s->first_row; i < s->rows_count; i++) {
        const struct outbox *r = &s->rows[i];
        int rank = s->groups[r->group].fact.severity == SEV_CRITICAL ? 0 : r->regression ? 1 : 2;
        if (waits(r, chat) && r->due_ms <= s->now_ms && rank < best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

/* What began inside a silence or quiet hours is not told before they are over. */
static void check_hush(struct sim *s, const struct outbox *r)
{
    int64_t moment = s->chats[r->chat].began_ms; /* a message that was on its way already is none */
    for (size_t i = 0; i < s->rules.silences_count; i++) {
        const struct silence *q = &s->silence[i];
        bool covers = !q->chat_id || q->chat_id == CHAT_IDS[r->chat];
        if (covers && r->created_ms >= q->from_ms && moment < q->until_ms && moment >= q->from_ms)
            fail_sim(s, "it rang inside a silence", r->group, (q->until_ms - moment) / 1000);
    }
    int64_t day_ms = moment % DAY_MS;
    bool night = day_ms >= 60 * 60000 && day_ms < 300 * 60000;
    bool began_at_night = r->created_ms >= moment - day_ms + 60 * 60000;
    if (s->rules.quiet_count && CHAT_IDS[r->chat] == OPS && night && began_at_night)
        fail_sim(s, "it rang in quiet hours", r->group, day_ms / 60000);
}

static void announce(struct sim *s, struct outbox *r)
{
    int64_t from = r->due_ms > r->created_ms ? r->due_ms : r->created_ms;
    int64_t waited = s->now_ms - from - (s->chats[r->chat].blocked_ms - (r->blocked_ms < 0 ? 0 : r->blocked_ms));
    if (r->state == ROW_FOLDED) /* its own message got lost: the rest is meant; nobody else waits for it */
        waited -= s->digests[r->digest].rested_ms;
    if (r->announced)
        return;
    check_hush(s, r);
    r->announced = true;
    if (r->attempts <= 1 && waited > s->longest_ms)
        s->longest_ms = waited;
    if (r->attempts <= 1 && waited > WAIT_MS_MAX)
        fail_sim(s, "it waited longer than the budget explains", r->group, waited);
}

/* ---------------------------------------------------------------------------------- Telegram as a model */

static void check_window(struct sim *s, const int64_t *sends, size_t count, size_t most, int64_t span, const char *what)
{
    if (count > most && s->now_ms - sends[(count - 1 - most) % SENDS_KEPT] < span)
        fail_sim(s, what, (int64_t)count, s->now_ms - sends[(count - 1 - most) % SENDS_KEPT]);
}

/* A checker of its own: nothing of alerts/pacing.c is asked. */
static void count_send(struct sim *s, int chat)
{
    struct model_chat *c = &s->chats[chat];
    if (c->paused_until_ms > s->now_ms)
        fail_sim(s, "written to during retry_after", chat, c->paused_until_ms - s->now_ms);
    c->sends[c->sends_count++ % SENDS_KEPT] = s->now_ms;
    s->all_sends[s->all_count++ % SENDS_KEPT] = s->now_ms;
    check_window(s, c->sends, c->sends_count, 1, 1000, "two messages to a chat within a second");
    check_window(s, s->all_sends, s->all_count, 30, 1000, "more than 30 messages a second");
    if (CHAT_IDS[chat] < 0)
        check_window(s, c->sends, c->sends_count, 20, 60000, "more than 20 messages a minute to a group");
}

static void begin(struct sim *s, int chat, const struct lane_step *step, int digest)
{
    struct model_chat *c = &s->chats[chat];
    c->act = step->act;
    c->digest = digest;
    c->row = -1;
    if (step->act == LANE_CARD) {
        c->row = urgent_row(s, chat);
        s->rows[c->row].state = ROW_IN_HAND;
        s->rows[c->row].attempts++;
    } else {
        c->act_rows = s->digests[digest].rows;
    }
    if (step->act == LANE_CLOSE && s->digests[digest].reason != DIGEST_STORM) { /* no message */
        s->digests[digest].is_closed = true;
        c->wake_ms = s->now_ms;
        return;
    }
    pacer_take(&s->pacer, CHAT_IDS[chat], lane_pace(step->act), s->now_ms);
    count_send(s, chat);
    c->began_ms = s->now_ms;
    c->busy_until_ms = s->now_ms + 20 + (int64_t)roll(s, 400);
}

/* The first `rows` of a digest are read; true: one of them had been before. */
static bool tell(struct sim *s, int digest, int64_t rows)
{
    bool again = false;
    int64_t said = 0;
    for (int i = s->first_row; i < s->rows_count && said < rows; i++)
        if (s->rows[i].state == ROW_FOLDED && s->rows[i].digest == digest) {
            again = again || s->rows[i].announced;
            announce(s, &s->rows[i]);
            said++;
        }
    return again;
}

static void succeed(struct sim *s, struct model_chat *c, bool answer_lost)
{
    struct outbox *r = c->row >= 0 ? &s->rows[c->row] : NULL;
    struct model_digest *d = c->row < 0 ? &s->digests[c->digest] : NULL;
    c->gone_times = 0;
    if (r) {
        s->cards++;
        if (!answer_lost || roll(s, 2)) { /* a message whose answer is lost may have arrived or not */
            s->repeats += r->announced;
            announce(s, r);
        }
        r->state = answer_lost ? ROW_UNCERTAIN : ROW_SENT;
        r->lost_answers += answer_lost;
        if (answer_lost)
            r->due_ms = s->now_ms + (r->lost_answers < LOST_ANSWERS_MAX ? backoff_ms(r->attempts, roll(s, 1000))
                                                                        : lost_again_ms(r->lost_answers));
        return;
    }
    s->digest_messages++;
    bool is_first = !d->is_sent && c->act == LANE_DIGEST;
    if (is_first && (!answer_lost || roll(s, 2)))
        s->repeats += tell(s, c->digest, c->act_rows);
    if (answer_lost && !d->is_sent) {
        int64_t rest_ms = ++d->lost_answers < LOST_ANSWERS_MAX ? backoff_ms(1, roll(s, 1000)) : lost_again_ms(d->lost_answers);
        d->next_try_ms = s->now_ms + rest_ms;
        d->rested_ms += rest_ms;
        return;
    }
    if (c->act == LANE_LIST) {
        d->listed = c->act_rows;
    } else if (c->act == LANE_CLOSE) {
        d->is_closed = true;
    } else {
        d->is_sent = true;
        d->shown = c->act_rows;
        d->shown_ms = s->now_ms;
        if (!is_first)
            tell(s, c->digest, d->shown);
    }
}

static void put_off(struct sim *s, struct model_chat *c, int64_t delay_ms)
{
    if (c->row >= 0) {
        s->rows[c->row].state = s->rows[c->row].lost_answers ? ROW_UNCERTAIN : ROW_WAITS;
        s->rows[c->row].due_ms = s->now_ms + delay_ms;
    } else {
        s->digests[c->digest].next_try_ms = s->now_ms + delay_ms;
    }
}

static void complete(struct sim *s, int chat)
{
    struct model_chat *c = &s->chats[chat];
    c->busy_until_ms = 0;
    c->wake_ms = s->now_ms;
    if (c->gone_until_ms > s->now_ms) {
        c->gone_times++;
        c->rest_until_ms = s->now_ms + backoff_ms(c->gone_times, roll(s, 1000));
        put_off(s, c, 0);
    } else if (s->pauses_due) {
        s->pauses_due--;
        c->paused_until_ms = s->now_ms + s->pause_s * 1000;
        pacer_refused(&s->pacer, CHAT_IDS[chat], s->pause_s, s->now_ms);
        put_off(s, c, s->pause_s * 1000);
    } else {
        bool lost = s->losses_due > 0;
        s->losses_due -= lost;
        s->losses += lost;
        succeed(s, c, lost);
    }
}

/* One lane at this moment; false: it can do nothing now, and wake_ms says when. */
static bool run_lane(struct sim *s, int chat)
{
    struct model_chat *c = &s->chats[chat];
    int digest = -1;
    if (c->busy_until_ms) {
        if (c->busy_until_ms > s->now_ms)
            return false;
        complete(s, chat);
    }
    if (c->rest_until_ms > s->now_ms) {
        c->wake_ms = c->rest_until_ms;
        return false;
    }
    struct chat_view view = view_of(s, chat, &digest);
    struct lane_step step = lane_next(&view, &s->pacer, s->now_ms);
    if (step.act == LANE_WAIT) {
        c->wake_ms = step.wait_ms < 0 ? INT64_MAX : s->now_ms + (step.wait_ms ? step.wait_ms : 1);
        return false;
    }
    if (step.act == LANE_FOLD)
        fold(s, chat, step.reason);
    else
        begin(s, chat, &step, digest);
    return true;
}

/* ------------------------------------------------------------------------------------------------ a day */

static int64_t next_moment(const struct sim *s)
{
    int64_t next = INT64_MAX;
    if (s->next_incident < s->incidents_count)
        next = s->incidents[s->next_incident].at_ms;
    for (int c = 0; c < CHATS; c++) {
        int64_t at = s->chats[c].busy_until_ms ? s->chats[c].busy_until_ms : s->chats[c].wake_ms;
        next = at < next ? at : next;
    }
    return next;
}

static void go_to(struct sim *s, int64_t moment)
{
    for (int c = 0; c < CHATS; c++) {
        struct model_chat *chat = &s->chats[c];
        int64_t until = chat->gone_until_ms > chat->paused_until_ms ? chat->gone_until_ms : chat->paused_until_ms;
        if (chat->rest_until_ms > until)
            until = chat->rest_until_ms;
        if (s->pacer.paused_until_ms > until) /* 429s in a row: the whole bot rests */
            until = s->pacer.paused_until_ms;
        if (until > s->now_ms)
            chat->blocked_ms += (until < moment ? until : moment) - s->now_ms;
    }
    s->now_ms = moment;
    while (s->first_row < s->rows_count && s->rows[s->first_row].announced && s->rows[s->first_row].state >= ROW_FOLDED)
        s->first_row++;
}

static bool run_day(struct sim *s)
{
    s->now_ms = START_MS;
    for (;;) {
        int64_t moment = next_moment(s);
        if (moment == INT64_MAX || s->trouble[0])
            break;
        if (moment > START_MS + 3 * DAY_MS) {
            fail_sim(s, "it never comes to an end", 0, 0);
            break;
        }
        go_to(s, moment > s->now_ms ? moment : s->now_ms);
        while (s->next_incident < s->incidents_count && s->incidents[s->next_incident].at_ms <= s->now_ms)
            run_incident(s, &s->incidents[s->next_incident++]);
        for (int c = 0; c < CHATS; c++)
            for (int i = 0; i < 10 && run_lane(s, c); i++)
                ;
    }
    for (int i = 0; i < s->rows_count; i++) {
        if (!s->rows[i].announced)
            fail_sim(s, "a ring that nobody ever saw", s->rows[i].group, s->rows[i].state);
        else if (s->rows[i].state < ROW_FOLDED)
            fail_sim(s, "a row that is never done with", s->rows[i].group, s->rows[i].state);
    }
    if (s->repeats > s->losses)
        fail_sim(s, "more repeats than lost answers", s->repeats, s->losses);
    return !s->trouble[0];
}

static struct sim *new_sim(uint64_t seed)
{
    struct sim *s = calloc(1, sizeof *s);
    s->dice = seed * 2654435761u + 1;
    s->groups = calloc(GROUPS_MAX, sizeof *s->groups);
    s->rows = calloc(ROWS_MAX, sizeof *s->rows);
    s->digests = calloc(DIGESTS_MAX, sizeof *s->digests);
    s->incidents = calloc(INCIDENTS_MAX, sizeof *s->incidents);
    s->now_ms = START_MS;
    for (int c = 0; c < CHATS; c++)
        s->chats[c].wake_ms = INT64_MAX;
    set_up_rules(s);
    plan_day(s);
    return s;
}

static void free_sim(struct sim *s)
{
    free(s->groups);
    free(s->rows);
    free(s->digests);
    free(s->incidents);
    free(s);
}

static int64_t longest_ms;
static int64_t rings_in_all;

static bool run_seed(uint64_t seed, bool tell)
{
    struct sim *s = new_sim(seed);
    bool ok = run_day(s);
    longest_ms = s->longest_ms > longest_ms ? s->longest_ms : longest_ms;
    rings_in_all += s->rings;
    if (!ok)
        printf("seed %" PRIu64 ": %s\n", seed, s->trouble);
    if (tell || !ok)
        printf("seed %" PRIu64 ": %d incidents, %" PRId64 " rings, %" PRId64 " cards, %" PRId64
               " digest messages, %" PRId64 " lost answers, %" PRId64 " repeats, longest wait %" PRId64 " ms\n",
               seed, s->incidents_count, s->rings, s->cards, s->digest_messages, s->losses, s->repeats, s->longest_ms);
    free_sim(s);
    return ok;
}

static void a_thousand_days(void **state)
{
    (void)state;
    int failed = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        failed += !run_seed(seed, false);
    printf("%d days, %" PRId64 " rings, longest wait in a chat that could be written to: %" PRId64 " ms\n", SEEDS,
           rings_in_all, longest_ms);
    assert_int_equal(failed, 0);
    assert_true(rings_in_all > SEEDS * 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_thousand_days)};
    if (argc > 1)
        return !run_seed(strtoull(argv[1], NULL, 10), true);
    return cmocka_run_group_tests_name("simulator", tests, NULL, NULL);
}
