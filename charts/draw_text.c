/* draw_text.c -- text: fonts, colours, widths, cuts. DejaVu Sans comes with fontconfig and has Cyrillic. */
#include "charts/draw.h"

#include "core/utf8.h"

#include <string.h>

enum { TEXT_BYTES_MAX = 512 };

void draw_font(cairo_t *cr, enum draw_weight weight, double size)
{
    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           weight == WEIGHT_BOLD ? CAIRO_FONT_WEIGHT_BOLD
                                                 : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

void draw_color(cairo_t *cr, unsigned color)
{
    cairo_set_source_rgb(cr, (color >> 16 & 255) / 255.0, (color >> 8 & 255) / 255.0,
                         (color & 255) / 255.0);
}

double draw_text_width(cairo_t *cr, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text, &extents);
    return extents.x_advance;
}

/* Letters go from the end until it fits. */
static void cut(cairo_t *cr, char *text, double width_max)
{
    size_t len = strlen(text);
    while (len > 0 && draw_text_width(cr, text) > width_max) {
        len = utf8_cut(text, len, len - 1);
        if (len >= 3 && strcmp(text + len, "…") == 0)
            len = utf8_cut(text, len, len - 1);
        memcpy(text + len, "…", sizeof "…");
    }
}

double draw_text(cairo_t *cr, double x, double y, enum draw_align align, double width_max,
                 const char *text)
{
    char shown[TEXT_BYTES_MAX + 4];
    size_t len = utf8_cut(text, strlen(text), TEXT_BYTES_MAX);
    memcpy(shown, text, len);
    shown[len] = '\0';
    if (width_max > 0)
        cut(cr, shown, width_max);
    double width = draw_text_width(cr, shown);
    cairo_move_to(cr,
                  align == ALIGN_RIGHT    ? x - width
                  : align == ALIGN_CENTER ? x - width / 2
                                          : x,
                  y);
    cairo_show_text(cr, shown);
    return width;
}
