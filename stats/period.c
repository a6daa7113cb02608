/* period.c -- see period.h. */
#include "stats/period.h"

#include "core/zone.h"

#include <string.h>
#include <strings.h>

static const int64_t HOUR_MS = 3600 * 1000;

static const struct {
    int buckets;
    int hours; /* of one */
} PERIODS[] = {[PERIOD_DAY] = {24, 1}, [PERIOD_WEEK] = {28, 6}, [PERIOD_MONTH] = {30, 24}};

bool stats_period_parse(const char *text, enum stats_period *period)
{
    static const struct {
        const char *name;
        enum stats_period period;
    } NAMES[] = {{"24h", PERIOD_DAY},    {"1d", PERIOD_DAY},    {"day", PERIOD_DAY},
                 {"7d", PERIOD_WEEK},    {"week", PERIOD_WEEK}, {"30d", PERIOD_MONTH},
                 {"month", PERIOD_MONTH}};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcasecmp(NAMES[i].name, text) == 0) {
            *period = NAMES[i].period;
            return true;
        }
    return false;
}

static bool parse_top(const char *text, enum stats_top *top)
{
    static const char *const NAMES[TOPS] = {"errors", "users", "handlers", "releases", "origins"};
    for (int i = 0; i < TOPS; i++)
        if (strcasecmp(NAMES[i], text) == 0) {
            *top = (enum stats_top)i;
            return true;
        }
    return false;
}

static bool read_word(const char *word, bool tops, struct stats_request *r)
{
    enum severity severity;
    if (stats_period_parse(word, &r->period) || (tops && parse_top(word, &r->top)))
        return true;
    if (strcasecmp(word, "dark") == 0 || strcasecmp(word, "light") == 0) {
        r->theme = strcasecmp(word, "dark") == 0 ? THEME_DARK : THEME_LIGHT;
        return true;
    }
    if (!severity_parse(word, strlen(word), &severity))
        return false;
    r->filter.severities |= 1u << severity;
    return true;
}

void stats_request_parse(char *text, bool tops, struct stats_request *r)
{
    size_t words = 0;
    *r = (struct stats_request){.period = PERIOD_DAY};
    for (char *at = text + strspn(text, " \t\n"); *at; at += strspn(at, " \t\n")) {
        char *word = at;
        at += strcspn(at, " \t\n");
        if (*at)
            *at++ = '\0';
        if (read_word(word, tops, r))
            continue;
        if (words < STATS_WORDS_MAX)
            r->filter.words[words++] = word;
        else
            r->surplus = word;
    }
}

/* The hour, six hours or day of the zone's clock that a moment is in ends here; hours are of UTC, as they are counted: where a
 * zone is half an hour off, so is the border. */
static int64_t end_of_bucket(int64_t now_ms, int hours, const char *zone)
{
    struct tm local;
    int64_t end = now_ms / HOUR_MS * HOUR_MS + HOUR_MS;
    for (int i = 0; i < hours; i++, end += HOUR_MS) {
        zone_local(zone, end + HOUR_MS / 2, &local);
        if (local.tm_hour % hours == 0)
            break;
    }
    return end;
}

void stats_period_ask(enum stats_period period, int64_t now_ms, const char *zone,
                      struct stats_ask *ask)
{
    ask->buckets = PERIODS[period].buckets;
    ask->width_ms = PERIODS[period].hours * HOUR_MS;
    ask->from_ms =
        end_of_bucket(now_ms, PERIODS[period].hours, zone) - ask->buckets * ask->width_ms;
}

enum phrase stats_period_phrase(enum phrase first, enum stats_period period)
{
    return (enum phrase)((int)first + (int)period);
}
