/* draw_report.c -- a report on A4 pages: title, chart, sections of rows and lines. */
#include "charts/draw.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static const double MARGIN = 48;
static const double LINE = 17;
enum { SECTIONS_MAX = 40, ROWS_MAX = 200, LINE_BYTES_MAX = 2000 };
static const unsigned INK = 0x1c2430;
static const unsigned QUIET = 0x66727f;
static const unsigned RULE = 0xd5dce3;

struct page {
    cairo_t *cr;
    double y;
};

static void room(struct page *p, double height)
{
    if (p->y + height <= PAGE_HEIGHT - MARGIN)
        return;
    cairo_show_page(p->cr);
    p->y = MARGIN;
}

static const char *text_of(const json_t *json)
{
    const char *text = json_string_value(json);
    return text ? text : "";
}

/* Broken at blanks; a word that is wider than the page is cut. */
static void add_wrapped(struct page *p, double x, double width, const char *text)
{
    char line[LINE_BYTES_MAX + 1];
    size_t at = 0;
    size_t len = strlen(text);
    while (at < len) {
        size_t fits = 0;
        for (size_t end = at; end <= len && end - at < LINE_BYTES_MAX; end++) {
            if (end < len && text[end] != ' ')
                continue;
            memcpy(line, text + at, end - at);
            line[end - at] = '\0';
            if (fits && draw_text_width(p->cr, line) > width)
                break;
            fits = end - at;
        }
        if (!fits)
            fits = len - at < LINE_BYTES_MAX ? len - at : LINE_BYTES_MAX;
        memcpy(line, text + at, fits);
        line[fits] = '\0';
        room(p, LINE);
        draw_text(p->cr, x, p->y + 12, ALIGN_LEFT, width, line);
        p->y += LINE;
        at += fits;
        at += strspn(text + at, " ");
    }
}

static void add_row(struct page *p, const json_t *row)
{
    room(p, LINE);
    draw_font(p->cr, WEIGHT_NORMAL, 11);
    draw_color(p->cr, QUIET);
    draw_text(p->cr, MARGIN, p->y + 12, ALIGN_LEFT, 260, text_of(json_array_get(row, 0)));
    draw_color(p->cr, INK);
    draw_text(p->cr, MARGIN + 270, p->y + 12, ALIGN_LEFT, PAGE_WIDTH - 2 * MARGIN - 270,
              text_of(json_array_get(row, 1)));
    p->y += LINE;
}

static void add_section(struct page *p, const json_t *section)
{
    const json_t *rows = json_object_get(section, "rows");
    const json_t *lines = json_object_get(section, "lines");
    room(p, 46);
    p->y += 12;
    draw_font(p->cr, WEIGHT_BOLD, 12.5);
    draw_color(p->cr, INK);
    draw_text(p->cr, MARGIN, p->y + 12, ALIGN_LEFT, PAGE_WIDTH - 2 * MARGIN,
              text_of(json_object_get(section, "title")));
    p->y += 19;
    draw_color(p->cr, RULE);
    cairo_rectangle(p->cr, MARGIN, p->y, PAGE_WIDTH - 2 * MARGIN, 0.8);
    cairo_fill(p->cr);
    p->y += 4;
    for (size_t i = 0; i < json_array_size(rows) && i < ROWS_MAX; i++)
        add_row(p, json_array_get(rows, i));
    draw_font(p->cr, WEIGHT_NORMAL, 11);
    draw_color(p->cr, INK);
    for (size_t i = 0; i < json_array_size(lines) && i < ROWS_MAX; i++)
        add_wrapped(p, MARGIN, PAGE_WIDTH - 2 * MARGIN, text_of(json_array_get(lines, i)));
}

static bool add_chart(struct page *p, const json_t *json, struct err *err)
{
    struct chart *chart = mem_alloc(sizeof *chart);
    bool ok = chart_read(json, chart, err);
    double scale = (PAGE_WIDTH - 2 * MARGIN) / CHART_WIDTH;
    if (ok) {
        cairo_save(p->cr);
        cairo_translate(p->cr, MARGIN, p->y);
        cairo_scale(p->cr, scale, scale);
        draw_chart(p->cr, chart);
        cairo_restore(p->cr);
        p->y += CHART_HEIGHT * scale + 6;
    }
    free(chart);
    return ok;
}

bool draw_report(cairo_t *cr, const json_t *report, struct err *err)
{
    struct page p = {cr, MARGIN};
    const json_t *sections = json_object_get(report, "sections");
    const json_t *chart = json_object_get(report, "chart");
    if (!json_is_array(sections))
        return err_set(err, ERR_INPUT, "sections: a list");
    draw_font(cr, WEIGHT_BOLD, 20);
    draw_color(cr, INK);
    draw_text(cr, MARGIN, p.y + 18, ALIGN_LEFT, PAGE_WIDTH - 2 * MARGIN,
              text_of(json_object_get(report, "title")));
    p.y += 28;
    draw_font(cr, WEIGHT_NORMAL, 11);
    draw_color(cr, QUIET);
    draw_text(cr, MARGIN, p.y + 12, ALIGN_LEFT, PAGE_WIDTH - 2 * MARGIN,
              text_of(json_object_get(report, "subtitle")));
    p.y += 24;
    if (chart && !add_chart(&p, chart, err))
        return false;
    for (size_t i = 0; i < json_array_size(sections) && i < SECTIONS_MAX; i++)
        add_section(&p, json_array_get(sections, i));
    draw_font(cr, WEIGHT_NORMAL, 9);
    draw_color(cr, QUIET);
    draw_text(cr, MARGIN, PAGE_HEIGHT - 26, ALIGN_LEFT, PAGE_WIDTH - 2 * MARGIN,
              text_of(json_object_get(report, "foot")));
    cairo_show_page(cr);
    return true;
}
