/* causes.c -- a table of errors by project and fingerprint, and the engine asked about each event.
 *
 * The hard thing: the engine decides from what the database says of a group, and now nobody can ask. Its
 * fact is put together from the event, from what the mirror knew last (muted, taken, rung) and from what
 * rang since. */
#include "alerts/causes.h"

#include "core/limits.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "store/channel.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096, MESSAGE_BYTES = 1000, STACK_BYTES = 3000, CAUSE_TEXT_BYTES_MAX = 32 * KIB };
_Static_assert(SLOTS > EMERGENCY_CAUSES_MAX * 2 - 1, "the table is never more than half full");

struct causes {
    struct cause *slots[SLOTS];
    size_t count;
    int64_t overflow;
};

struct causes *causes_new(void)
{
    return mem_alloc(sizeof(struct causes));
}

static void cause_free(struct cause *cause)
{
    if (!cause)
        return;
    arena_free(cause->texts);
    free(cause);
}

void causes_free(struct causes *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        cause_free(c->slots[i]);
    free(c);
}

/* The fingerprint is a hash already. */
static struct cause **slot_of(struct causes *c, int32_t project_id, const char *fingerprint)
{
    size_t at = (size_t)project_id;
    for (const char *p = fingerprint; *p; p++)
        at = at * 31 + (unsigned char)*p;
    for (at &= SLOTS - 1; c->slots[at]; at = (at + 1) & (SLOTS - 1))
        if (c->slots[at]->project_id == project_id &&
            strcmp(c->slots[at]->fingerprint, fingerprint) == 0)
            break;
    return &c->slots[at];
}

/* At most `bytes_max` of it, from its beginning. */
static const char *copy(struct cause *cause, const char *text, size_t bytes_max)
{
    if (!text)
        return NULL;
    size_t len = strlen(text);
    return arena_str_dup_n(cause->texts, text, utf8_cut(text, len, bytes_max));
}

/* The end of a stack is what matters. */
static const char *copy_end(struct cause *cause, const char *text, bool *is_cut)
{
    size_t len = text ? strlen(text) : 0;
    *is_cut = len > STACK_BYTES;
    if (!*is_cut)
        return copy(cause, text, STACK_BYTES);
    const char *from = text + len - STACK_BYTES;
    const char *line = strchr(from, '\n');
    return copy(cause, line ? line + 1 : from, STACK_BYTES);
}

static void fill_group(struct cause *cause, const struct event *e, const struct causes_known *known)
{
    struct group *g = &cause->group;
    int64_t first_seen_ms = g->first_seen_ms ? g->first_seen_ms : e->received_ms;
    arena_free(cause->texts);
    cause->texts = arena_new(CAUSE_TEXT_BYTES_MAX);
    *g = (struct group){
        .id = cause->fact.group_id,
        .project_id = e->project_id,
        .project = copy(cause, known->project, NAME_BYTES_MAX),
        .title = copy(cause, e->title, TITLE_BYTES_MAX),
        .culprit = copy(cause, e->culprit, NAME_BYTES_MAX),
        .origin = copy(cause, e->origin, ORIGIN_BYTES_MAX),
        .handler = copy(cause, e->handler, NAME_BYTES_MAX),
        .severity = e->severity,
        .status = cause->fact.status,
        .occurrences = cause->fact.occurrences,
        .first_seen_ms = first_seen_ms,
        .last_seen_ms = e->received_ms,
        .environment = copy(cause, e->environment, NAME_BYTES_MAX),
        .release = copy(cause, e->release, NAME_BYTES_MAX),
        .server_name = copy(cause, e->server_name, NAME_BYTES_MAX),
        .user_id = copy(cause, e->user_id, NAME_BYTES_MAX),
        .gen_request_id = copy(cause, e->gen_request_id, NAME_BYTES_MAX),
        .has_chat_id = e->has_chat_id,
        .chat_id = e->chat_id,
        .exception_type = copy(cause, e->exception_type, NAME_BYTES_MAX),
        .message = copy(cause, e->message, MESSAGE_BYTES),
    };
    g->stack_part = copy_end(cause, e->stacktrace, &g->stack_is_cut);
}

/* When it rang in that chat last, as far as anybody knows. */
static void note_ring(struct cause *cause, int64_t chat_id, int64_t at_ms)
{
    struct fact *f = &cause->fact;
    for (size_t i = 0; i < f->states_count; i++)
        if (cause->states[i].chat_id == chat_id) {
            if (cause->states[i].last_ring_ms < at_ms)
                cause->states[i].last_ring_ms = at_ms;
            return;
        }
    if (f->states_count < ROUTES_MAX)
        cause->states[f->states_count++] =
            (struct place_state){.chat_id = chat_id, .last_ring_ms = at_ms};
}

static void learn(struct cause *cause, const struct causes_known *known)
{
    struct fact *f = &cause->fact;
    const struct fact *group = known->group;
    size_t states = f->states_count;
    *f = group ? *group : (struct fact){.is_new = true, .occurrences = f->occurrences};
    f->origin = f->handler = f->title = f->environment = f->project = f->minutes = NULL;
    f->states = cause->states;
    f->states_count = states;
    for (size_t i = 0; group && i < group->states_count; i++)
        note_ring(cause, group->states[i].chat_id, group->states[i].last_ring_ms);
    for (size_t i = 0; i < known->rangs_count; i++) {
        const struct rang *r = &known->rangs[i];
        if (!r->message_id && r->chat_id < CHANNEL_ID_MIN)
            continue; /* it may not have arrived, and whoever knew has ended */
        if (r->project_id == cause->project_id && strcmp(r->fingerprint, cause->fingerprint) == 0)
            note_ring(cause, r->chat_id, r->at_ms);
    }
    cause->is_stale = false;
}

static struct cause *cause_new(const struct event *e, const struct causes_known *known)
{
    struct cause *cause = mem_alloc(sizeof *cause);
    cause->project_id = e->project_id;
    memcpy(cause->fingerprint, e->fingerprint, sizeof cause->fingerprint);
    learn(cause, known);
    return cause;
}

/* Whether any place wants to hear of events like this one; what no rule asks for takes no memory. */
static bool is_wanted(const struct event *e, const struct causes_known *known)
{
    struct route routes[ROUTES_MAX];
    struct subject subject = {.severity = e->severity,
                              .origin = e->origin,
                              .project = known->project,
                              .environment = e->environment,
                              .handler = e->handler,
                              .title = e->title,
                              .is_new = known->group == NULL,
                              .events = 1,
                              .now_ms = known->now_ms};
    return rules_route(known->rules, &known->root, &subject, routes, NULL) > 0;
}

bool causes_rings(const struct ring *ring)
{
    return ring->rings && ring->chat_id && !ring->hold;
}

struct cause *causes_note(struct causes *c, const struct event *e, const struct causes_known *known,
                          struct rings *rings)
{
    struct engine_config config = {known->root, known->rules};
    struct cause **slot = slot_of(c, e->project_id, e->fingerprint);
    if (e->is_import || (!*slot && !is_wanted(e, known)))
        return NULL;
    if (!*slot && c->count == EMERGENCY_CAUSES_MAX) {
        c->overflow++;
        return NULL;
    }
    if (!*slot) {
        *slot = cause_new(e, known);
        c->count++;
    } else if ((*slot)->is_stale) {
        learn(*slot, known);
    }
    struct cause *cause = *slot;
    cause->fact.occurrences++;
    struct fact f = cause->fact;
    f.kind = FACT_EVENT;
    f.n = 1;
    f.severity = e->severity;
    f.occurred_max_ms = e->occurred_ms;
    f.created_ms = known->now_ms;
    f.environment = e->environment;
    f.origin = e->origin;
    f.handler = e->handler;
    f.title = e->title;
    f.project = known->project;
    size_t first = rings->count;
    struct verdict v = engine_decide(&config, &f, 1, known->now_ms, rings);
    if (v.reopen) { /* once: what comes next is of an open group */
        cause->fact.status = STATUS_NEW;
        cause->fact.resolved_ms = 0;
    }
    bool rang = false;
    for (size_t i = first; i < rings->count; i++)
        if (causes_rings(&rings->rings[i])) {
            note_ring(cause, rings->rings[i].chat_id, known->now_ms);
            rang = true;
        }
    if (rang && !cause->waiting) /* what is held back needs no texts */
        fill_group(cause, e, known);
    cause->group.occurrences = cause->fact.occurrences;
    cause->group.last_seen_ms = e->received_ms;
    return cause;
}

void causes_told(struct cause *cause)
{
    if (--cause->waiting > 0)
        return;
    arena_free(cause->texts);
    cause->texts = NULL;
    cause->group = (struct group){.first_seen_ms = cause->group.first_seen_ms};
}

int64_t causes_take_overflow(struct causes *c)
{
    int64_t n = c->overflow;
    c->overflow = 0;
    return n;
}

void causes_expire(struct causes *c)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (c->slots[i])
            c->slots[i]->is_stale = true;
}
