/* roles.c -- settings first, then owners in the database, then membership asked of Telegram.
 *
 *     check --listed?--> owner
 *           --in the database?--> owner
 *           --cached?--> done,  else getChatMember --status--> cache --> done                   */
#include "bot/roles.h"

#include "core/clock.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/update.h"

#include <stdlib.h>
#include <string.h>

struct member {
    int64_t user_id;
    int64_t until_ms;
    enum role role;
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
};

struct check {
    struct roles *roles;
    int64_t user_id;
    bool in_alert_chat;
    role_done_fn *done;
    void *ctx;
};

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

static void finish(struct check *c, enum role role)
{
    if (role < ROLE_TRIAGE && c->in_alert_chat)
        role = ROLE_TRIAGE; /* speaking there is membership */
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
    } else if (chat == 0 || !r->telegram) {
        finish(c, ROLE_NONE);
    } else {
        telegram_call(
            r->telegram, "getChatMember",
            json_pack("{s:I,s:I}", "chat_id", (json_int_t)chat, "user_id", (json_int_t)c->user_id),
            10, on_member, c);
    }
}

static void on_owner(void *ctx, bool is_owner, const struct err *err)
{
    struct check *c = ctx;
    if (err)
        log_debug("owners not read", LOG_S("error", err->text), LOG_END);
    if (is_owner)
        finish(c, ROLE_OWNER);
    else
        ask_membership(c);
}

void roles_check(struct roles *r, int64_t user_id, int64_t chat_id, role_done_fn *done, void *ctx)
{
    bool listed = r->config.console_user_id && user_id == r->config.console_user_id;
    for (size_t i = 0; i < r->config.owners->count; i++)
        listed = listed || r->config.owners->ids[i] == user_id;
    if (listed) {
        done(ctx, ROLE_OWNER);
        return;
    }
    struct check *c = mem_alloc(sizeof *c);
    *c = (struct check){r, user_id, chat_id == r->config.alert_chat_id, done, ctx};
    store_owner_check(r->pg, user_id, on_owner, c);
}

bool roles_may_tell_stranger(struct roles *r, int64_t user_id)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < MEMBER_CACHE_MAX; i++)
        if (r->strangers[i].user_id == user_id && r->strangers[i].told_ms &&
            now - r->strangers[i].told_ms < (int64_t)STRANGER_SILENCE_SECONDS * 1000)
            return false;
    r->strangers[r->next_stranger] = (struct stranger){user_id, now};
    r->next_stranger = (r->next_stranger + 1) % MEMBER_CACHE_MAX;
    return true;
}
