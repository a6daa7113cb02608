/* draw.h -- a chart or a report on a cairo surface. Units are those of the surface: pixels of a picture, points of a page. */
#ifndef NABAT_CHARTS_DRAW_H
#define NABAT_CHARTS_DRAW_H

#include "charts/chart.h"

#include <cairo.h>

/* A phone shows a picture as wide as its screen: 1280 wide, letters of 26 and more are read without a zoom. */
enum { CHART_WIDTH = 1280, CHART_HEIGHT = 800 };

/* Fills 0, 0 to CHART_WIDTH, CHART_HEIGHT. */
void draw_chart(cairo_t *cr, const struct chart *chart);

/* Text helpers, shared with the report. `color` is 0xRRGGBB. */
enum draw_weight { WEIGHT_NORMAL, WEIGHT_BOLD };
enum draw_align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT };
void draw_font(cairo_t *cr, enum draw_weight weight, double size);
void draw_color(cairo_t *cr, unsigned color);
double draw_text_width(cairo_t *cr, const char *text);
/* Cut with "…" so that it is at most `width_max` wide (0: not cut). Returns its width. */
double draw_text(cairo_t *cr, double x, double y, enum draw_align align, double width_max,
                 const char *text);

/* An A4 page, or as many as it takes: {"title", "subtitle", "chart": {…} or absent,
 * "sections": [{"title", "rows": [["name", "value"], …], "lines": ["…"]}, …], "foot"}. */
enum { PAGE_WIDTH = 595, PAGE_HEIGHT = 842 };
bool draw_report(cairo_t *cr, const json_t *report, struct err *err);

#endif
