/* rules.c -- the tables of rules, read in one go. */
#include "store/rules.h"

#include "core/limits.h"
#include "core/log.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const OCCASIONS[] = {"any", "new", "regressed", "rate", "first"};

const char *occasion_name(enum occasion occasion)
{
    return OCCASIONS[occasion];
}

/* A rule whose channel is gone or off is off: what it would take rings in the alert chat. */
static const char RULES_SQL[] =
    "SELECT id, parent_id, name, severity, origin, project, environment, handler, text, occasion, "
    "rate_count, rate_minutes, first_days, chat_id, thread_id, language, silent, cooldown, "
    "nowhere, "
    "continues, enabled AND (r.chat_id IS NULL OR r.chat_id < 5000000000000000 OR EXISTS "
    "(SELECT 1 FROM alert_channel c WHERE c.id = r.chat_id AND c.enabled)), (SELECT c.name FROM "
    "alert_channel c WHERE c.id = r.chat_id) "
    "FROM alert_rule r ORDER BY position, id LIMIT $1";
enum {
    RULE_ID,
    RULE_PARENT,
    RULE_NAME,
    RULE_SEVERITY,
    RULE_ORIGIN,
    RULE_PROJECT,
    RULE_ENVIRONMENT,
    RULE_HANDLER,
    RULE_TEXT,
    RULE_OCCASION,
    RULE_RATE_COUNT,
    RULE_RATE_MINUTES,
    RULE_FIRST_DAYS,
    RULE_CHAT,
    RULE_THREAD,
    RULE_LANGUAGE,
    RULE_SILENT,
    RULE_COOLDOWN,
    RULE_NOWHERE,
    RULE_CONTINUES,
    RULE_ENABLED,
    RULE_CHANNEL
};
/* clang-format off */
static const char SILENCES_SQL[] =
    "SELECT id, chat_id, origin, project, environment, reason, " PG_MS("starts_at") ", "
    PG_MS("ends_at") " FROM alert_silence WHERE ends_at > now() ORDER BY ends_at DESC LIMIT $1";
enum {
    SILENCE_ID, SILENCE_CHAT, SILENCE_ORIGIN, SILENCE_PROJECT, SILENCE_ENVIRONMENT, SILENCE_REASON,
    SILENCE_FROM, SILENCE_UNTIL
};
static const char QUIET_SQL[] =
    "SELECT chat_id, (extract(epoch FROM quiet_from) / 60)::bigint, "
    "(extract(epoch FROM quiet_to) / 60)::bigint, coalesce(quiet_holds, false), time_zone "
    "FROM chat_setting WHERE quiet_from IS NOT NULL AND quiet_to IS NOT NULL LIMIT $1";
enum { QUIET_CHAT, QUIET_FROM, QUIET_TO, QUIET_HOLDS, QUIET_ZONE };
static const char INHIBITIONS_SQL[] =
    "SELECT id, source_severity, source_origin, source_environment, source_text, target_origin, "
    "target_environment, target_text, same_project, same_environment, minutes "
    "FROM alert_inhibition WHERE enabled ORDER BY id LIMIT $1";
enum {
    INHIBIT_ID, INHIBIT_SEVERITY, INHIBIT_SOURCE_ORIGIN, INHIBIT_SOURCE_ENVIRONMENT,
    INHIBIT_SOURCE_TEXT, INHIBIT_TARGET_ORIGIN, INHIBIT_TARGET_ENVIRONMENT, INHIBIT_TARGET_TEXT,
    INHIBIT_PROJECT, INHIBIT_ENVIRONMENT, INHIBIT_MINUTES
};
static const char FIRINGS_SQL[] =
    "SELECT f.inhibition_id, f.group_id, " PG_MS("f.seen_at") ", p.slug, f.environment, g.title "
    "FROM alert_firing f JOIN error_group g ON g.id = f.group_id AND g.status <> 'resolved' "
    "JOIN project p ON p.id = g.project_id WHERE f.seen_at > now() - interval '1 hour' "
    "ORDER BY f.seen_at DESC LIMIT $1";
enum {
    FIRING_INHIBITION, FIRING_GROUP, FIRING_SEEN, FIRING_PROJECT, FIRING_ENVIRONMENT, FIRING_TITLE
};
/* clang-format on */

static void put(char *out, size_t size, const PGresult *r, int row, int column)
{
    const char *text = pg_get_text(r, row, column);
    snprintf(out, size, "%s", text ? text : "");
}

static int severity_of(const PGresult *r, int row, int column)
{
    const char *text = pg_get_text(r, row, column);
    enum severity severity = SEV_DEBUG;
    return text && severity_parse(text, strlen(text), &severity) ? (int)severity : -1;
}

static int64_t or_unset(const PGresult *r, int row, int column, int64_t factor)
{
    return PQgetisnull(r, row, column) ? -1 : pg_get_i64(r, row, column) * factor;
}

#define PUT(field, column) put((field), sizeof(field), r, row, (column))

static void read_rule(const PGresult *r, int row, struct rule *rule)
{
    const char *occasion = pg_get_text(r, row, RULE_OCCASION);
    *rule = (struct rule){
        .id = pg_get_i64(r, row, RULE_ID),
        .parent_id = pg_get_i64(r, row, RULE_PARENT),
        .enabled = pg_get_bool(r, row, RULE_ENABLED),
        .match.severity_min = severity_of(r, row, RULE_SEVERITY),
        .rate_count = pg_get_i64(r, row, RULE_RATE_COUNT),
        .rate_minutes = pg_get_i64(r, row, RULE_RATE_MINUTES),
        .first_days = pg_get_i64(r, row, RULE_FIRST_DAYS),
        .chat_id = pg_get_i64(r, row, RULE_CHAT),
        .thread_id = pg_get_i64(r, row, RULE_THREAD),
        .silent = PQgetisnull(r, row, RULE_SILENT) ? -1 : pg_get_bool(r, row, RULE_SILENT),
        .cooldown_ms = or_unset(r, row, RULE_COOLDOWN, 1000),
        .nowhere = pg_get_bool(r, row, RULE_NOWHERE),
        .continues = pg_get_bool(r, row, RULE_CONTINUES),
    };
    PUT(rule->name, RULE_NAME);
    PUT(rule->match.origin, RULE_ORIGIN);
    PUT(rule->match.project, RULE_PROJECT);
    PUT(rule->match.environment, RULE_ENVIRONMENT);
    PUT(rule->match.handler, RULE_HANDLER);
    PUT(rule->match.text, RULE_TEXT);
    PUT(rule->language, RULE_LANGUAGE);
    PUT(rule->channel, RULE_CHANNEL);
    for (size_t i = 0; i < sizeof OCCASIONS / sizeof *OCCASIONS; i++)
        if (strcmp(OCCASIONS[i], occasion) == 0)
            rule->occasion = (enum occasion)i;
}

static void read_silence(const PGresult *r, int row, struct silence *s)
{
    *s = (struct silence){.id = pg_get_i64(r, row, SILENCE_ID),
                          .chat_id = pg_get_i64(r, row, SILENCE_CHAT),
                          .match.severity_min = -1,
                          .from_ms = pg_get_i64(r, row, SILENCE_FROM),
                          .until_ms = pg_get_i64(r, row, SILENCE_UNTIL)};
    PUT(s->match.origin, SILENCE_ORIGIN);
    PUT(s->match.project, SILENCE_PROJECT);
    PUT(s->match.environment, SILENCE_ENVIRONMENT);
    PUT(s->reason, SILENCE_REASON);
}

static void read_quiet(const PGresult *r, int row, struct quiet_hours *q)
{
    *q = (struct quiet_hours){.chat_id = pg_get_i64(r, row, QUIET_CHAT),
                              .from_minute = (int)pg_get_i64(r, row, QUIET_FROM),
                              .to_minute = (int)pg_get_i64(r, row, QUIET_TO),
                              .holds = pg_get_bool(r, row, QUIET_HOLDS)};
    PUT(q->zone, QUIET_ZONE);
}

static void read_inhibition(const PGresult *r, int row, struct inhibition *i)
{
    *i = (struct inhibition){.id = pg_get_i64(r, row, INHIBIT_ID),
                             .source.severity_min = severity_of(r, row, INHIBIT_SEVERITY),
                             .target.severity_min = -1,
                             .same_project = pg_get_bool(r, row, INHIBIT_PROJECT),
                             .same_environment = pg_get_bool(r, row, INHIBIT_ENVIRONMENT),
                             .span_ms = pg_get_i64(r, row, INHIBIT_MINUTES) * 60 * 1000};
    PUT(i->source.origin, INHIBIT_SOURCE_ORIGIN);
    PUT(i->source.environment, INHIBIT_SOURCE_ENVIRONMENT);
    PUT(i->source.text, INHIBIT_SOURCE_TEXT);
    PUT(i->target.origin, INHIBIT_TARGET_ORIGIN);
    PUT(i->target.environment, INHIBIT_TARGET_ENVIRONMENT);
    PUT(i->target.text, INHIBIT_TARGET_TEXT);
}

static void read_firing(const PGresult *r, int row, struct firing *f)
{
    const char *title = pg_get_text(r, row, FIRING_TITLE);
    *f = (struct firing){.inhibition_id = pg_get_i64(r, row, FIRING_INHIBITION),
                         .group_id = pg_get_i64(r, row, FIRING_GROUP),
                         .seen_ms = pg_get_i64(r, row, FIRING_SEEN)};
    PUT(f->project, FIRING_PROJECT);
    PUT(f->environment, FIRING_ENVIRONMENT);
    snprintf(f->about, sizeof f->about, "#%lld %s", (long long)f->group_id, title ? title : "");
}

#undef PUT

struct rules *store_rules_new(void)
{
    struct rules *rules = mem_alloc(sizeof *rules);
    rules->version = -1;
    rules->firings = mem_alloc(FIRINGS_MAX * sizeof *rules->firings);
    return rules;
}

void store_rules_free(struct rules *rules)
{
    if (!rules)
        return;
    free(rules->rules);
    free(rules->silences);
    free(rules->quiet);
    free(rules->inhibitions);
    free(rules->firings);
    free(rules);
}

struct load_call {
    rules_done_fn *done;
    void *ctx;
};

static const char CHATS_SQL[] = "SELECT url::bigint FROM alert_channel WHERE kind = 'telegram' "
                                "AND enabled ORDER BY id LIMIT $1";

enum {
    LOAD_VERSION,
    LOAD_RULES,
    LOAD_SILENCES,
    LOAD_QUIET,
    LOAD_INHIBITIONS,
    LOAD_FIRINGS,
    LOAD_CHATS
};

static size_t rows_of(const PGresult *r, const char *what)
{
    int rows = PQntuples(r);
    if (rows >= ALERT_RULES_MAX)
        log_warn("no more of them are looked at", LOG_S("what", what),
                 LOG_I("limit", ALERT_RULES_MAX), LOG_END);
    return (size_t)rows;
}

struct rules *store_rules_read(PGresult *const *r)
{
    struct rules *rules = store_rules_new();
    rules->version = pg_get_i64(r[LOAD_VERSION], 0, 0);
    rules->rules_count = rows_of(r[LOAD_RULES], "alert_rule");
    rules->silences_count = rows_of(r[LOAD_SILENCES], "alert_silence");
    rules->quiet_count = rows_of(r[LOAD_QUIET], "quiet hours");
    rules->inhibitions_count = rows_of(r[LOAD_INHIBITIONS], "alert_inhibition");
    rules->firings_count = (size_t)PQntuples(r[LOAD_FIRINGS]);
    rules->rules = mem_alloc((rules->rules_count + 1) * sizeof *rules->rules);
    rules->silences = mem_alloc((rules->silences_count + 1) * sizeof *rules->silences);
    rules->quiet = mem_alloc((rules->quiet_count + 1) * sizeof *rules->quiet);
    rules->inhibitions = mem_alloc((rules->inhibitions_count + 1) * sizeof *rules->inhibitions);
    for (size_t i = 0; i < rules->rules_count; i++) {
        read_rule(r[LOAD_RULES], (int)i, &rules->rules[i]);
        rules->has_rates = rules->has_rates ||
                           (rules->rules[i].enabled && rules->rules[i].occasion == OCCASION_RATE);
    }
    for (size_t i = 0; i < rules->silences_count; i++)
        read_silence(r[LOAD_SILENCES], (int)i, &rules->silences[i]);
    for (size_t i = 0; i < rules->quiet_count; i++)
        read_quiet(r[LOAD_QUIET], (int)i, &rules->quiet[i]);
    for (size_t i = 0; i < rules->inhibitions_count; i++)
        read_inhibition(r[LOAD_INHIBITIONS], (int)i, &rules->inhibitions[i]);
    for (size_t i = 0; i < rules->firings_count; i++)
        read_firing(r[LOAD_FIRINGS], (int)i, &rules->firings[i]);
    rules->chats_count = (size_t)PQntuples(r[LOAD_CHATS]);
    for (size_t i = 0; i < rules->chats_count; i++)
        rules->chats[i] = pg_get_i64(r[LOAD_CHATS], (int)i, 0);
    return rules;
}

static void on_loaded(void *ctx, const struct pg_reply *reply)
{
    struct load_call *call = ctx;
    call->done(call->ctx, reply->err ? NULL : store_rules_read(reply->results), reply->err);
    free(call);
}

void store_rules_ask(struct pg_batch *batch)
{
    static const struct {
        const char *sql;
        int64_t limit;
    } QUERIES[] = {
        {RULES_SQL, ALERT_RULES_MAX}, {SILENCES_SQL, ALERT_RULES_MAX},
        {QUIET_SQL, ALERT_RULES_MAX}, {INHIBITIONS_SQL, ALERT_RULES_MAX},
        {FIRINGS_SQL, FIRINGS_MAX},   {CHATS_SQL, CHANNELS_MAX},
    };
    pg_add(batch, "SELECT value::bigint FROM service_setting WHERE name = 'alert_rules_version'");
    for (size_t i = 0; i < sizeof QUERIES / sizeof *QUERIES; i++) {
        pg_add(batch, QUERIES[i].sql);
        pg_i64(batch, QUERIES[i].limit);
    }
}

void store_rules_load(struct pg *pg, rules_done_fn *done, void *ctx)
{
    struct load_call *call = mem_alloc(sizeof *call);
    *call = (struct load_call){done, ctx};
    struct pg_batch *batch = pg_batch_new();
    store_rules_ask(batch);
    pg_run(pg, batch, on_loaded, call);
}
