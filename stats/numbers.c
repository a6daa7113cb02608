/* numbers.c -- see numbers.h. */
#include "stats/numbers.h"

#include "core/clock.h"

static json_t *worst_of(const struct stats *s)
{
    if (!s->worst_id)
        return json_null();
    return json_pack("{s:I,s:s,s:I}", "group_id", (json_int_t)s->worst_id, "title", s->worst_title,
                     "events", (json_int_t)s->worst_events);
}

json_t *stats_numbers(const struct stats_view *v)
{
    static const char *const PERIODS[] = {"24h", "7d", "30d"};
    const struct stats *s = v->stats;
    struct stats_trend t = stats_trend(s, v->ask, v->look->now_ms);
    int64_t alerts = 0;
    char from[CLOCK_TEXT_BYTES];
    for (int i = 0; i < v->ask->buckets; i++)
        alerts += s->alerts[i];
    clock_format_utc(v->ask->from_ms, from);
    json_t *users = s->users < 0 ? json_null() : json_integer((json_int_t)s->users);
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:I,s:o,s:o}", "period",
                     PERIODS[v->period], "from", from, "bucket_seconds",
                     (json_int_t)(v->ask->width_ms / 1000), "events", (json_int_t)t.now,
                     "events_before", (json_int_t)t.before, "new", (json_int_t)s->made,
                     "new_before", (json_int_t)s->before_made, "regressed",
                     (json_int_t)s->regressed, "regressed_before", (json_int_t)s->before_regressed,
                     "users_about", users, "open", (json_int_t)s->open, "open_critical",
                     (json_int_t)s->open_critical, "alerts", (json_int_t)alerts, "counted",
                     (json_int_t)s->counted, "worst", worst_of(s), "chart", stats_chart(v));
}
