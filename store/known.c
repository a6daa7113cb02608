/* known.c -- one batch of small queries, decoded the same from the database and from the mirror. */
#include "store/known.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"
#include "store/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double ASK_SECONDS = 5.0;

static const char SETTINGS_SQL[] = "SELECT name, value FROM service_setting WHERE name = $1 "
                                   "OR name LIKE $2 || '%' ORDER BY name LIMIT 100";
static const char LOOKS_SQL[] = "SELECT chat_id, language, time_zone FROM chat_setting "
                                "WHERE language IS NOT NULL OR time_zone IS NOT NULL "
                                "ORDER BY chat_id LIMIT 500";
enum { RESULT_RULES, RESULT_GROUPS = RULES_RESULTS, RESULT_SETTINGS, RESULT_LOOKS, RESULTS };
_Static_assert((int)RESULTS == (int)MIRROR_KNOWN_RESULTS, "the mirror's set");

struct known {
    struct ev_loop *loop;
    struct mirror *mirror;
    struct pg *pg;
    int64_t rung_within_s;
    bool asking;
    bool asked; /* the database, by this process */
    ev_timer ask;
    struct rules *rules;
    struct known_groups *groups;
    PGresult *results[MIRROR_RESULTS_MAX]; /* own; what the others borrow from */
};

static void forget(struct known *k)
{
    store_rules_free(k->rules);
    store_known_groups_free(k->groups);
    for (size_t i = 0; i < RESULTS; i++) {
        PQclear(k->results[i]);
        k->results[i] = NULL;
    }
    k->rules = NULL;
    k->groups = NULL;
}

static void take_mirrored(struct known *k)
{
    PGresult *results[MIRROR_RESULTS_MAX];
    if (!store_mirror_get(k->mirror, MIRROR_KNOWN, results))
        return;
    forget(k);
    memcpy(k->results, results, RESULTS * sizeof *results);
    k->rules = store_rules_read(k->results + RESULT_RULES);
    k->groups = store_facts_read_known(k->results[RESULT_GROUPS]);
}

void store_known_recall(struct known *k)
{
    if (!k->asked)
        take_mirrored(k);
}

static void on_answer(void *ctx, const struct pg_reply *reply)
{
    struct known *k = ctx;
    k->asking = false;
    if (reply->err) {
        log_debug("what ringing needs to know is not read", LOG_S("error", reply->err->text),
                  LOG_END);
        return;
    }
    k->asked = true;
    store_mirror_put(k->mirror, MIRROR_KNOWN, reply->results);
    take_mirrored(k);
}

static void on_ask(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct known *k = timer->data;
    if (k->asking || !pg_is_up(k->pg))
        return;
    struct pg_batch *batch = pg_batch_new();
    store_rules_ask(batch);
    store_facts_ask_known(batch, k->rung_within_s);
    pg_add(batch, SETTINGS_SQL);
    pg_text(batch, SETTING_ALERT_CHAT);
    pg_text(batch, SETTING_CHAT_MOVED);
    pg_add(batch, LOOKS_SQL);
    k->asking = true;
    pg_run(k->pg, batch, on_answer, k);
}

struct known *store_known_new(struct ev_loop *loop, struct mirror *mirror, int64_t rung_within_s)
{
    struct known *k = mem_alloc(sizeof *k);
    k->loop = loop;
    k->mirror = mirror;
    k->rung_within_s = rung_within_s;
    k->rules = store_rules_new();
    ev_timer_init(&k->ask, on_ask, 0.1, ASK_SECONDS);
    k->ask.data = k;
    return k;
}

void store_known_open(struct known *k, struct pg *pg)
{
    k->pg = pg;
    ev_timer_start(k->loop, &k->ask);
}

void store_known_free(struct known *k)
{
    if (!k)
        return;
    ev_timer_stop(k->loop, &k->ask);
    forget(k);
    free(k);
}

const struct rules *store_known_rules(const struct known *k)
{
    return k->rules;
}

const struct fact *store_known_group(const struct known *k, int32_t project_id,
                                     const char *fingerprint)
{
    return store_known_groups_find(k->groups, project_id, fingerprint);
}

static int64_t setting(const struct known *k, const char *name)
{
    const PGresult *rows = k->results[RESULT_SETTINGS];
    for (int row = 0; rows && row < PQntuples(rows); row++)
        if (strcmp(pg_get_text(rows, row, 0), name) == 0)
            return pg_get_i64(rows, row, 1);
    return 0;
}

int64_t store_known_chat(const struct known *k, int64_t chat_id)
{
    char name[64];
    if (!chat_id)
        chat_id = setting(k, SETTING_ALERT_CHAT);
    snprintf(name, sizeof name, SETTING_CHAT_MOVED "%lld", (long long)chat_id);
    int64_t moved = setting(k, name);
    return moved ? moved : chat_id;
}

bool store_known_look(const struct known *k, int64_t chat_id, struct known_look *out)
{
    const PGresult *rows = k->results[RESULT_LOOKS];
    *out = (struct known_look){"", ""};
    for (int row = 0; rows && row < PQntuples(rows); row++)
        if (pg_get_i64(rows, row, 0) == chat_id) {
            const char *language = pg_get_text(rows, row, 1);
            const char *zone = pg_get_text(rows, row, 2);
            snprintf(out->language, sizeof out->language, "%s", language ? language : "");
            snprintf(out->time_zone, sizeof out->time_zone, "%s", zone ? zone : "");
            return true;
        }
    return false;
}
