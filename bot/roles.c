/* roles.c -- settings first, then what was granted, then membership asked of Telegram.
 *
 *     check --listed?--> owner
 *           --granted owner?--> owner
 *           --cached?--> done,  else getChatMember --status--> cache --> done                   */
#include "bot/roles.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "store/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MINUTE_MS = 60 * 1000, PEOPLE_MAX = 32, GRANTED_SHOWN_MAX = 20 };

struct member {
    int64_t user_id;
    int64_t until_ms;
    enum role role;
};

struct minute {
    int64_t since_ms;
    int count;
};

struct stranger {
    int64_t user_id;
    int64_t told_ms;
};

struct roles {
    struct pg *pg;
    struct telegram *telegram;
    struct roles_config config;
    struct member members[MEMBER_CACHE_MAX]; /* a ring: the oldest makes room */
    size_t next_member;
    struct stranger strangers[MEMBER_CACHE_MAX];
    size_t next_stranger;
    struct minute told;  /* lines to strangers */
    struct minute asked; /* memberships of Telegram */
    /* whom errors can be given to */
    struct roles_person admins[PEOPLE_MAX];
    size_t admins_count;
    int64_t admins_until_ms;
    int64_t places[ALERT_RULES_MAX];
    size_t places_count;
};

struct check {
    struct roles *roles;
    int64_t user_id;
    bool in_alert_chat;
    enum role granted;
    role_done_fn *done;
    void *ctx;
};

static const char *const NAMES[] = {NULL, "viewer", "triage", "owner"};

const char *role_name(enum role role)
{
    return NAMES[role];
}

enum role role_of_name(const char *name)
{
    for (int role = ROLE_VIEWER; name && role <= ROLE_OWNER; role++)
        if (strcasecmp(NAMES[role], name) == 0)
            return (enum role)role;
    return ROLE_NONE;
}

struct roles *roles_new(struct pg *pg, struct telegram *telegram, const struct roles_config *config)
{
    struct roles *r = mem_alloc(sizeof *r);
    r->pg = pg;
    r->telegram = telegram;
    r->config = *config;
    return r;
}

void roles_free(struct roles *r)
{
    free(r);
}

void roles_set_chat(struct roles *r, int64_t chat_id)
{
    r->config.alert_chat_id = chat_id;
    memset(r->members, 0, sizeof r->members);
}

void roles_set_places(struct roles *r, const int64_t *chat_ids, size_t count)
{
    r->places_count = count < ALERT_RULES_MAX ? count : ALERT_RULES_MAX;
    memcpy(r->places, chat_ids, r->places_count * sizeof *chat_ids);
}

bool roles_is_place(const struct roles *r, int64_t chat_id)
{
    for (size_t i = 0; i < r->places_count; i++)
        if (r->places[i] == chat_id)
            return true;
    return chat_id == r->config.alert_chat_id;
}

static void finish(struct check *c, enum role role)
{
    if (role < ROLE_TRIAGE && c->in_alert_chat)
        role = ROLE_TRIAGE; /* speaking there is membership */
    if (role < c->granted)
        role = c->granted;
    c->done(c->ctx, role);
    free(c);
}

static const struct member *find_member(const struct roles *r, int64_t user_id)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < MEMBER_CACHE_MAX; i++)
        if (r->members[i].user_id == user_id && r->members[i].until_ms > now)
            return &r->members[i];
    return NULL;
}

static void remember(struct roles *r, int64_t user_id, enum role role)
{
    r->members[r->next_member] =
        (struct member){user_id, clock_mono_ms() + (int64_t)MEMBER_CACHE_SECONDS * 1000, role};
    r->next_member = (r->next_member + 1) % MEMBER_CACHE_MAX;
}

/* Bot API: ChatMember. Administrators are owners only when no owner is named in the settings. */
static enum role role_of_status(const struct roles *r, const json_t *member)
{
    const char *status = json_string_value(json_object_get(member, "status"));
    if (!status)
        return ROLE_NONE;
    bool admin = strcmp(status, "creator") == 0 || strcmp(status, "administrator") == 0;
    if (admin)
        return r->config.owners->count == 0 ? ROLE_OWNER : ROLE_TRIAGE;
    bool inside =
        strcmp(status, "member") == 0 ||
        (strcmp(status, "restricted") == 0 && json_is_true(json_object_get(member, "is_member")));
    return inside ? ROLE_TRIAGE : ROLE_NONE;
}

static void on_member(void *ctx, const struct tg_answer *answer)
{
    struct check *c = ctx;
    enum role role = ROLE_NONE;
    if (answer->outcome == TG_OK)
        role = role_of_status(c->roles, answer->result);
    else
        log_debug("membership not known", LOG_S("error", answer->text), LOG_END);
    bool final = answer->outcome == TG_OK || answer->outcome == TG_REFUSED;
    if (final)
        remember(c->roles, c->user_id, role);
    finish(c, role);
}

/* Fewer than `max` in this minute; counts this one. */
static bool within_minute(struct minute *m, int max)
{
    int64_t now = clock_mono_ms();
    if (!m->since_ms || now - m->since_ms >= MINUTE_MS)
        *m = (struct minute){now, 0};
    return m->count++ < max;
}

static void ask_membership(struct check *c)
{
    struct roles *r = c->roles;
    int64_t chat = r->config.alert_chat_id;
    const struct member *known = find_member(r, c->user_id);
    if (known) {
        finish(c, known->role);
    } else if (chat > 0) { /* a private alert chat has one member, its own id */
        bool self = chat == c->user_id;
        finish(c, !self ? ROLE_NONE : r->config.owners->count == 0 ? ROLE_OWNER : ROLE_TRIAGE);
    } else if (chat == 0 || !r->telegram || !within_minute(&r->asked, MEMBERS_ASKED_PER_MINUTE)) {
        finish(c, ROLE_NONE);
    } else {
        telegram_call(
            r->telegram, "getChatMember",
            json_pack("{s:I,s:I}", "chat_id", (json_int_t)chat, "user_id", (json_int_t)c->user_id),
            10, on_member, c);
    }
}

static void on_granted(void *ctx, const char *role, const struct err *err)
{
    struct check *c = ctx;
    if (err)
        log_debug("roles not read", LOG_S("error", err->text), LOG_END);
    c->granted = role_of_name(role);
    if (c->granted == ROLE_OWNER)
        finish(c, ROLE_OWNER);
    else
        ask_membership(c);
}

void roles_check(struct roles *r, int64_t user_id, int64_t chat_id, role_done_fn *done, void *ctx)
{
    bool in_alert_chat = roles_is_place(r, chat_id);
    bool listed = r->config.console_user_id && user_id == r->config.console_user_id;
    for (size_t i = 0; i < r->config.owners->count; i++)
        listed = listed || r->config.owners->ids[i] == user_id;
    if (listed || !user_id) { /* an anonymous administrator is a member, and nobody we could know */
        done(ctx, listed ? ROLE_OWNER : in_alert_chat ? ROLE_TRIAGE : ROLE_NONE);
        return;
    }
    struct check *c = mem_alloc(sizeof *c);
    *c = (struct check){
        .roles = r, .user_id = user_id, .in_alert_chat = in_alert_chat, .done = done, .ctx = ctx};
    store_granted_get(r->pg, user_id, on_granted, c);
}

bool roles_has_owner(const struct roles *r)
{
    return r->config.owners->count > 0;
}

bool roles_may_tell_stranger(struct roles *r, int64_t user_id)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < MEMBER_CACHE_MAX; i++)
        if (r->strangers[i].user_id == user_id && r->strangers[i].told_ms &&
            now - r->strangers[i].told_ms < (int64_t)STRANGER_SILENCE_SECONDS * 1000)
            return false;
    if (!within_minute(&r->told, STRANGERS_TOLD_PER_MINUTE))
        return false;
    r->strangers[r->next_stranger] = (struct stranger){user_id, now};
    r->next_stranger = (r->next_stranger + 1) % MEMBER_CACHE_MAX;
    return true;
}

/* ------------------------------------------------------------------------------------- who there is */

struct listing {
    struct roles *roles;
    struct roles_person self;
    roles_list_fn *done;
    void *ctx;
};

static void add_person(struct roles *r, int64_t user_id, const char *name)
{
    for (size_t i = 0; i < r->admins_count; i++)
        if (r->admins[i].user_id == user_id)
            return;
    if (r->admins_count == PEOPLE_MAX || !user_id || !name || !*name)
        return;
    struct roles_person *p = &r->admins[r->admins_count++];
    p->user_id = user_id;
    snprintf(p->name, sizeof p->name, "%.*s", (int)utf8_cut(name, strlen(name), sizeof p->name - 1),
             name);
}

static void finish_listing(struct listing *l)
{
    struct roles_person people[PEOPLE_MAX + 1];
    size_t count = 0;
    if (l->self.user_id)
        people[count++] = l->self;
    for (size_t i = 0; i < l->roles->admins_count; i++)
        if (l->roles->admins[i].user_id != l->self.user_id)
            people[count++] = l->roles->admins[i];
    l->done(l->ctx, people, count);
    free(l);
}

static void on_people(void *ctx, const struct person *people, size_t count, const struct err *err)
{
    struct listing *l = ctx;
    for (size_t i = 0; !err && i < count; i++)
        add_person(l->roles, people[i].user_id, people[i].name);
    l->roles->admins_until_ms = clock_mono_ms() + MINUTE_MS;
    finish_listing(l);
}

/* Bot API: ChatMember; an anonymous administrator may be named all the same, for we know the id. */
static void on_admins(void *ctx, const struct tg_answer *answer)
{
    struct listing *l = ctx;
    size_t i = 0;
    const json_t *member = NULL;
    if (answer->outcome != TG_OK)
        log_debug("administrators not known", LOG_S("error", answer->text), LOG_END);
    json_array_foreach(answer->result, i, member)
    {
        const json_t *user = json_object_get(member, "user");
        const char *username = json_string_value(json_object_get(user, "username"));
        const char *first = json_string_value(json_object_get(user, "first_name"));
        char name[64];
        if (json_is_true(json_object_get(user, "is_bot")))
            continue;
        snprintf(name, sizeof name, "%s%.*s", username ? "@" : "",
                 (int)utf8_cut(username ? username
                               : first  ? first
                                        : "",
                               strlen(username ? username
                                      : first  ? first
                                               : ""),
                               60),
                 username ? username
                 : first  ? first
                          : "");
        add_person(l->roles, (int64_t)json_integer_value(json_object_get(user, "id")), name);
    }
    store_people_list(l->roles->pg, false, GRANTED_SHOWN_MAX, on_people, l);
}

void roles_list(struct roles *r, const struct roles_person *self, roles_list_fn *done, void *ctx)
{
    struct listing *l = mem_alloc(sizeof *l);
    *l = (struct listing){r, *self, done, ctx};
    if (clock_mono_ms() < r->admins_until_ms) {
        finish_listing(l);
        return;
    }
    r->admins_count = 0;
    if (r->telegram && r->config.alert_chat_id < 0)
        telegram_call(r->telegram, "getChatAdministrators",
                      json_pack("{s:I}", "chat_id", (json_int_t)r->config.alert_chat_id), 10,
                      on_admins, l);
    else
        store_people_list(r->pg, false, GRANTED_SHOWN_MAX, on_people, l);
}
