/* person.c -- the tables chat_person and chat_member. */
#include "store/person.h"

#include "core/log.h"
#include "core/mem.h"

#include <stdlib.h>

enum { PEOPLE_READ_MAX = 100 };

struct granted_call {
    granted_fn *done;
    void *ctx;
};

static void on_granted(void *ctx, const struct pg_reply *reply)
{
    struct granted_call *call = ctx;
    const PGresult *rows = reply->err ? NULL : reply->results[reply->count - 1];
    const char *role = rows && PQntuples(rows) == 1 ? pg_get_text(rows, 0, 0) : NULL;
    call->done(call->ctx, role, reply->err);
    free(call);
}

static struct granted_call *granted_call_new(granted_fn *done, void *ctx)
{
    struct granted_call *call = mem_alloc(sizeof *call);
    *call = (struct granted_call){done, ctx};
    return call;
}

void store_granted_get(struct pg *pg, int64_t user_id, granted_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT role FROM chat_member WHERE user_id = $1");
    pg_i64(batch, user_id);
    pg_run(pg, batch, on_granted, granted_call_new(done, ctx));
}

void store_granted_put(struct pg *pg, int64_t user_id, const char *role, const char *name,
                       const struct actor *actor, granted_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    store_actor_set(batch, actor);
    pg_add(batch, "SELECT nabat_grant($1, $2, $3)");
    pg_i64(batch, user_id);
    pg_text(batch, role);
    pg_text(batch, name);
    pg_run(pg, batch, on_granted, granted_call_new(done, ctx));
}

struct people_call {
    people_fn *done;
    void *ctx;
};

static void on_people(void *ctx, const struct pg_reply *reply)
{
    struct people_call *call = ctx;
    struct person people[PEOPLE_READ_MAX];
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t count = rows ? (size_t)PQntuples(rows) : 0;
    for (size_t i = 0; i < count && i < PEOPLE_READ_MAX; i++)
        people[i] = (struct person){.user_id = pg_get_i64(rows, (int)i, 0),
                                    .name = pg_get_text(rows, (int)i, 1),
                                    .role = pg_get_text(rows, (int)i, 2)};
    call->done(call->ctx, people, count, reply->err);
    free(call);
}

static struct people_call *people_call_new(people_fn *done, void *ctx)
{
    struct people_call *call = mem_alloc(sizeof *call);
    *call = (struct people_call){done, ctx};
    return call;
}

/* clang-format off */
static const char PEOPLE_SQL[] =
    "SELECT coalesce(p.user_id, m.user_id), coalesce(p.name, m.name, coalesce(p.user_id, m.user_id)::text), "
    "m.role FROM chat_person p FULL JOIN chat_member m ON m.user_id = p.user_id "
    "WHERE NOT $1::bool OR m.role IS NOT NULL "
    "ORDER BY coalesce(p.seen_at, m.added_at) DESC, 1 LIMIT $2";
static const char FIND_SQL[] =
    "SELECT p.user_id, p.name, m.role FROM chat_person p LEFT JOIN chat_member m USING (user_id) "
    "WHERE lower(p.username) = lower(ltrim($1, '@')) OR p.user_id::text = $1 "
    "ORDER BY p.seen_at DESC LIMIT 1";
/* The row changes at most once a day unless the name did: a busy chat is no write load. */
static const char MET_SQL[] =
    "INSERT INTO chat_person AS c (user_id, username, name) VALUES ($1, $2, $3) "
    "ON CONFLICT (user_id) DO UPDATE SET username = excluded.username, name = excluded.name, "
    "seen_at = now() WHERE (c.username, c.name) IS DISTINCT FROM (excluded.username, excluded.name) "
    "OR c.seen_at < now() - interval '1 day'";
/* clang-format on */

void store_people_list(struct pg *pg, bool granted_only, int64_t limit, people_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, PEOPLE_SQL);
    pg_bool(batch, granted_only);
    pg_i64(batch, limit < PEOPLE_READ_MAX ? limit : PEOPLE_READ_MAX);
    pg_run(pg, batch, on_people, people_call_new(done, ctx));
}

void store_people_find(struct pg *pg, const char *name_or_id, people_fn *done, void *ctx)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, FIND_SQL);
    pg_text(batch, name_or_id);
    pg_run(pg, batch, on_people, people_call_new(done, ctx));
}

static void on_met(void *ctx, const struct pg_reply *reply)
{
    (void)ctx;
    if (reply->err)
        log_debug("person not remembered", LOG_S("error", reply->err->text), LOG_END);
}

void store_person_met(struct pg *pg, int64_t user_id, const char *username, const char *name)
{
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, MET_SQL);
    pg_i64(batch, user_id);
    pg_text(batch, username);
    pg_text(batch, name);
    pg_run(pg, batch, on_met, NULL);
}

struct forgot_call {
    forgot_fn *done;
    void *ctx;
};

static void on_forgot(void *ctx, const struct pg_reply *reply)
{
    struct forgot_call *call = ctx;
    call->done(call->ctx, reply->err ? 0 : pg_get_i64(reply->results[0], 0, 0), reply->err);
    free(call);
}

void store_person_forget(struct pg *pg, const char *user_id, forgot_fn *done, void *ctx)
{
    struct forgot_call *call = mem_alloc(sizeof *call);
    *call = (struct forgot_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch, "SELECT forget_user($1)");
    pg_text(batch, user_id);
    pg_run(pg, batch, on_forgot, call);
}

struct owners_call {
    owners_fn *done;
    void *ctx;
};

static void on_owners(void *ctx, const struct pg_reply *reply)
{
    struct owners_call *call = ctx;
    int64_t ids[PEOPLE_READ_MAX];
    const PGresult *rows = reply->err ? NULL : reply->results[0];
    size_t count = rows ? (size_t)PQntuples(rows) : 0;
    for (size_t i = 0; i < count && i < PEOPLE_READ_MAX; i++)
        ids[i] = pg_get_i64(rows, (int)i, 0);
    call->done(call->ctx, ids, count, reply->err);
    free(call);
}

void store_owners_list(struct pg *pg, owners_fn *done, void *ctx)
{
    struct owners_call *call = mem_alloc(sizeof *call);
    *call = (struct owners_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    pg_add(batch,
           "SELECT user_id FROM chat_member WHERE role = 'owner' ORDER BY added_at LIMIT 100");
    pg_run(pg, batch, on_owners, call);
}
