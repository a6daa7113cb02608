/* sentry_render.c -- the order of exceptions and frames; what each looks like is sentry_render_forms.c.
 *
 * A Python exception group is a tree: its members are printed below it, numbered and indented, as
 * the interpreter does. Everything else is a chain. */
#include "ingest/sentry_render.h"

#include "core/limits.h"

#include <stdio.h>
#include <string.h>

enum { GROUP_DEPTH_MAX = 8, FRAMES_OUTER_KEPT = 50 };

static void render_frames(const struct render_form *form, struct buf *out,
                          const struct sentry_exception *e)
{
    for (size_t n = 0; n < e->frames_count; n++) {
        size_t i = form->innermost_first ? e->frames_count - 1 - n : n;
        form->frame(out, e, i);
        bool gap = form->innermost_first ? i == FRAMES_OUTER_KEPT : i + 1 == FRAMES_OUTER_KEPT;
        if (e->frames_left_out && gap)
            buf_addf(out, "  [%zu frames left out]\n", e->frames_left_out);
    }
}

static void render_one(const struct render_form *form, struct buf *out,
                       const struct sentry_exception *e)
{
    form->head(out, e);
    render_frames(form, out, e);
    if (form->tail)
        form->tail(out, e);
}

static void render_chain(const struct render_form *form, const struct sentry_stack *s,
                         struct buf *out)
{
    for (size_t n = 0; n < s->count; n++) {
        size_t i = form->cause_first ? n : s->count - 1 - n;
        if (n > 0)
            form->join(out, &s->chain[form->cause_first ? i - 1 : i]);
        render_one(form, out, &s->chain[i]);
    }
}

static void add_indented(struct buf *out, const char *text, size_t depth, bool bar)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        for (size_t i = 0; i < depth; i++)
            buf_add_str(out, "  ");
        if (bar)
            buf_add_str(out, "| ");
        buf_add(out, text, n);
        buf_add_char(out, '\n');
        text += n + (text[n] == '\n');
    }
}

static size_t count_members(const struct sentry_stack *s, int64_t id)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += s->chain[i].parent_id == id && s->chain[i].id != id;
    return n;
}

// NOLINTNEXTLINE(misc-no-recursion) -- bounded by GROUP_DEPTH_MAX; `shown`: each is printed once
static void render_group(const struct sentry_stack *s, const struct sentry_exception *e,
                         size_t depth, uint64_t *shown, struct buf *out)
{
    struct buf own;
    *shown |= (uint64_t)1 << (e - s->chain);
    size_t members = count_members(s, e->id);
    size_t number = 0;
    buf_init(&own, INGEST_EVENT_BYTES_MAX);
    if (depth == 1 && members)
        buf_add_str(out, "  + Exception Group Traceback (most recent call last):\n");
    render_one(&RENDER_FORMS[PLATFORM_PYTHON], &own, e);
    const char *text = buf_text(&own);
    size_t head = strcspn(text, "\n");
    add_indented(out, depth == 1 && members && text[head] ? text + head + 1 : text, depth, true);
    buf_fini(&own);
    for (size_t i = s->count; i > 0 && depth < GROUP_DEPTH_MAX; i--) {
        const struct sentry_exception *m = &s->chain[i - 1];
        char line[64];
        if (m->parent_id != e->id || m->id == e->id || (*shown >> (i - 1) & 1))
            continue;
        number++;
        snprintf(line, sizeof line, "%s---------------- %zu ----------------",
                 number == 1 ? "+-+" : "  +", number);
        add_indented(out, line, depth, false);
        render_group(s, m, depth + 2, shown, out);
    }
    if (number)
        add_indented(out, "  +------------------------------------", depth, false);
}

static bool is_group_of_python(const struct sentry_stack *s)
{
    const struct sentry_exception *main = sentry_stack_main(s);
    return s->platform == PLATFORM_PYTHON && main && main->is_group && main->id >= 0;
}

static bool has_frames(const struct sentry_stack *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->chain[i].frames_count)
            return true;
    return false;
}

void sentry_render(const struct sentry_stack *s, struct buf *out)
{
    const struct render_form *form = &RENDER_FORMS[s->platform];
    uint64_t shown = 0;
    _Static_assert(SENTRY_EXCEPTIONS_MAX <= 64, "one bit each");
    if (is_group_of_python(s))
        render_group(s, sentry_stack_main(s), 1, &shown, out);
    else if (has_frames(s) || s->count > 1)
        render_chain(form, s, out);
    else if (s->has_loose)
        render_one(form, out, &s->loose);
    while (out->len && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
}
