/* project.c -- nabat --project: projects and their keys, over a blocking session.
 *
 *     add NAME [max_severity=…] [rate=…]   list   set NAME …   disable NAME   enable NAME
 *     rotate NAME [grace=1d] */
#include "bot/tools.h"

#include "core/event.h"
#include "core/random.h"
#include "store/session.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX = 40, GRACE_SECONDS = 86400, GRACE_SECONDS_MAX = 90 * 86400 };

struct wish {
    const char *action;
    const char *name;
    const char *max_severity; /* NULL: not said */
    const char *rate;         /* NULL: not said; "0": none */
    char grace[16];           /* seconds */
};

static bool parse_severity(const char *value, struct wish *w, struct err *err)
{
    enum severity severity;
    if (!severity_parse(value, strlen(value), &severity))
        return err_set(
            err, ERR_INPUT,
            "max_severity is \"%.40s\": it takes debug, info, warning, error or critical", value);
    w->max_severity = severity_name(severity);
    return true;
}

static bool parse_rate(const char *value, struct wish *w, struct err *err)
{
    char *end = NULL;
    errno = 0;
    long n = strtol(value, &end, 10);
    if (errno || *end || end == value || n < 0 || n > 10000000)
        return err_set(err, ERR_INPUT,
                       "rate is \"%.40s\": it takes events a minute, or 0 for no limit", value);
    w->rate = value;
    return true;
}

static bool parse_grace(const char *value, struct wish *w, struct err *err)
{
    static const struct {
        char unit;
        long seconds;
    } UNITS[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end = NULL;
    errno = 0;
    long n = strtol(value, &end, 10);
    long unit = *end ? 0 : 1;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (end[0] == UNITS[i].unit && !end[1])
            unit = UNITS[i].seconds;
    if (errno || end == value || n < 0 || unit == 0 || n > GRACE_SECONDS_MAX / unit)
        return err_set(err, ERR_INPUT,
                       "grace is \"%.40s\": it takes how long the old key is still taken, such as "
                       "12h or 1d, up to 90d",
                       value);
    snprintf(w->grace, sizeof w->grace, "%ld", n * unit);
    return true;
}

static bool is_name(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
            !strchr("-_.", text[i]))
            return false;
    return n > 0 && n <= NAME_BYTES_MAX;
}

static const struct {
    const char *action;
    bool named;
} ACTIONS[] = {{"list", false},   {"add", true},    {"set", true},
               {"disable", true}, {"enable", true}, {"rotate", true}};

static bool parse_option(const char *word, struct wish *w, struct err *err)
{
    static const struct {
        const char *name;
        const char *actions;
        bool (*parse)(const char *value, struct wish *w, struct err *err);
    } OPTIONS[] = {{"max_severity=", "add set", parse_severity},
                   {"rate=", "add set", parse_rate},
                   {"grace=", "rotate", parse_grace}};
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        size_t n = strlen(OPTIONS[i].name);
        if (strncmp(word, OPTIONS[i].name, n) == 0 && strstr(OPTIONS[i].actions, w->action))
            return OPTIONS[i].parse(word + n, w, err);
    }
    return err_set(err, ERR_INPUT, "--project %s does not take \"%.40s\"", w->action, word);
}

static bool parse_wish(char *const *words, size_t count, struct wish *w, struct err *err)
{
    size_t a = 0;
    *w = (struct wish){.action = count ? words[0] : "list"};
    snprintf(w->grace, sizeof w->grace, "%d", GRACE_SECONDS);
    while (a < sizeof ACTIONS / sizeof *ACTIONS && strcmp(ACTIONS[a].action, w->action) != 0)
        a++;
    if (a == sizeof ACTIONS / sizeof *ACTIONS)
        return err_set(err, ERR_INPUT,
                       "--project is \"%.40s\": it takes list, add, set, disable, enable or rotate",
                       w->action);
    if (ACTIONS[a].named && (count < 2 || !is_name(words[1])))
        return err_set(
            err, ERR_INPUT,
            "--project %s takes a name of small letters, digits, - _ . and up to %d bytes",
            w->action, NAME_BYTES_MAX);
    w->name = ACTIONS[a].named ? words[1] : NULL;
    for (size_t i = ACTIONS[a].named ? 2 : 1; i < count; i++)
        if (!parse_option(words[i], w, err))
            return false;
    return true;
}

#define COLUMNS                                                                                    \
    "id, slug, public_key, enabled, max_severity, rate_per_minute, "                               \
    "CASE WHEN previous_until > now() THEN previous_until END"
#define RETURNING " RETURNING " COLUMNS
enum { COL_ID, COL_SLUG, COL_KEY, COL_ENABLED, COL_MAX, COL_RATE, COL_UNTIL };

static const char ADD_SQL[] =
    "INSERT INTO project (id, slug, public_key, max_severity, rate_per_minute) "
    "SELECT coalesce(max(id), 1) + 1, $1, $2, $3, nullif($4::int, 0) FROM project" RETURNING;
static const char SET_SQL[] =
    "UPDATE project SET max_severity = coalesce($2, max_severity), rate_per_minute = "
    "CASE WHEN $3::int IS NULL THEN rate_per_minute ELSE nullif($3::int, 0) END "
    "WHERE slug = $1" RETURNING;
static const char ROTATE_SQL[] =
    "UPDATE project SET previous_key = public_key, public_key = $2, "
    "previous_until = now() + make_interval(secs => $3::int) WHERE slug = $1" RETURNING;
static const char ENABLE_SQL[] =
    "UPDATE project SET enabled = $2::boolean WHERE slug = $1" RETURNING;
static const char LIST_SQL[] = "SELECT " COLUMNS " FROM project ORDER BY id";

static PGresult *run_wish(struct session *s, const struct wish *w, struct err *err)
{
    char key[RANDOM_HEX_BYTES];
    random_hex32(key);
    const char *const add[] = {w->name, key, w->max_severity ? w->max_severity : "critical",
                               w->rate ? w->rate : "0"};
    const char *const set[] = {w->name, w->max_severity, w->rate};
    const char *const rotate[] = {w->name, key, w->grace};
    const char *const enable[] = {w->name, strcmp(w->action, "enable") == 0 ? "t" : "f"};
    if (strcmp(w->action, "add") == 0)
        return session_run(s, ADD_SQL, 4, add, err);
    if (strcmp(w->action, "set") == 0)
        return session_run(s, SET_SQL, 3, set, err);
    if (strcmp(w->action, "rotate") == 0)
        return session_run(s, ROTATE_SQL, 3, rotate, err);
    if (w->name)
        return session_run(s, ENABLE_SQL, 2, enable, err);
    return session_run(s, LIST_SQL, 0, NULL, err);
}

static void print_rows(const struct settings *settings, const PGresult *rows, bool rotated)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        char dsn[512];
        tool_format_dsn(settings->public_url, PQgetvalue(rows, i, COL_KEY),
                        (int)strtol(PQgetvalue(rows, i, COL_ID), NULL, 10), dsn, sizeof dsn);
        printf("%s\t%s\t%s, up to %s", PQgetvalue(rows, i, COL_SLUG), dsn,
               PQgetvalue(rows, i, COL_ENABLED)[0] == 't' ? "enabled" : "disabled",
               PQgetvalue(rows, i, COL_MAX));
        if (!PQgetisnull(rows, i, COL_RATE))
            printf(", %s events a minute", PQgetvalue(rows, i, COL_RATE));
        if (!PQgetisnull(rows, i, COL_UNTIL))
            printf(", the old key until %s", PQgetvalue(rows, i, COL_UNTIL));
        putchar('\n');
    }
    if (rotated)
        puts("the service takes the new key within 5 seconds");
}

int tool_project(const struct settings *settings, char *const *words, size_t count)
{
    struct err err = {0};
    struct wish wish;
    if (!parse_wish(words, count, &wish, &err)) {
        fprintf(stderr, "nabat: %s\n", err.text);
        return 2;
    }
    struct session *s =
        session_open(settings->database_url, settings->database_schema, "nabat project", &err);
    PGresult *rows = s ? run_wish(s, &wish, &err) : NULL;
    if (!rows) {
        session_close(s);
        return tool_fail("project", &err);
    }
    int code = PQntuples(rows) > 0 ? 0 : 1;
    if (code)
        fprintf(stderr, "nabat: project: there is none of the name \"%s\"\n",
                wish.name ? wish.name : "");
    /* project 1's key is INGEST_KEY while that is set: the service would put it back */
    bool rotated = code == 0 && strcmp(wish.action, "rotate") == 0;
    if (rotated && settings->ingest_key && strcmp(PQgetvalue(rows, 0, COL_ID), "1") == 0)
        fputs("nabat: project: INGEST_KEY is set and decides the key of project 1 at the next "
              "start\n",
              stderr);
    print_rows(settings, rows, rotated);
    PQclear(rows);
    session_close(s);
    return code;
}
