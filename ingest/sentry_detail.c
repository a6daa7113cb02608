/* sentry_detail.c -- frames with their source and variables: written, compressed, and told again. */
#include "ingest/sentry_detail.h"

#include "core/json_out.h"
#include "core/limits.h"
#include "core/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { DETAIL_BYTES_MAX = 4 * MIB, DETAIL_ARENA_BYTES_MAX = 64 * MIB, ZSTD_LEVEL = 1 };

/* ---------------------------------------------------------------------------------------- writing */

static bool has_detail(const struct sentry_frame *f)
{
    return f->vars || f->pre_context || f->post_context || f->context_line.len;
}

static void add_member(struct buf *out, const char *name, const struct json_value *v)
{
    if (!v)
        return;
    buf_addf(out, ",\"%s\":", name);
    json_write(v, out);
}

static void add_frame(struct buf *out, const struct sentry_frame *f)
{
    char position[32];
    buf_add_str(out, "{\"where\":");
    struct buf where;
    buf_init(&where, 8 * KIB);
    if (f->function.len <= 2 * KIB)
        buf_add(&where, f->function.at, f->function.len);
    struct part file =
        f->filename.len && f->filename.len <= 4 * KIB ? f->filename : (struct part){"", 0};
    if (file.len)
        buf_addf(&where, "%s%.*s", where.len ? " in " : "", (int)file.len, file.at);
    snprintf(position, sizeof position, ":%" PRId64, f->line);
    if (f->line)
        buf_add_str(&where, position);
    json_add_str_n(out, buf_text(&where), where.len);
    buf_fini(&where);
    if (f->in_app == 1)
        buf_add_str(out, ",\"in_app\":true");
    add_member(out, "pre", f->pre_context);
    if (f->context_line.len) {
        buf_add_str(out, ",\"line\":");
        json_add_str_n(out, f->context_line.at, f->context_line.len);
    }
    add_member(out, "post", f->post_context);
    buf_add_char(out, '}');
}

static void add_exception(struct buf *out, const struct sentry_exception *e)
{
    buf_add_str(out, "{\"type\":");
    json_add_str_n(out, e->type.at, e->type.len);
    buf_add_str(out, ",\"frames\":[");
    const char *between = "";
    for (size_t i = 0; i < e->frames_count; i++) {
        if (!has_detail(&e->frames[i]))
            continue;
        buf_add_str(out, between);
        add_frame(out, &e->frames[i]);
        between = ",";
    }
    buf_add_str(out, "]}");
}

/* For each frame that the source has. */
static void add_vars(struct buf *out, const struct sentry_exception *e)
{
    const char *between = "";
    buf_add_char(out, '[');
    for (size_t i = 0; i < e->frames_count; i++) {
        if (!has_detail(&e->frames[i]))
            continue;
        buf_add_str(out, between);
        if (e->frames[i].vars)
            json_write(e->frames[i].vars, out);
        else
            buf_add_str(out, "null");
        between = ",";
    }
    buf_add_char(out, ']');
}

static bool compress(const struct buf *json, struct arena *arena, struct event *event)
{
    static ZSTD_CCtx *context; /* one thread */
    context = context ? context : ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(json->len);
    void *space = mem_alloc(bound);
    size_t n = ZSTD_compressCCtx(context, space, bound, json->data, json->len, ZSTD_LEVEL);
    bool ok = !ZSTD_isError(n);
    void *copy = ok ? arena_alloc(arena, n) : NULL;
    if (copy) {
        memcpy(copy, space, n);
        event->detail = copy;
        event->detail_len = n;
    }
    free(space);
    return copy != NULL;
}

/* The exceptions of a chain, or the frames of none. */
struct told {
    const struct sentry_exception *list;
    size_t count;
};

static bool make_source(const struct told *told, const struct json_value *modules,
                        struct arena *arena, struct event *event)
{
    struct buf json;
    buf_init(&json, DETAIL_BYTES_MAX);
    buf_add_str(&json, "{\"exceptions\":[");
    for (size_t i = 0; i < told->count; i++) {
        buf_add_str(&json, i ? "," : "");
        add_exception(&json, &told->list[i]);
    }
    buf_add_char(&json, ']');
    add_member(&json, "modules", modules);
    buf_add_char(&json, '}');
    if (!json.full)
        event->source = arena_str_dup_n(arena, buf_text(&json), json.len);
    bool ok = json.full || event->source;
    buf_fini(&json);
    return ok;
}

static bool make_detail(const struct told *told, struct arena *arena, struct event *event)
{
    struct buf json;
    buf_init(&json, DETAIL_BYTES_MAX);
    buf_add_str(&json, "{\"vars\":[");
    for (size_t i = 0; i < told->count; i++) {
        buf_add_str(&json, i ? "," : "");
        add_vars(&json, &told->list[i]);
    }
    buf_add_str(&json, "]}");
    bool ok = json.full || compress(&json, arena, event);
    buf_fini(&json);
    return ok;
}

bool sentry_detail_make(const struct json_value *root, const struct sentry_stack *stack,
                        struct arena *arena, struct event *event)
{
    struct told told = {stack->chain, stack->count};
    const struct json_value *modules = sentry_get(root, "modules");
    bool any = false;
    bool vars = false;
    if (!stack->count && stack->has_loose)
        told = (struct told){&stack->loose, 1};
    for (size_t i = 0; i < told.count; i++)
        for (size_t k = 0; k < told.list[i].frames_count; k++) {
            any = any || has_detail(&told.list[i].frames[k]);
            vars = vars || told.list[i].frames[k].vars;
        }
    return (!any && !modules) || (make_source(&told, modules, arena, event) &&
                                  (!vars || make_detail(&told, arena, event)));
}

/* ---------------------------------------------------------------------------------------- reading */

static void tell_lines(const struct json_value *lines, const char *mark, struct buf *out)
{
    for (const struct json_value *l = lines ? lines->first : NULL; l; l = l->next) {
        struct part text = sentry_part(l);
        buf_add_str(out, mark);
        buf_add(out, text.at, text.len);
        buf_add_char(out, '\n');
    }
}

static void tell_frame(const struct json_value *f, const struct json_value *vars, struct buf *out)
{
    struct part where = sentry_get_part(f, "where");
    struct part line = sentry_get_part(f, "line");
    buf_add_str(out, "\n");
    buf_add(out, where.at, where.len);
    buf_add_str(out, "\n");
    tell_lines(sentry_get(f, "pre"), "    ", out);
    if (line.len) {
        buf_add_str(out, "  > ");
        buf_add(out, line.at, line.len);
        buf_add_char(out, '\n');
    }
    tell_lines(sentry_get(f, "post"), "    ", out);
    if (!vars)
        vars = sentry_get(f, "vars"); /* as it was before 012_shared.sql */
    for (const struct json_value *v = vars ? vars->first : NULL; v; v = v->next) {
        buf_add_str(out, "      ");
        if (v->key)
            buf_add(out, v->key, v->key_len);
        buf_add_str(out, " = ");
        if (v->kind == JSON_STRING_V)
            buf_add(out, v->text, v->len);
        else
            json_write(v, out);
        buf_add_char(out, '\n');
    }
}

static bool decompress(const void *bytes, size_t len, struct buf *json)
{
    unsigned long long size = ZSTD_getFrameContentSize(bytes, len);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
        size > DETAIL_BYTES_MAX || !buf_reserve(json, (size_t)size + 1))
        return false;
    size_t n = ZSTD_decompress(json->data, (size_t)size, bytes, len);
    if (ZSTD_isError(n))
        return false;
    json->len = n;
    json->data[n] = '\0';
    return true;
}

static void tell_exception(const struct json_value *e, const struct json_value *vars,
                           struct buf *out)
{
    struct part type = sentry_get_part(e, "type");
    const struct json_value *frames = sentry_get(e, "frames");
    if (!frames || !frames->first)
        return;
    buf_addf(out, "%s--- %.*s\n", out->len ? "\n" : "", (int)(type.len < 200 ? type.len : 200),
             type.at);
    const struct json_value *own = vars ? vars->first : NULL;
    for (const struct json_value *f = frames->first; f; f = f->next) {
        tell_frame(f, own, out);
        own = own ? own->next : NULL;
    }
}

static const struct json_value *read_piece(const char *text, size_t len, struct arena *arena)
{
    struct err err = {0};
    const char *at = text;
    return text ? json_read(text, &at, text + len, arena, &err) : NULL;
}

bool sentry_detail_text(const void *detail, size_t detail_len, const char *source, struct buf *out)
{
    struct buf json;
    buf_init(&json, DETAIL_BYTES_MAX + 16);
    struct arena *arena = arena_new(DETAIL_ARENA_BYTES_MAX);
    bool ok = !detail || decompress(detail, detail_len, &json);
    const struct json_value *own = detail && ok ? read_piece(json.data, json.len, arena) : NULL;
    const struct json_value *root = source ? read_piece(source, strlen(source), arena) : own;
    const struct json_value *vars = sentry_list(sentry_get(own, "vars"));
    for (const struct json_value *e = sentry_list(sentry_get(root, "exceptions")); e; e = e->next) {
        tell_exception(e, vars, out);
        vars = vars ? vars->next : NULL;
    }
    arena_free(arena);
    buf_fini(&json);
    return ok && root;
}
