/* draw_chart.c -- bars stacked by severity, the period before as a line, deploys and alerts as marks.
 *
 *     title                                 headline
 *     subtitle                                 trend
 *     ■ Critical 12  ■ Error 80 …
 *     ┌ ⚑ 1a2b3c ─────────────────────────────────┐
 *     │      bars, a dashed line behind them       │
 *     └ ◆ ──────────────── ◆ ◆ ───────────────────┘
 *       Mon 23        Tue 24        Wed 25
 *     ┄ the week before   ⚑ deploy   ◆ alert
 *
 * Both themes are Telegram's own backgrounds; colours of severities have a contrast of 3 to 1 on either. */
#include "charts/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double LEFT = 56;
static const double RIGHT = CHART_WIDTH - 56;
static const double TOP = 236;
static const double BOTTOM = 652;
static const double PI = 3.14159265358979323846;

struct theme {
    unsigned ground;
    unsigned text;
    unsigned quiet; /* labels */
    unsigned grid;
    unsigned ghost;
    unsigned deploy;
    unsigned colors[COLORS];
};
static const struct theme LIGHT = {.ground = 0xffffff,
                                   .text = 0x1c2430,
                                   .quiet = 0x66727f,
                                   .grid = 0xe3e8ed,
                                   .ghost = 0x8493a2,
                                   .deploy = 0x7c4ddb,
                                   .colors = {0xd92d3a, 0xef7d1a, 0xd7a400, 0x3a8ee6, 0x95a1ad}};
static const struct theme DARK = {.ground = 0x17212b,
                                  .text = 0xf4f6f8,
                                  .quiet = 0x9aa9b8,
                                  .grid = 0x2b3947,
                                  .ghost = 0x8296a9,
                                  .deploy = 0xb48cff,
                                  .colors = {0xff5a63, 0xff9838, 0xf2c438, 0x57a8ff, 0x7d8b99}};

struct plot {
    const struct chart *chart;
    const struct theme *theme;
    cairo_t *cr;
    double bucket; /* its width */
    double step;   /* between grid lines, in events */
    double top;    /* events at TOP */
    bool has_ghost;
};

static double x_of(const struct plot *p, double bucket)
{
    double at = fmin(fmax(bucket, 0), (double)p->chart->buckets);
    return LEFT + at * p->bucket;
}

static double y_of(const struct plot *p, double events)
{
    return BOTTOM - events / p->top * (BOTTOM - TOP);
}

static double total_of(const struct chart *chart, size_t bucket)
{
    double sum = 0;
    for (size_t s = 0; s < chart->series_count; s++)
        sum += chart->series[s].values[bucket];
    return sum;
}

/* Whole steps of 1, 2 or 5 times a power of ten, four at most. */
static void scale(struct plot *p)
{
    double most = 1;
    for (size_t i = 0; i < p->chart->buckets; i++)
        most = fmax(most, fmax(total_of(p->chart, i), p->chart->ghost[i]));
    double power = pow(10, floor(log10(most / 4)));
    static const double STEPS[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        p->step = fmax(1, STEPS[i] * power);
        if (p->step * 4 >= most)
            break;
    }
    p->top = p->step * ceil(most / p->step);
}

static void format(double n, const char *thousands, char *out, size_t size)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.0f", n);
    size_t len = strlen(digits);
    size_t at = 0;
    for (size_t i = 0; i < len && at + 8 < size; i++) {
        if (i && (len - i) % 3 == 0)
            at += (size_t)snprintf(out + at, size - at, "%s", thousands);
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

static void draw_head(const struct plot *p)
{
    const struct chart *c = p->chart;
    draw_color(p->cr, p->theme->text);
    draw_font(p->cr, WEIGHT_BOLD, 44);
    double headline = draw_text(p->cr, RIGHT, 84, ALIGN_RIGHT, 420, c->headline);
    draw_text(p->cr, LEFT, 84, ALIGN_LEFT, RIGHT - LEFT - headline - 40, c->title);
    draw_color(p->cr, p->theme->quiet);
    draw_font(p->cr, WEIGHT_NORMAL, 28);
    double trend = draw_text(p->cr, RIGHT, 128, ALIGN_RIGHT, 480, c->trend);
    draw_text(p->cr, LEFT, 128, ALIGN_LEFT, RIGHT - LEFT - trend - 40, c->subtitle);
}

static void rounded(cairo_t *cr, double x, double y, double w, double h, double r)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + w - r, y + r, r, -PI / 2, 0);
    cairo_line_to(cr, x + w, y + h);
    cairo_line_to(cr, x, y + h);
    cairo_arc(cr, x + r, y + r, r, PI, 1.5 * PI);
    cairo_close_path(cr);
}

/* What no event has is left out. */
static void draw_legend(const struct plot *p)
{
    double x = LEFT;
    draw_font(p->cr, WEIGHT_NORMAL, 28);
    for (size_t s = 0; s < p->chart->series_count; s++) {
        const struct chart_series *series = &p->chart->series[s];
        double sum = 0;
        for (size_t i = 0; i < p->chart->buckets; i++)
            sum += series->values[i];
        double width = draw_text_width(p->cr, series->name);
        if (sum <= 0 || x + 36 + width > RIGHT)
            continue;
        draw_color(p->cr, p->theme->colors[series->color]);
        cairo_new_path(p->cr); /* text leaves a point behind */
        cairo_arc(p->cr, x + 11, 179, 11, 0, 2 * PI);
        cairo_fill(p->cr);
        draw_color(p->cr, p->theme->text);
        draw_text(p->cr, x + 34, 189, ALIGN_LEFT, 0, series->name);
        x += 34 + width + 36;
    }
}

static void draw_grid(const struct plot *p)
{
    cairo_set_line_width(p->cr, 2);
    int lines = (int)lround(p->top / p->step);
    for (int i = 0; i <= lines; i++) {
        double y = round(y_of(p, i * p->step));
        draw_color(p->cr, p->theme->grid);
        cairo_move_to(p->cr, LEFT, y);
        cairo_line_to(p->cr, RIGHT, y);
        cairo_stroke(p->cr);
    }
}

/* Above their lines and above the bars, each on a bit of ground. */
static void draw_grid_labels(const struct plot *p)
{
    char label[64];
    draw_font(p->cr, WEIGHT_NORMAL, 24);
    int lines = (int)lround(p->top / p->step);
    for (int i = 1; i <= lines; i++) {
        double y = round(y_of(p, i * p->step));
        format(i * p->step, p->chart->thousands, label, sizeof label);
        double width = draw_text_width(p->cr, label);
        draw_color(p->cr, p->theme->ground);
        cairo_rectangle(p->cr, LEFT, y - 33, width + 10, 31);
        cairo_fill(p->cr);
        draw_color(p->cr, p->theme->quiet);
        draw_text(p->cr, LEFT, y - 9, ALIGN_LEFT, 0, label);
    }
}

static void draw_bar(const struct plot *p, size_t bucket)
{
    double gap = p->bucket > 12 ? 4 : p->bucket > 5 ? 2 : p->bucket > 2.5 ? 1 : 0;
    double x = LEFT + (double)bucket * p->bucket + gap / 2;
    double width = p->bucket - gap;
    double radius = width > 10 ? 4 : 0;
    double below = 0;
    double all = total_of(p->chart, bucket);
    if (all <= 0)
        return;
    double height = fmax(3, BOTTOM - y_of(p, all)); /* one event among thousands is seen */
    cairo_save(p->cr);
    rounded(p->cr, x, BOTTOM - height, width, height, fmin(radius, height));
    cairo_clip(p->cr);
    for (size_t s = 0; s < p->chart->series_count; s++) {
        double part = p->chart->series[s].values[bucket];
        if (part <= 0)
            continue;
        double from = BOTTOM - below / all * height;
        below += part;
        double to = BOTTOM - below / all * height;
        draw_color(p->cr, p->theme->colors[p->chart->series[s].color]);
        cairo_rectangle(p->cr, x, to, width, from - to);
        cairo_fill(p->cr);
    }
    cairo_restore(p->cr);
}

static void draw_ghost(const struct plot *p)
{
    static const double DASHES[] = {10, 8};
    if (!p->has_ghost)
        return;
    draw_color(p->cr, p->theme->ghost);
    cairo_set_line_width(p->cr, 4);
    cairo_set_line_join(p->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_new_path(p->cr);
    cairo_set_dash(p->cr, DASHES, 2, 0);
    for (size_t i = 0; i < p->chart->buckets; i++)
        cairo_line_to(p->cr, LEFT + ((double)i + 0.5) * p->bucket, y_of(p, p->chart->ghost[i]));
    cairo_stroke(p->cr);
    cairo_set_dash(p->cr, NULL, 0, 0);
}

/* A pennant on its pole. */
static void draw_flag(const struct plot *p, double x, double y)
{
    cairo_move_to(p->cr, x, y);
    cairo_line_to(p->cr, x + 20, y + 8);
    cairo_line_to(p->cr, x, y + 16);
    cairo_close_path(p->cr);
    cairo_fill(p->cr);
}

/* Where the next deploy's pole stands, or the end. */
static double next_deploy(const struct plot *p, size_t after)
{
    for (size_t i = after + 1; i < p->chart->marks_count; i++)
        if (p->chart->marks[i].is_deploy)
            return x_of(p, p->chart->marks[i].at);
    return RIGHT;
}

static void draw_pole(const struct plot *p, double x)
{
    draw_color(p->cr, p->theme->deploy);
    cairo_set_line_width(p->cr, 2);
    cairo_move_to(p->cr, x, TOP - 26);
    cairo_line_to(p->cr, x, BOTTOM);
    cairo_stroke(p->cr);
    draw_flag(p, x, TOP - 26);
}

/* A name stands right of its flag, left where it would run into the next one, or nowhere: never where it could be another's. */
static void draw_deploys(const struct plot *p)
{
    double taken = 0; /* by the last flag and its name */
    draw_font(p->cr, WEIGHT_NORMAL, 22);
    for (size_t i = 0; i < p->chart->marks_count; i++) {
        const struct chart_mark *m = &p->chart->marks[i];
        if (!m->is_deploy)
            continue;
        double x = round(x_of(p, m->at));
        double width = fmin(draw_text_width(p->cr, m->text), 170);
        draw_pole(p, x);
        if (x + 28 + width <= next_deploy(p, i)) {
            draw_text(p->cr, x + 28, TOP - 11, ALIGN_LEFT, 170, m->text);
            taken = x + 28 + width;
        } else {
            if (x - 8 - width > taken + 12)
                draw_text(p->cr, x - 8 - width, TOP - 11, ALIGN_LEFT, 170, m->text);
            taken = x + 28;
        }
    }
}

static void draw_diamond(const struct plot *p, double x, double y, double r)
{
    cairo_move_to(p->cr, x, y - r);
    cairo_line_to(p->cr, x + r, y);
    cairo_line_to(p->cr, x, y + r);
    cairo_line_to(p->cr, x - r, y);
    cairo_close_path(p->cr);
    cairo_fill(p->cr);
}

static void draw_alerts(const struct plot *p)
{
    for (size_t i = 0; i < p->chart->marks_count; i++) {
        if (p->chart->marks[i].is_deploy)
            continue;
        double x = x_of(p, p->chart->marks[i].at);
        draw_color(p->cr, p->theme->ground);
        draw_diamond(p, x, BOTTOM + 14, 12);
        draw_color(p->cr, p->theme->colors[COLOR_CRITICAL]);
        draw_diamond(p, x, BOTTOM + 14, 8);
    }
}

static void draw_ticks(const struct plot *p)
{
    double taken = 0;
    draw_color(p->cr, p->theme->quiet);
    draw_font(p->cr, WEIGHT_NORMAL, 26);
    for (size_t i = 0; i < p->chart->ticks_count; i++) {
        const struct chart_tick *t = &p->chart->ticks[i];
        double width = draw_text_width(p->cr, t->text);
        double x = fmin(fmax(x_of(p, t->at), LEFT + width / 2), RIGHT - width / 2);
        if (x - width / 2 < taken)
            continue;
        draw_text(p->cr, x, BOTTOM + 58, ALIGN_CENTER, 0, t->text);
        taken = x + width / 2 + 18;
    }
}

static bool has_mark(const struct chart *chart, bool is_deploy)
{
    for (size_t i = 0; i < chart->marks_count; i++)
        if (chart->marks[i].is_deploy == is_deploy)
            return true;
    return false;
}

/* What the line and the marks mean; only of those that are there. */
static void draw_keys(const struct plot *p)
{
    static const double DASHES[] = {10, 8};
    const struct chart *c = p->chart;
    double x = LEFT;
    double y = CHART_HEIGHT - 36;
    draw_font(p->cr, WEIGHT_NORMAL, 24);
    if (p->has_ghost) {
        draw_color(p->cr, p->theme->ghost);
        cairo_set_line_width(p->cr, 4);
        cairo_set_dash(p->cr, DASHES, 2, 0);
        cairo_move_to(p->cr, x, y - 8);
        cairo_line_to(p->cr, x + 46, y - 8);
        cairo_stroke(p->cr);
        cairo_set_dash(p->cr, NULL, 0, 0);
        draw_color(p->cr, p->theme->quiet);
        x += 58 + draw_text(p->cr, x + 58, y, ALIGN_LEFT, 0, c->ghost_name) + 44;
    }
    if (has_mark(c, true)) {
        draw_color(p->cr, p->theme->deploy);
        draw_flag(p, x, y - 18);
        draw_color(p->cr, p->theme->quiet);
        x += 30 + draw_text(p->cr, x + 30, y, ALIGN_LEFT, 0, c->deploy_key) + 44;
    }
    if (has_mark(c, false)) {
        draw_color(p->cr, p->theme->colors[COLOR_CRITICAL]);
        draw_diamond(p, x + 8, y - 9, 9);
        draw_color(p->cr, p->theme->quiet);
        draw_text(p->cr, x + 28, y, ALIGN_LEFT, 0, c->alert_key);
    }
}

void draw_chart(cairo_t *cr, const struct chart *chart)
{
    struct plot p = {.chart = chart,
                     .theme = chart->is_dark ? &DARK : &LIGHT,
                     .cr = cr,
                     .bucket = (RIGHT - LEFT) / (double)chart->buckets};
    double all = 0;
    for (size_t i = 0; i < chart->buckets; i++)
        all += total_of(chart, i);
    for (size_t i = 0; i < chart->buckets; i++)
        p.has_ghost = p.has_ghost || (chart->ghost_name && chart->ghost[i] > 0);
    scale(&p);
    draw_color(cr, p.theme->ground);
    cairo_rectangle(cr, 0, 0, CHART_WIDTH, CHART_HEIGHT);
    cairo_fill(cr);
    draw_head(&p);
    draw_legend(&p);
    draw_grid(&p);
    for (size_t i = 0; i < chart->buckets; i++)
        draw_bar(&p, i);
    draw_ghost(&p);
    draw_deploys(&p);
    if (all > 0 || p.has_ghost)
        draw_grid_labels(&p);
    draw_alerts(&p);
    draw_ticks(&p);
    draw_keys(&p);
    if (all <= 0) {
        draw_font(cr, WEIGHT_NORMAL, 34);
        double width = draw_text_width(cr, chart->empty);
        draw_color(cr, p.theme->ground);
        cairo_rectangle(cr, (CHART_WIDTH - width) / 2 - 16, (TOP + BOTTOM) / 2 - 42, width + 32,
                        60);
        cairo_fill(cr);
        draw_color(cr, p.theme->quiet);
        draw_text(cr, CHART_WIDTH / 2.0, (TOP + BOTTOM) / 2, ALIGN_CENTER, RIGHT - LEFT,
                  chart->empty);
    }
}
