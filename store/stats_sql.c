/* stats_sql.c -- see stats_sql.h. */
#include "store/stats_sql.h"

/* clang-format off */

#define FITS_SEVERITY(severity) "($1::text[] IS NULL OR " severity " = ANY($1))"
/* Which project a word is, is asked once a statement. */
#define FITS_WORD(word, origin, release, project)                                                  \
    " AND (" word "::text IS NULL OR " origin " = lower(" word ") OR lower(" release ") = lower(" word ") "      \
    "OR " project " = (SELECT id FROM project WHERE lower(slug) = lower(" word ")))"
#define FITS_KIND(k) FITS_SEVERITY(k ".severity")                                                  \
    FITS_WORD("$2", k ".origin", k ".release", k ".project_id")                                    \
    FITS_WORD("$3", k ".origin", k ".release", k ".project_id")                                    \
    FITS_WORD("$4", k ".origin", k ".release", k ".project_id")
/* Of a group it is one of its releases. */
#define FITS_GROUP_WORD(word)                                                                      \
    " AND (" word "::text IS NULL OR g.origin = lower(" word ") "                                  \
    "OR g.project_id = (SELECT id FROM project WHERE lower(slug) = lower(" word ")) "              \
    "OR EXISTS (SELECT 1 FROM group_release r WHERE r.group_id = g.id AND lower(r.release) = lower(" word ")))"
#define FITS_GROUP FITS_SEVERITY("g.severity") FITS_GROUP_WORD("$2") FITS_GROUP_WORD("$3") FITS_GROUP_WORD("$4")

#define NOT_SELFTEST "origin <> 'nabat_selftest'"
#define WAITING "event_tally t CROSS JOIN LATERAL nabat_cells(t) c"
#define BUCKET(moment) "floor((extract(epoch FROM " moment ") - extract(epoch FROM $5::timestamptz)) / $6::bigint)::bigint"

const char STATS_PROJECT_CELLS_SQL[] =
    "SELECT " BUCKET("h.hour") ", h.severity, sum(h.events)::bigint, sum(h.made)::bigint, "
    "sum(h.regressed)::bigint, sum(h.counted)::bigint FROM ("
    "SELECT hour, severity, events, made, regressed, counted FROM project_hour "
    "WHERE hour >= $7::timestamptz AND hour < $8::timestamptz UNION ALL "
    "SELECT c.hour, c.severity, c.events, c.made, c.regressed, c.counted FROM " WAITING
    " WHERE c.hour >= $7::timestamptz AND c.hour < $8::timestamptz AND c." NOT_SELFTEST ") h "
    /* of the filter there is nothing */
    "WHERE $1::text[] IS NULL AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL "
    "GROUP BY 1, 2";

#define KINDS(from, to)                                                                            \
    "(SELECT h.hour, h.project_id, h.severity, h.origin, h.release, h.events, h.made, h.regressed, h.counted " \
    "FROM event_hour h WHERE h.hour >= " from "::timestamptz AND h.hour < " to "::timestamptz AND h." NOT_SELFTEST " UNION ALL " \
    "SELECT c.hour, c.project_id, c.severity, c.origin, c.release, c.events, c.made, c.regressed, c.counted "   \
    "FROM " WAITING " WHERE c.hour >= " from "::timestamptz AND c.hour < " to "::timestamptz AND c." NOT_SELFTEST ")"

const char STATS_KIND_CELLS_SQL[] =
    "SELECT " BUCKET("h.hour") ", h.severity, sum(h.events)::bigint, sum(h.made)::bigint, "
    "sum(h.regressed)::bigint, sum(h.counted)::bigint FROM " KINDS("$7", "$8") " h "
    "WHERE " FITS_KIND("h") " GROUP BY 1, 2";

const char STATS_NOW_SQL[] =
    "SELECT count(*), count(*) FILTER (WHERE g.severity = 'critical') FROM error_group g "
    "WHERE g.status <> 'resolved' AND g.merged_into IS NULL AND g." NOT_SELFTEST " AND " FITS_GROUP;

const char STATS_ALERTS_SQL[] =
    "SELECT " BUCKET("o.sent_at") ", count(*) FROM alert_outbox o JOIN error_group g ON g.id = o.group_id "
    "WHERE o.state IN ('sent', 'uncertain') AND o.note_id IS NULL AND o.sent_at >= $5::timestamptz AND o.sent_at >= $7::timestamptz "
    "AND o.sent_at < $8::timestamptz AND g." NOT_SELFTEST " AND " FITS_GROUP " GROUP BY 1";

const char STATS_DEPLOYS_SQL[] =
    "SELECT d.name, " PG_MS("d.deployed_at") " FROM deploy d WHERE d.deployed_at >= $5::timestamptz "
    "AND d.deployed_at < $6::timestamptz AND ($1::text[] IS NULL OR true) "
    /* only words that are projects narrow it: an origin has no deploys of its own */
    "AND NOT EXISTS (SELECT 1 FROM project p WHERE lower(p.slug) IN (lower($2), lower($3), lower($4)) "
    "AND p.id <> d.project_id) ORDER BY d.deployed_at LIMIT $7::bigint";

const char STATS_USERS_SQL[] =
    "SELECT s.registers FROM user_sketch s WHERE ("
    "(NOT s.is_day AND s.at >= $5::timestamptz AND s.at < $7::timestamptz) OR "
    "(NOT s.is_day AND s.at >= greatest($5::timestamptz, $8::timestamptz) AND s.at < $6::timestamptz) OR "
    "(s.is_day AND s.at >= $7::timestamptz AND s.at < $8::timestamptz)) "
    "AND $1::text[] IS NULL AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL";

/* Hours before the whole days, what days have already, hours behind that, and what waits. */
#define CLOSED "least($8::timestamptz, (SELECT value::timestamptz FROM service_setting WHERE name = 'group_days_until'))"
#define GROUP_PERIOD                                                                               \
    "(SELECT group_id, sum(events) AS events FROM ("                                               \
    "SELECT group_id, events FROM group_hour WHERE hour >= $5::timestamptz AND hour < $7::timestamptz " \
    "UNION ALL SELECT group_id, events FROM group_day WHERE day >= $7::timestamptz AND day < " CLOSED " " \
    "UNION ALL SELECT group_id, events FROM group_hour WHERE hour >= greatest($7::timestamptz, " CLOSED ") " \
    "AND hour < $6::timestamptz "                                                                  \
    "UNION ALL SELECT c.group_id, c.events FROM " WAITING                                          \
    " WHERE c.hour >= $5::timestamptz AND c.hour < $6::timestamptz) x GROUP BY 1)"
#define GROUP_ROOT "coalesce(g.merged_into, g.id)"

#define TOP_OF(rows) "SELECT x.*, sum(x.events) OVER ()::bigint FROM (" rows ") x ORDER BY 3 DESC, 1 LIMIT $9::bigint"

static const char TOP_ERRORS_SQL[] = TOP_OF(
    "SELECT r.title AS name, r.id, s.events, 0, 0, r.severity FROM ("
    "SELECT " GROUP_ROOT " AS id, sum(p.events)::bigint AS events FROM " GROUP_PERIOD " p "
    "JOIN error_group g ON g.id = p.group_id WHERE p.events > 0 AND g." NOT_SELFTEST " AND " FITS_GROUP
    " GROUP BY 1) s JOIN error_group r ON r.id = s.id");

static const char TOP_HANDLERS_SQL[] = TOP_OF(
    "SELECT g.handler AS name, 0::bigint, sum(p.events)::bigint AS events, 0, 0, NULL FROM " GROUP_PERIOD " p "
    "JOIN error_group g ON g.id = p.group_id WHERE p.events > 0 AND g.handler <> '' AND g." NOT_SELFTEST " AND " FITS_GROUP
    " GROUP BY 1");

/* Users are not known by origin or severity: only a project narrows them. */
static const char TOP_USERS_SQL[] = TOP_OF(
    "SELECT u.user_id AS name, 0::bigint, sum(u.events)::bigint AS events, 0, 0, NULL FROM ("
    "SELECT project_id, user_id, events FROM user_hour WHERE hour >= $5::timestamptz AND hour < $7::timestamptz "
    "UNION ALL SELECT project_id, user_id, events FROM user_day WHERE day >= $7::timestamptz AND day < $8::timestamptz "
    "UNION ALL SELECT project_id, user_id, events FROM user_hour WHERE hour >= greatest($5::timestamptz, $8::timestamptz) "
    "AND hour < $6::timestamptz) u WHERE $1::text[] IS NULL "
    "AND ($2::text IS NULL OR u.project_id = (SELECT id FROM project WHERE lower(slug) = lower($2))) "
    "AND $3::text IS NULL AND $4::text IS NULL GROUP BY 1");

/* Of what is older than hours are kept, nothing is asked. Added up before they are filtered: a word is compared once a kind. */
#define TOP_KINDS(column)                                                                          \
    "SELECT h." column " AS name, 0::bigint, sum(h.events)::bigint AS events, sum(h.made)::bigint, " \
    "sum(h.regressed)::bigint, NULL FROM (SELECT k.project_id, k.severity, k.origin, k.release, " \
    "sum(k.events) AS events, sum(k.made) AS made, sum(k.regressed) AS regressed FROM " KINDS("$5", "$6") \
    " k GROUP BY 1, 2, 3, 4) h WHERE $7::timestamptz IS NOT NULL "  \
    "AND $8::timestamptz IS NOT NULL AND h." column " <> '' AND " FITS_KIND("h") " GROUP BY 1"

static const char TOP_RELEASES_SQL[] = TOP_OF(TOP_KINDS("release"));
static const char TOP_ORIGINS_SQL[] = TOP_OF(TOP_KINDS("origin"));

const char *const STATS_TOP_SQL[TOPS] = {
    [TOP_ERRORS] = TOP_ERRORS_SQL,     [TOP_USERS] = TOP_USERS_SQL,     [TOP_HANDLERS] = TOP_HANDLERS_SQL,
    [TOP_RELEASES] = TOP_RELEASES_SQL, [TOP_ORIGINS] = TOP_ORIGINS_SQL,
};

const char STATS_LIFE_SQL[] =
    "WITH born AS (SELECT date_trunc('hour', greatest(min(g.first_seen), now() - interval '30 days'), 'UTC') AS at "
    "FROM error_group g WHERE g.id = nabat_root($1) OR g.merged_into = nabat_root($1)) "
    "SELECT least(floor(extract(epoch FROM h.hour - b.at) * $2::bigint "
    "/ greatest(extract(epoch FROM now() - b.at), 3600 * $2::bigint)), $2::bigint - 1)::bigint, sum(h.events)::bigint "
    "FROM born b, (SELECT group_id, hour, events FROM group_hour UNION ALL SELECT c.group_id, c.hour, c.events FROM " WAITING ") h "
    "WHERE h.group_id IN (SELECT nabat_root($1) UNION ALL SELECT m.id FROM error_group m WHERE m.merged_into = nabat_root($1)) "
    "AND h.hour >= b.at GROUP BY 1";
/* clang-format on */
