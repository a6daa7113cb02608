/* main.c -- nabat-chart: a description as JSON from stdin, a picture to stdout, and its end.
 *
 * A process of its own: cairo, fonts and what they keep are gone with it, the service's loop draws nothing, and a
 * description that breaks the drawing breaks no more than the drawing. */
#include "charts/draw.h"
#include "core/mem.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum output { OUTPUT_PNG, OUTPUT_SVG, OUTPUT_PDF };

/* fontconfig keeps its configuration until the process ends, and does not free it: leaks of its own are none of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

static int usage(int code)
{
    fputs("nabat-chart -- draw a chart of errors, or a report\n\n"
          "Usage: nabat-chart [--png|--svg|--pdf] < description.json > picture\n\n"
          "Flags:\n"
          "  --png      a picture of the chart that GET /api/stats describes (the default)\n"
          "  --svg      the same as vectors\n"
          "  --pdf      the report that GET /api/report describes, on A4 pages\n"
          "  --version  print the version\n"
          "  --help     print this\n\n"
          "nabat runs it by itself. Exit codes: 0 done; 1 failed, the reason is on stderr; 2 wrong "
          "usage.\n",
          code ? stderr : stdout);
    return code;
}

static cairo_status_t write_out(void *ctx, const unsigned char *data, unsigned len)
{
    return fwrite(data, 1, len, ctx) == len ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static bool draw(cairo_surface_t *surface, const json_t *json, bool is_report, struct err *err)
{
    cairo_t *cr = cairo_create(surface);
    struct chart *chart = mem_alloc(sizeof *chart);
    bool ok = is_report ? draw_report(cr, json, err) : chart_read(json, chart, err);
    if (ok && !is_report)
        draw_chart(cr, chart);
    if (ok && cairo_status(cr) != CAIRO_STATUS_SUCCESS)
        ok = err_set(err, ERR_BUG, "%s", cairo_status_to_string(cairo_status(cr)));
    free(chart);
    cairo_destroy(cr);
    return ok;
}

static cairo_surface_t *surface_of(enum output output)
{
    if (output == OUTPUT_PDF)
        return cairo_pdf_surface_create_for_stream(write_out, stdout, PAGE_WIDTH, PAGE_HEIGHT);
    if (output == OUTPUT_SVG)
        return cairo_svg_surface_create_for_stream(write_out, stdout, CHART_WIDTH, CHART_HEIGHT);
    return cairo_image_surface_create(CAIRO_FORMAT_RGB24, CHART_WIDTH, CHART_HEIGHT);
}

static int run(enum output output)
{
    json_error_t why;
    struct err err = {0};
    json_t *json = json_loadf(stdin, 0, &why);
    if (!json) {
        fprintf(stderr, "nabat-chart: stdin is no JSON: %s, line %d\n", why.text, why.line);
        return 1;
    }
    cairo_surface_t *surface = surface_of(output);
    bool ok = draw(surface, json, output == OUTPUT_PDF, &err);
    json_decref(json);
    if (ok && output == OUTPUT_PNG)
        ok = cairo_surface_write_to_png_stream(surface, write_out, stdout) == CAIRO_STATUS_SUCCESS;
    cairo_surface_finish(surface);
    ok = ok && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS && fflush(stdout) == 0;
    cairo_surface_destroy(surface);
    if (!ok)
        fprintf(stderr, "nabat-chart: %s\n",
                err.text[0] ? err.text : "the picture can't be written");
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const char *const FORMATS[] = {"--png", "--svg", "--pdf"};
    enum output output = OUTPUT_PNG;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("nabat-chart " NABAT_VERSION);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(0);
    if (argc > 2)
        return usage(2);
    if (argc == 2) {
        size_t i = 0;
        while (i < 3 && strcmp(FORMATS[i], argv[1]) != 0)
            i++;
        if (i == 3)
            return usage(2);
        output = (enum output)i;
    }
    if (isatty(STDOUT_FILENO)) {
        fputs("nabat-chart: stdout is a terminal, and a picture is bytes: > picture.png\n", stderr);
        return 2;
    }
    return run(output);
}
