/* chart.c -- a chart's description read from JSON. */
#include "charts/chart.h"

#include <string.h>

static const double VALUE_MAX = 1e15; /* whole numbers up to there are exact */

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static bool read_color(const char *name, enum chart_color *color)
{
    static const char *const NAMES[COLORS] = {"critical", "error", "warning", "info", "debug"};
    for (int i = 0; i < COLORS; i++)
        if (strcmp(NAMES[i], name) == 0) {
            *color = (enum chart_color)i;
            return true;
        }
    return false;
}

static bool read_values(const json_t *list, struct chart *chart, double *values)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0 || n > CHART_BUCKETS_MAX ||
        (chart->buckets && n != chart->buckets))
        return false;
    chart->buckets = n;
    for (size_t i = 0; i < n; i++) {
        values[i] = json_number_value(json_array_get(list, i));
        if (!(values[i] >= 0 && values[i] <= VALUE_MAX))
            return false;
    }
    return true;
}

static bool read_series(const json_t *json, struct chart *chart, struct err *err)
{
    const json_t *list = json_object_get(json, "series");
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > CHART_SERIES_MAX)
        return err_set(err, ERR_INPUT, "series: a list of up to %d", CHART_SERIES_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        struct chart_series *s = &chart->series[chart->series_count++];
        s->name = text_of(one, "name");
        if (!read_color(text_of(one, "color"), &s->color))
            return err_set(err, ERR_INPUT, "series %zu: color is no severity", i);
        if (!read_values(json_object_get(one, "values"), chart, s->values))
            return err_set(err, ERR_INPUT,
                           "series %zu: values are 1 to %d numbers from 0, as many as the others",
                           i, CHART_BUCKETS_MAX);
    }
    return true;
}

static bool read_ghost(const json_t *json, struct chart *chart, struct err *err)
{
    const json_t *ghost = json_object_get(json, "ghost");
    if (!ghost)
        return true;
    chart->ghost_name = text_of(ghost, "name");
    if (!read_values(json_object_get(ghost, "values"), chart, chart->ghost))
        return err_set(err, ERR_INPUT, "ghost: values are as many numbers as a series has");
    return true;
}

static void read_ticks(const json_t *json, struct chart *chart)
{
    const json_t *list = json_object_get(json, "ticks");
    for (size_t i = 0; i < json_array_size(list) && i < CHART_TICKS_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        chart->ticks[chart->ticks_count++] = (struct chart_tick){
            json_number_value(json_object_get(one, "at")), text_of(one, "text")};
    }
}

static void read_marks(const json_t *json, struct chart *chart)
{
    const json_t *list = json_object_get(json, "marks");
    for (size_t i = 0; i < json_array_size(list) && i < CHART_MARKS_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        chart->marks[chart->marks_count++] =
            (struct chart_mark){json_number_value(json_object_get(one, "at")),
                                strcmp(text_of(one, "kind"), "deploy") == 0, text_of(one, "text")};
    }
}

bool chart_read(const json_t *json, struct chart *chart, struct err *err)
{
    memset(chart, 0, sizeof *chart);
    if (!json_is_object(json))
        return err_set(err, ERR_INPUT, "a chart is a JSON object");
    chart->is_dark = strcmp(text_of(json, "theme"), "dark") == 0;
    chart->title = text_of(json, "title");
    chart->subtitle = text_of(json, "subtitle");
    chart->headline = text_of(json, "headline");
    chart->trend = text_of(json, "trend");
    chart->thousands = text_of(json, "thousands");
    if (strlen(chart->thousands) > 3) /* a no-break space has two bytes */
        return err_set(err, ERR_INPUT, "thousands: a sign of up to 3 bytes");
    chart->empty = text_of(json, "empty");
    chart->deploy_key = text_of(json_object_get(json, "keys"), "deploy");
    chart->alert_key = text_of(json_object_get(json, "keys"), "alert");
    if (!read_series(json, chart, err) || !read_ghost(json, chart, err))
        return false;
    if (chart->buckets == 0)
        return err_set(err, ERR_INPUT, "a chart has at least one series or a ghost");
    read_ticks(json, chart);
    read_marks(json, chart);
    return true;
}
