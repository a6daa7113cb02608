/* sentry_render_forms.c -- how each language prints exceptions and frames. */
#include "ingest/sentry_render.h"

#include <inttypes.h>

static void add_part(struct buf *out, struct part p)
{
    buf_add(out, p.at, p.len);
}

static void add_or(struct buf *out, struct part p, const char *otherwise)
{
    if (p.len)
        add_part(out, p);
    else
        buf_add_str(out, otherwise);
}

static struct part path_of(const struct sentry_frame *f)
{
    return f->abs_path.len ? f->abs_path : f->filename;
}

/* file, file:12, file:12:3 */
static void add_position(struct buf *out, const struct sentry_frame *f, struct part path)
{
    add_or(out, path, "<unknown>");
    if (f->line)
        buf_addf(out, ":%" PRId64, f->line);
    if (f->line && f->column)
        buf_addf(out, ":%" PRId64, f->column);
}

/* Type: value */
static void add_what(struct buf *out, const struct sentry_exception *e)
{
    add_part(out, e->type);
    if (e->type.len && e->value.len)
        buf_add_str(out, ": ");
    add_part(out, e->value);
}

static void add_qualified(struct buf *out, const struct sentry_exception *e)
{
    bool builtin = part_equals(e->module, "builtins") || part_equals(e->module, "__main__");
    if (e->module.len && !builtin && e->type.len && !part_find(e->type, ".")) {
        add_part(out, e->module);
        buf_add_char(out, '.');
    }
    add_what(out, e);
}

static void what_line(struct buf *out, const struct sentry_exception *e)
{
    add_what(out, e);
    if (e->type.len || e->value.len)
        buf_add_char(out, '\n');
}

static void qualified_line(struct buf *out, const struct sentry_exception *e)
{
    add_qualified(out, e);
    if (e->type.len || e->value.len)
        buf_add_char(out, '\n');
}

static void join_caused_by(struct buf *out, const struct sentry_exception *cause)
{
    (void)cause;
    buf_add_str(out, "Caused by: ");
}

/* ---- Python */

static void python_head(struct buf *out, const struct sentry_exception *e)
{
    if (e->frames_count)
        buf_add_str(out, "Traceback (most recent call last):\n");
}

static void python_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *f = &e->frames[i];
    buf_add_str(out, "  File \"");
    add_or(out, path_of(f), "<unknown>");
    buf_addf(out, "\", line %" PRId64 ", in ", f->line);
    add_or(out, f->function, "<unknown>");
    buf_add_char(out, '\n');
    struct part line = part_trim(f->context_line);
    if (!line.len)
        return;
    buf_add_str(out, "    ");
    add_part(out, line);
    buf_add_char(out, '\n');
}

static void python_join(struct buf *out, const struct sentry_exception *cause)
{
    buf_add_str(out,
                part_equals(cause->source, "__context__")
                    ? "\nDuring handling of the above exception, another exception occurred:\n\n"
                    : "\nThe above exception was the direct cause of the following "
                      "exception:\n\n");
}

/* ---- JavaScript */

static void js_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *f = &e->frames[i];
    bool named = f->function.len && !part_equals(f->function, "?");
    buf_add_str(out, "    at ");
    if (named) {
        add_part(out, f->function);
        buf_add_str(out, " (");
    }
    add_position(out, f, path_of(f));
    buf_add_str(out, named ? ")\n" : "\n");
}

static void js_join(struct buf *out, const struct sentry_exception *cause)
{
    (void)cause;
    buf_add_str(out, "  [cause]: ");
}

/* ---- Go */

static void go_head(struct buf *out, const struct sentry_exception *e)
{
    what_line(out, e);
    if (e->frames_count)
        buf_add_str(out, "\ngoroutine 1 [running]:\n");
}

static void go_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *f = &e->frames[i];
    if (f->module.len) {
        add_part(out, f->module);
        buf_add_char(out, '.');
    }
    add_or(out, f->function, "<unknown>");
    buf_add_str(out, "(...)\n\t");
    add_or(out, path_of(f), "<unknown>");
    buf_addf(out, ":%" PRId64 "\n", f->line);
}

/* ---- Java */

static void java_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *f = &e->frames[i];
    buf_add_str(out, "\tat ");
    if (f->module.len) {
        add_part(out, f->module);
        buf_add_char(out, '.');
    }
    add_or(out, f->function, "<unknown>");
    buf_add_char(out, '(');
    if (f->line < 0)
        buf_add_str(out, "Native Method");
    else if (f->filename.len)
        add_part(out, f->filename);
    else
        buf_add_str(out, "Unknown Source");
    if (f->filename.len && f->line > 0)
        buf_addf(out, ":%" PRId64, f->line);
    buf_add_str(out, ")\n");
}

static void java_join(struct buf *out, const struct sentry_exception *cause)
{
    buf_add_str(out, part_starts(cause->source, "suppressed") ? "Suppressed: " : "Caused by: ");
}

/* ---- Rust */

static void rust_head(struct buf *out, const struct sentry_exception *e)
{
    what_line(out, e);
    if (e->frames_count)
        buf_add_str(out, "stack backtrace:\n");
}

static void rust_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *f = &e->frames[i];
    buf_addf(out, "%4zu: ", e->frames_count - 1 - i);
    add_or(out, f->function, "<unknown>");
    buf_add_char(out, '\n');
    if (!path_of(f).len)
        return;
    buf_add_str(out, "             at ");
    add_position(out, f, path_of(f));
    buf_add_char(out, '\n');
}

/* ---- PHP: #0 is the place that called the function which threw */

static void php_head(struct buf *out, const struct sentry_exception *e)
{
    add_what(out, e);
    if (e->frames_count) {
        const struct sentry_frame *f = &e->frames[e->frames_count - 1];
        buf_add_str(out, " in ");
        add_or(out, path_of(f), "<unknown>");
        buf_addf(out, ":%" PRId64 "\nStack trace:", f->line);
    }
    buf_add_char(out, '\n');
}

static void php_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *called = &e->frames[i];
    buf_addf(out, "#%zu ", e->frames_count - 1 - i);
    if (i == 0) {
        buf_add_str(out, "{main}\n");
        return;
    }
    const struct sentry_frame *f = &e->frames[i - 1];
    add_or(out, path_of(f), "[internal function]");
    if (path_of(f).len)
        buf_addf(out, "(%" PRId64 ")", f->line);
    buf_add_str(out, ": ");
    add_or(out, called->function, "{closure}");
    buf_add_str(out, "()\n");
}

static void php_join(struct buf *out, const struct sentry_exception *cause)
{
    (void)cause;
    buf_add_str(out, "\nNext ");
}

/* ---- Ruby: the first frame stands on the line of the message */

static void ruby_where(struct buf *out, const struct sentry_frame *f)
{
    add_or(out, path_of(f), "<unknown>");
    buf_addf(out, ":%" PRId64 ":in `", f->line);
    add_or(out, f->function, "<main>");
    buf_add_char(out, '\'');
}

static void ruby_head(struct buf *out, const struct sentry_exception *e)
{
    if (e->frames_count) {
        ruby_where(out, &e->frames[e->frames_count - 1]);
        buf_add_str(out, ": ");
    }
    add_part(out, e->value);
    if (e->type.len) {
        buf_add_str(out, e->value.len ? " (" : "(");
        add_part(out, e->type);
        buf_add_char(out, ')');
    }
    buf_add_char(out, '\n');
}

static void ruby_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    if (i + 1 == e->frames_count)
        return;
    buf_add_str(out, "\tfrom ");
    ruby_where(out, &e->frames[i]);
    buf_add_char(out, '\n');
}

static void join_nothing(struct buf *out, const struct sentry_exception *cause)
{
    (void)out;
    (void)cause;
}

/* ---- .NET */

static void csharp_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *f = &e->frames[i];
    buf_add_str(out, "   at ");
    if (f->module.len) {
        add_part(out, f->module);
        buf_add_char(out, '.');
    }
    add_or(out, f->function, "<unknown>");
    if (!part_find(f->function, "("))
        buf_add_str(out, "()");
    if (path_of(f).len) {
        buf_add_str(out, " in ");
        add_part(out, path_of(f));
        buf_addf(out, ":line %" PRId64, f->line);
    }
    buf_add_char(out, '\n');
}

static void csharp_join(struct buf *out, const struct sentry_exception *cause)
{
    (void)cause;
    buf_add_str(out, " ---> ");
}

/* ---- native, as gdb prints it */

static void native_frame(struct buf *out, const struct sentry_exception *e, size_t i)
{
    const struct sentry_frame *f = &e->frames[i];
    buf_addf(out, "#%-3zu", e->frames_count - 1 - i);
    if (f->address.len) {
        add_part(out, f->address);
        buf_add_str(out, " in ");
    }
    add_or(out, f->function, "??");
    buf_add_str(out, " ()");
    if (path_of(f).len) {
        buf_add_str(out, " at ");
        add_position(out, f, path_of(f));
    } else if (f->package.len) {
        buf_add_str(out, " from ");
        add_part(out, f->package);
    }
    buf_add_char(out, '\n');
}

const struct render_form RENDER_FORMS[PLATFORMS] = {
    [PLATFORM_OTHER] = {false, true, what_line, js_frame, NULL, join_caused_by},
    [PLATFORM_PYTHON] = {true, false, python_head, python_frame, qualified_line, python_join},
    [PLATFORM_JAVASCRIPT] = {false, true, what_line, js_frame, NULL, js_join},
    [PLATFORM_NODE] = {false, true, what_line, js_frame, NULL, js_join},
    [PLATFORM_GO] = {false, true, go_head, go_frame, NULL, join_caused_by},
    [PLATFORM_JAVA] = {false, true, qualified_line, java_frame, NULL, java_join},
    [PLATFORM_RUST] = {false, true, rust_head, rust_frame, NULL, join_caused_by},
    [PLATFORM_PHP] = {true, true, php_head, php_frame, NULL, php_join},
    [PLATFORM_RUBY] = {false, true, ruby_head, ruby_frame, NULL, join_nothing},
    [PLATFORM_CSHARP] = {false, true, qualified_line, csharp_frame, NULL, csharp_join},
    [PLATFORM_NATIVE] = {false, true, what_line, native_frame, NULL, join_caused_by},
};
